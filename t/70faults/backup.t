# Backups beside a server under load: each has every change that was
# acknowledged before it began. A store that is destroyed is restored from one,
# while the server is stopped.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);
use Background;
use OwnServer;
use UserProfile;

my $WRITERS = 4;
my $BACKUPS = 5;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 256M
StartServers 2
Include "${CONF}/everywhere.conf"
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site  = site();
my @users = map { human($site) } 1 .. $WRITERS;
my $stop  = $server->file('stop');

# Change user $id until told to stop. After each change that was acknowledged,
# its number is in the file "acknowledged-$id". Returns how many were, and how
# many were not.
sub work {
    my ($id) = @_;
    my ($done, $odd) = (0, 0);
    until (-e $stop) {
        my $got = request(PUT => "/users/$id/profile", { bearer($site) },
            { firstName => 'N' . ($done + 1), lastName => 'L', displayName => 'D' });
        $got->code == 200 ? $done++ : $odd++;
        write_number("acknowledged-$id", $done);
    }
    return ($done, $odd);
}

sub write_number {
    my ($name, $number) = @_;
    my $file = $server->file($name);
    open my $out, '>', "$file.new" or die "$file: $!\n";
    print $out $number;
    close $out or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
}

sub acknowledged {
    my ($id) = @_;
    return UserProfile::slurp($server->file("acknowledged-$id")) || 0;
}

# The number of the last change of user $id that the store at $uri has.
sub stored {
    my ($uri, $id) = @_;
    local $UserProfile::store = $uri;
    my (undef, $said) = ctl('--json', 'user', 'get', $site->{org}, $id);
    return $said =~ /"firstName":"N(\d+)"/ ? $1 : 0;
}

my @writers = map { my $id = $_; in_background(sub { work($id) }) } @users;
$server->wait_until(sub { !grep { acknowledged($_) < 20 } @users });
for my $turn (1 .. $BACKUPS) {
    my $to     = $server->file("backup-$turn");
    my %before = map { $_ => acknowledged($_) } @users;
    my ($code, $out, $err) = ctl('backup', $to);
    is $code, 0, "backup $turn: it is made under load" or diag $err;
    my @missing = grep { stored("lmdb:$to", $_) < $before{$_} } @users;
    is_deeply \@missing, [], "backup $turn: it has each change that was acknowledged before it began";
    local $UserProfile::store = "lmdb:$to";
    is +(ctl('check'))[0], 0, "backup $turn: it passes the check, and users and events agree";
}
my ($code, $out, $err) = ctl('check');
is $code, 0, 'the store passes the check under load' or diag $out, $err;

# In use, it is not replaced, and nobody notices.
($code, $out, $err) = ctl('restore', $server->file("backup-$BACKUPS"));
is $code, 1, 'the store of a running server is not replaced';
like $err, qr/is in use by process \d+ \([^)]*\): stop the server/, 'the message names the server\'s process';
ok all_change($server, $site->{org}, @users), 'the server goes on' if !-e $stop;

# The last backup, when all is acknowledged.
open my $out_file, '>', $stop or die;
my @results = map { [$_->()] } @writers;
is_deeply [map { $_->[1] } @results], [(0) x @users], 'no change failed beside the backups';
is +(ctl('backup', $server->file('last')))[0], 0, 'a last backup is made';
my (undef, $events) = ctl('--json', 'events');

# Destroy the store, with the server running: then it is not used.
my $data = $server->file('store/data.mdb');
$server->stop;
open my $spoilt, '+<', $data or die "$data: $!\n";
print $spoilt "\0" x 65536;
close $spoilt or die;
($code, undef, $err) = ctl('check');
is $code, 1, 'the store is destroyed';
($code, $out, $err) = ctl('restore', $server->file('last'));
is $code, 0, 'it is restored' or diag $err;
like $out, qr/; now start the server\nthe store as it was is kept in '/, 'the tool says what to do next';
is +(ctl('check'))[0], 0, 'it passes the check';
is +(ctl('--json', 'events'))[1], $events, 'it has all events';
$server->launch;
for my $i (0 .. $#users) {
    is stored($server->store, $users[$i]), $results[$i][0], 'it has all changes that were acknowledged';
    my $got = request(PUT => "/users/$users[$i]/profile", { bearer($site) }, { firstName => 'After', lastName => 'L', displayName => 'D' });
    is $got->code, 200, 'the server changes users of it';
}
is +(ctl('check'))[0], 0, 'and it passes the check after that';

done_testing;
