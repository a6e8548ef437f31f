# A database without room: 507, nothing changed, reads go on; room again, and
# changes are made by the same connections.
#
# The disk is made full for one file: the kernel lets the server's processes
# write up to the middle of the next page of the table of events, as a disk does
# whose last free block lies there. PostgreSQL finds that it wrote too little and
# says disk_full, 53100, by itself. Its own log has room, as without that it ends,
# which t/70faults/postgresql.t knows as a crash.
use strict;
use warnings;

use Test::More;
use OwnServer;
use PostgresServer;
use UserProfile;

my $PAGE = 8192;

my $postgres = PostgresServer->start(wal_megabytes => 1, autovacuum => 'off');
local $UserProfile::store = $postgres->store('site');
$postgres->sql('site', 'CREATE ROLE web LOGIN IN ROLE userprofile_server');
my $uri    = $postgres->tcp_uri('site') =~ s/tester/web/r;
my $server = OwnServer->start(<<"END");
UserProfileStore "$uri"
Include "\${CONF}/one_child.conf"
Include "\${CONF}/everywhere.conf"
END
local $UserProfile::port = $server->{port};
my $site  = site();
my $user  = human($site);
my %auth  = bearer($site);
my $path  = "/users/$user/profile";
my $count = 0;

sub put {
    my $got = request(PUT => $path, {%auth},
        { firstName => 'N' . ($count + 1), lastName => 'L',
            displayName => 'D' });
    $count++ if $got->code == 200;
    return $got;
}

sub stored {
    my $got = decode(request(GET => $path, {%auth}));
    return "$got->{profile}{firstName} $got->{details}{sequence}";
}

sub events {
    return $postgres->sql('site', 'SELECT count(*) FROM userprofile.event');
}

sub connections {
    return $postgres->sql('site', "SELECT string_agg(pid::text, ' ' "
        . "ORDER BY pid) FROM pg_stat_activity WHERE usename = 'web'");
}

# Events until their table is larger than a file of the log.
$postgres->sql('site', 'INSERT INTO userprofile.event (type, at, org, user_id, '
    . 'author, sequence, fields, detail) SELECT 0, now(), '
    . "'$site->{org}', 'filler', 'filler', n, 0, repeat('x', 200) "
    . 'FROM generate_series(1, 6000) n');
is put()->code, 200, 'while there is room, a change is made';
my $before = events() - $count;
my $size =
    $postgres->sql('site', "SELECT pg_relation_size('userprofile.event')");
cmp_ok $size, '>', 1024 * 1024, 'the events take more than a file of the log';
my $connections = connections();
$postgres->limit_files($size + $PAGE / 2);

my $got;
for (1 .. 200) {
    $got = put();
    last if $got->code != 200;
}
my ($stored, $events) = (stored(), events());
is $got->code, 507, 'a change that there is no room for is 507';
is $got->content,
    '{"code":8,"message":"the store is full; nothing was changed","details":'
    . '[{"@type":"type.googleapis.com/google.rpc.ErrorInfo",'
    . '"reason":"STORE_FULL","domain":"userprofile"}]}', '... the body';
my @about = grep { /\bUP0010: .*STORE_FULL/ } split /\n/, $server->log;
like $about[0], qr/:error\].*could not extend file .*\(SQLSTATE 53100\)/,
    '... and the log says why';
is $stored, 'N' . $count . ' ' . ($count + 1), 'nothing was changed';
is $events, $before + $count, 'and there is no event of it';

is put()->code, 507, 'the next change is too' for 1 .. 10;
is stored(), $stored, 'reads go on';
is events(), $events, 'and nothing was changed by any of them';
my $orgs = join '', map { qq({"org":{"id":"Without$_","name":"W"}}\n) } 1 .. 200;
my ($status, undef, $said) = ctl(\$orgs, 'import', '-');
isnt $status, 0, 'the tool fails';
like $said, qr/SQLSTATE 53100/, '... and says why';
is $postgres->sql('site',
    "SELECT count(*) FROM userprofile.org WHERE id LIKE 'Without%'"), 0,
    '... and has changed nothing';

$postgres->limit_files(undef);
is put()->code, 200, 'when there is room again, changes are made';
is stored(), 'N' . $count . ' ' . ($count + 1), '... and read';
is events(), $before + $count, '... with their events';
is connections(), $connections, 'all by the connection that there was before';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
