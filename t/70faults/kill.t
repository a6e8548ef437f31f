# Children that are killed in the middle of writes: no acknowledged change is
# lost, none is made twice, and the others go on.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);
use Background;
use OwnServer;
use UserProfile;

my $WRITERS = 4;
my $KILLS   = 10;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 256M
StartServers 3
<IfModule !mpm_prefork_module>
    ServerLimit 4
    ThreadsPerChild 8
    MaxRequestWorkers 32
    MinSpareThreads 16
    MaxSpareThreads 32
</IfModule>
Include "${CONF}/everywhere.conf"
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site  = site();
my @users = map { human($site) } 1 .. $WRITERS;
my $stop  = $server->file('stop');

# Change user $id until told to stop, and once more. Returns how many changes
# were sent, how many answers were neither 200 nor missing, and to which changes
# the answer was missing.
sub work {
    my ($id) = @_;
    my ($sent, $odd, $after, @unsure) = (0, 0, 0);
    until ($after) {
        $sent++;
        my $got = request(PUT => "/users/$id/profile", { bearer($site) },
            { firstName => "N$sent", lastName => 'L', displayName => 'D' });
        if ($got->code == 200) {
            $after = -e $stop;
        }
        elsif ($got->header('Client-Warning')) {    # the connection broke
            push @unsure, $sent;
        }
        else {
            $odd++;
        }
    }
    return ($sent, $odd, @unsure);
}

my %writers = map { my $id = $_; $id => in_background(sub { work($id) }) } @users;
my %killed;
while (keys %killed < $KILLS) {
    sleep rand 0.2;
    my @children = grep { !$killed{$_} } $server->children or next;
    my $child = $children[rand @children];
    $killed{$child} = 1 if kill KILL => $child;
    ok all_change($server, $site->{org}, @users), 'after each kill every writer goes on' or last;
}
open my $out, '>', $stop or die "$stop: $!";
close $out;
for my $id (@users) {
    my ($sent, $odd, @unsure) = $writers{$id}->();
    note "$sent changes, of which without an answer: @unsure";
    is $odd, 0, 'every answer that a writer got was 200';
    my $user = decode(request(GET => "/users/$id/profile", { bearer($site) }));
    is $user->{profile}{firstName}, "N$sent", 'a writer\'s last acknowledged change is stored';

    # The events tell which changes were made.
    my (undef, $events) = ctl('--json', 'events');
    my @made = map { /"after":\{"firstName":"N(\d+)"/ ? $1 : () }
        grep { /"\Q$id\E"/ } split /\n/, $events;
    is scalar @made, $user->{details}{sequence} - 1, 'each change has one event';
    my %unsure = map { $_ => 1 } @unsure;
    my %made   = map { $_ => 1 } @made;
    is_deeply \@made, [grep { $made{$_} || !$unsure{$_} } 1 .. $sent],
        'each acknowledged change was made, once and in order';
}
unlike $server->log, qr/exit signal (?!Killed)/, 'no child died of anything but the kills';
unlike $server->log, qr/UP0010: .*(?:UNAVAILABLE|INTERNAL)/, 'no request found the store unavailable';

done_testing;
