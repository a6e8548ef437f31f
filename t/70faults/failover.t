# The primary of two PostgreSQL servers, which replicate synchronously, is killed
# under load and its standby promoted, again and again: every acknowledged change
# is there, none is made twice, what is not served is 503, and service resumes
# without a touch of Apache.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Background;
use FreePort;
use OwnServer;
use PostgresServer;
use UserProfile;

my $FAILOVERS = $ENV{FAILOVERS} || 2;
my $WRITERS   = 4;
my @SYNC      = (synchronous_standby_names => '*');

my $primary = PostgresServer->start(
    wal_level          => 'replica',
    max_wal_senders    => 10,
    hot_standby        => 'on',
    wal_keep_size      => '64MB',
    synchronous_commit => 'on',
);
$primary->store('site');
my $standby = $primary->standby;
my @ports   = ($primary->{port}, $standby->{port});
$primary->reload(@SYNC);

local $UserProfile::store = join '', 'postgresql://tester@',
    join(',', map { "127.0.0.1:$_" } @ports),
    '/site?target_session_attrs=read-write';

my $server = OwnServer->start(<<"END");
UserProfileStore "$UserProfile::store"
UserProfileStoreTimeout 5
StartServers 2
<IfModule !mpm_prefork_module>
    ServerLimit 2
    ThreadsPerChild 8
    MaxRequestWorkers 16
</IfModule>
Include "\${CONF}/everywhere.conf"
END
local $UserProfile::port = $server->{port};
my $site  = site();
my @users = map { human($site) } 1 .. $WRITERS;
my $stop  = $server->file('stop');

# Change user $id until told to stop, and once more. Returns how many changes
# were sent, how many answers were neither 200 nor 503 with Retry-After, the
# longest time without a change, and which changes had no 200.
sub work {
    my ($id) = @_;
    my ($sent, $odd, $longest, $done, @unsure) = (0, 0, 0);
    my $last = time;
    until ($done) {
        $sent++;
        my $got = request(PUT => "/users/$id/profile", { bearer($site) },
            { firstName => "N$sent", lastName => 'L', displayName => 'D' });
        if ($got->code == 200) {
            my $silence = time - $last;
            $longest = $silence if $silence > $longest;
            $last    = time;
            $done    = -e $stop;
            next;
        }
        push @unsure, $sent;
        $odd++ unless $got->code == 503 && $got->header('Retry-After');
        sleep 0.02;
    }
    return ($sent, $odd, sprintf('%.1f', $longest), @unsure);
}

my %writers =
    map { my $id = $_; $id => in_background(sub { work($id) }) } @users;
for my $round (1 .. $FAILOVERS) {
    sleep 0.3 + rand 0.5;
    $primary->kill_all;
    $standby->reload(synchronous_standby_names => '');
    $standby->promote;
    my $port = $primary->{port};
    $primary = $standby;
    ok all_change($server, $site->{org}, @users),
        'after the standby was promoted every writer goes on'
        or last;
    $standby = $primary->standby(port => $port);
    $primary->reload(@SYNC);
    $server->wait_until(sub {
        $primary->sql('site', 'SELECT count(*) FROM pg_stat_replication '
            . "WHERE sync_state = 'sync'") == 1;
    });
}
open my $out, '>', $stop or die "$stop: $!";
close $out;

my ($acknowledged, $lost, $doubled, $silence) = (0, 0, 0, 0);
for my $id (@users) {
    my ($sent, $odd, $longest, @unsure) = $writers{$id}->();
    is $odd, 0, 'every answer was 200, or 503 with Retry-After';
    $silence = $longest if $longest > $silence;
    $acknowledged += $sent - @unsure;

    my @made = map { /^N(\d+)$/ ? $1 : () } split /\n/, $primary->sql('site',
        'SELECT after_first_name FROM userprofile.event '
            . "WHERE user_id = '$id' ORDER BY number");
    my (%made, %unsure);
    $made{$_}++   for @made;
    $unsure{$_}++ for @unsure;
    $lost    += grep { !$made{$_} && !$unsure{$_} } 1 .. $sent;
    $doubled += grep { $made{$_} > 1 } keys %made;
    is $primary->sql('site', 'SELECT sequence FROM userprofile.profile '
            . "WHERE id = '$id'"), @made + 1,
        'each change of a user has one event';
    is_deeply \@made, [sort { $a <=> $b } @made],
        'and they are in the order in which they were made';
}
is $lost,    0, 'no acknowledged change is lost';
is $doubled, 0, 'no change was made twice';
diag "$FAILOVERS kills, $acknowledged acknowledged changes, $lost lost, "
    . "$doubled doubled, longest silence $silence s"
    if $FAILOVERS > 2;
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
