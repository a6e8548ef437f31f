# A store in PostgreSQL behind pgbouncer, which gives each transaction another
# connection to the server: prepared statements are not where they were made.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Background;
use FreePort;
use OwnServer;
use PostgresServer;
use UserProfile;

my $postgres = PostgresServer->start;
my $direct   = $postgres->store('site');
my $port     = free_port();
my $folder   = $postgres->{folder};

open my $conf, '>', "$folder/pgbouncer.ini" or die "pgbouncer.ini: $!";
print $conf <<"END";
[databases]
site = host=$folder port=$postgres->{port} dbname=site
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $folder/users
pool_mode = transaction
default_pool_size = 3
logfile = $folder/pgbouncer.log
pidfile = $folder/pgbouncer.pid
END
close $conf;
open my $users, '>', "$folder/users" or die "users: $!";
print $users qq("tester" ""\n);
close $users;
my $pid = fork // die "fork: $!";
if (!$pid) {
    open STDERR, '>', '/dev/null';
    exec '/usr/sbin/pgbouncer', '-q', "$folder/pgbouncer.ini";
    die "cannot run pgbouncer: $!";
}
END { local $?; kill INT => $pid if $pid }

my $uri    = $postgres->tcp_uri('site', $port);
my $server = OwnServer->start(<<"END");
UserProfileStore "$uri"
StartServers 2
<IfModule !mpm_prefork_module>
    ServerLimit 2
    ThreadsPerChild 8
    MaxRequestWorkers 16
</IfModule>
Include "\${CONF}/everywhere.conf"
END
local $UserProfile::store = $direct;
my $site  = site();
my @users = map { human($site) } 1 .. 6;

$server->wait_until(sub {
    request(GET => $server->url("/users/$users[0]/profile"), { bearer($site) })
        ->code == 200;
});
my @workers = map {
    my $user = $_;
    in_background(sub {
        map {
            my $put = request(
                PUT => $server->url("/users/$user/profile"), { bearer($site) },
                { firstName => "N$_", lastName => 'L', displayName => 'D' });
            my $get = request(GET => $server->url("/users/$user/profile"),
                { bearer($site) });
            ($put->code, decode($get)->{profile}{firstName} eq "N$_" ? $get->code : 'stale')
        } 1 .. 40;
    })
} @users;
my %codes;
$codes{$_}++ for map { $_->() } @workers;
is_deeply \%codes, { 200 => 80 * @users }, 'calls by many connections at once are all served';

local $UserProfile::store = $uri;
is +(ctl('org', 'add', 'behind'))[0], 0, 'the tool adds behind pgbouncer';
my (undef, $events) = ctl('events');
is scalar(() = $events =~ /profile\.changed/g), 40 * @users, '... and reads: each change has one event';
unlike $server->log, qr/UP0010: .*(?:UNAVAILABLE|INTERNAL)/, 'no call found the store unavailable';

done_testing;
