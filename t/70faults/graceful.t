# A graceful restart under load: no request fails, and no change is lost.
use strict;
use warnings;

use Test::More;
use Background;
use OwnServer;
use UserProfile;

my $CLIENTS = 4;
my $RELOADS = 5;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
UserProfileSync off
StartServers 2
Include "${CONF}/everywhere.conf"
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site  = site();
my @users = map { human($site) } 1 .. $CLIENTS;
my $stop  = $server->file('stop');

# Change and read user $id until told to stop; the number of changes, and a
# sentence if one went wrong.
sub work {
    my ($id) = @_;
    my $turn = 0;
    until (-e $stop) {
        $turn++;
        my $put = request(PUT => "/users/$id/profile", { bearer($site) },
            { firstName => "N$turn", lastName => 'L', displayName => 'D' });
        return ($turn, "change $turn: " . $put->status_line) if $put->code != 200;
        my $get = request(GET => "/users/$id/profile", { bearer($site) });
        return ($turn, "read $turn: " . $get->status_line) if $get->code != 200;
        my $name = decode($get)->{profile}{firstName};
        return ($turn, "read $name after change $turn") if $name ne "N$turn";
    }
    return ($turn, 'nothing');
}

my %clients = map { my $id = $_; $id => in_background(sub { work($id) }) } @users;
for (1 .. $RELOADS) {
    $server->reload;
    ok all_change($server, $site->{org}, @users), 'after each graceful restart every client goes on' or last;
}
open my $out, '>', $stop or die "$stop: $!";
close $out;
for my $id (@users) {
    my ($turns, $wrong) = $clients{$id}->();
    is $wrong, 'nothing', 'no request of a client fails';
    note "$turns changes";
    my $user = decode(request(GET => "/users/$id/profile", { bearer($site) }));
    is $user->{details}{sequence}, $turns + 1, 'each change of a client was made, once';
}
unlike $server->log, qr/:error\]|exit signal/, 'the log has no error and no dead child';

done_testing;
