# UserProfileReads any: calls that only read are served by a standby, and by the
# primary where that is away or does not know enough; changes never are.
use strict;
use warnings;

use Test::More;
use OwnServer;
use PostgresServer;
use UserProfile;

my $primary = PostgresServer->start(
    wal_level       => 'replica',
    max_wal_senders => 10,
    hot_standby     => 'on',
    wal_keep_size   => '64MB',
);
my $admin = $primary->store('site');
$primary->sql('site', 'CREATE ROLE web LOGIN IN ROLE userprofile_server');
my $standby = $primary->standby;

my $uri = join '', 'postgresql://web@',
    join(',', map { "127.0.0.1:$_->{port}" } $primary, $standby), '/site';
my $config = <<"END";
UserProfileStore "$uri"
UserProfileReads any
UserProfileStoreTimeout 4
Include "\${CONF}/one_child.conf"
Include "\${CONF}/everywhere.conf"
END

local $UserProfile::store = $admin;
my $site = site();
my $user = human($site, firstName => 'Old');
my $server = OwnServer->start($config);
my $count  = 0;

# Wait until the standby has what the primary has now.
sub catch_up {
    my $there = $primary->sql('site', 'SELECT pg_current_wal_lsn()');
    $server->wait_until(sub {
        $standby->sql('site',
            "SELECT pg_last_wal_replay_lsn() >= '$there'") eq 't';
    });
}

sub pause_replay {
    $standby->sql('site', 'SELECT pg_wal_replay_pause()');
    $server->wait_until(sub {
        $standby->sql('site', 'SELECT pg_get_wal_replay_pause_state()')
            eq 'paused';
    });
}

my $token = $site->{token};

sub get {
    my ($headers, $id) = @_;
    return request(
        GET => $server->url('/users/' . ($id || $user) . '/profile'),
        { bearer($token), %{ $headers || {} } });
}

sub put {
    my $got = request(PUT => $server->url("/users/$user/profile"),
        { bearer($token) },
        { firstName => 'N' . ($count + 1), lastName => 'L',
            displayName => 'D' });
    $count++ if $got->code == 200;
    return $got;
}

sub first_name {
    my ($got) = @_;
    return $got->code == 200 ? decode($got)->{profile}{firstName} : $got->code;
}

# How many connections Apache has to $postgres.
sub sessions {
    my ($postgres) = @_;
    return $postgres->sql('site', 'SELECT count(*) FROM pg_stat_activity '
        . "WHERE usename = 'web'");
}

catch_up();
is first_name(get()), 'Old', 'a read is served';
cmp_ok sessions($standby), '>', 0, 'by a connection to the standby';

# While the standby stands still, it shows what was; the primary knows better.
pause_replay();
my $put = put();
is $put->code, 200, 'a change is made, while the standby stands still';
my $tag = $put->header('ETag');
is first_name(get()), 'Old', 'a read shows what the standby has';
my $got = get({ 'If-None-Match' => $tag });
is $got->code, 304, "If-None-Match with the sequence of one's own write: 304";
is $got->header('ETag'), $tag, '... of that';
is first_name(get({ 'If-Match' => $tag })), "N$count",
    "If-Match with it: one's own write";
is first_name(get({ 'If-None-Match' => '"1"' })), 304,
    'a caller who knows no more than the standby is served by that';
my $sequence = decode($put)->{details}{sequence};
is put()->code, 200, 'a second change is decided on the first one';
is first_name(get({ 'If-None-Match' => "\"$sequence\"" })), "N$count",
    'a caller who knows an older sequence than the primary gets the newest';
is get({ 'If-Match' => '"1"' })->code, 200,
    'what the standby has is as If-Match says';

my $new = human($site, firstName => 'New');
is first_name(get({}, $new)), 'New', 'a user made a moment ago is found';
is get({}, 'nobody')->code, 404, 'one that is nowhere is not';
my ($status, $new_token) = ctl('token', 'add', $site->{admin});
chomp $new_token;
is first_name(get({ bearer($new_token) })), 'Old',
    'a token made a moment ago is taken';
is get({ bearer('x' x 40) })->code, 401, 'one that is nowhere is not';

# A token that was revoked is taken for reads until the standby knows.
is +(ctl('token', 'revoke', $token))[0], 0, 'the token is revoked';
is get()->code, 200, 'a read is served while the standby does not know that';
is put()->code, 401, 'a change is not';
$standby->sql('site', 'SELECT pg_wal_replay_resume()');
catch_up();
is get()->code, 401, 'once the standby knows, a read is not either';
$token = $new_token;
is first_name(get()), "N$count", 'and reads are of what was changed';

# Without the standby, and with it again.
$standby->stop('immediate');
is get()->code, 200, 'without the standby reads are served';
is put()->code, 200, 'and changes are made';
is first_name(get()), "N$count", '... and read';
$standby->launch;
catch_up();
$server->wait_until(sub { get(); sessions($standby) > 0 });
is first_name(get()), "N$count", 'when the standby is back, it is read again';

# A standby that is silent keeps no read from its answer.
kill STOP => $standby->processes;
is first_name(get()), "N$count", 'a read is served while the standby is silent'
    for 1 .. 2;
kill CONT => $standby->processes;
$server->wait_until(sub { get(); sessions($standby) > 0 });
is first_name(get()), "N$count", 'when it speaks again, it is read again';

# Without the primary, and with it again.
$primary->stop('immediate');
is first_name(get()), "N$count", 'without the primary reads are served';
is put()->code, 503, 'and changes are not';
is get({}, 'nobody')->code, 503, 'nor can it be said who is not there';
is get({ 'If-None-Match' => '"1000"' })->code, 503,
    'nor is an older profile served to a caller who knows a newer one';
my $other = OwnServer->start($config);
{
    my $served = $server;
    $server = $other;
    is first_name(get()), "N$count",
        'a server that is started then serves reads';
    is put()->code, 503, '... and no changes';
    $server = $served;
}
undef $other;
$primary->launch;
$server->wait_until(sub { put()->code == 200 });
is put()->code, 200, 'when the primary is back, changes are made';
catch_up();
is first_name(get()), "N$count", '... and read';

# The standby becomes the primary.
$primary->stop('immediate');
$standby->promote;
$server->wait_until(sub { put()->code == 200 });
is put()->code, 200, 'when the standby was promoted, changes are made there';
is first_name(get()), "N$count", 'and reads are served';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
