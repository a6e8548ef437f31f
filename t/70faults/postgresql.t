# A store in PostgreSQL, and what may befall the database and the network: calls
# get an answer all the same, and service resumes by itself.
use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);
use Background;
use FreePort;
use OwnServer;
use PostgresServer;
use UserProfile;

my $CONNECTIONS = 4;
my $TIMEOUT     = 2;

my $postgres = PostgresServer->start(max_connections => 12,
    superuser_reserved_connections => 3);
my $admin = $postgres->store('site');
$postgres->sql('site', 'CREATE ROLE web LOGIN IN ROLE userprofile_server');

# The URI by which Apache connects, as a role that may no more than it must.
sub web {
    my ($port) = @_;
    return $postgres->tcp_uri('site', $port) =~ s/tester/web/r;
}

local $UserProfile::store = $admin;
my $site = site();
my $user = human($site);

sub start {
    my ($uri) = @_;
    return OwnServer->start(<<"END");
UserProfileStore "$uri"
UserProfileStoreTimeout $TIMEOUT
UserProfilePool $CONNECTIONS
Include "\${CONF}/one_child.conf"
Include "\${CONF}/everywhere.conf"
END
}

my $server;
my $count = 0;

sub get {
    return request(GET => $server->url("/users/$user/profile"),
        { bearer($site) });
}

# Change the user; $name, or a new one each time.
sub put {
    my $name = "N$$-" . ++$count;
    return request(PUT => $server->url("/users/$user/profile"),
        { bearer($site) },
        { firstName => $name, lastName => 'L', displayName => 'D' });
}

# That $got says that nothing was done, and when to try again.
sub unavailable {
    my ($got, $what) = @_;
    is $got->code, 503, "$what: 503";
    is reason($got), 'STORE_UNAVAILABLE', "$what: the reason";
    like $got->header('Retry-After') // '', qr/^[1-9]\d*$/,
        "$what: Retry-After";
}

# That service is there within the server's patience.
sub resumes {
    my ($what) = @_;
    my $got;
    eval { $server->wait_until(sub { $got = put(); $got->code == 200 }) };
    is $got->code, 200, "$what: changes are served again";
    is get()->code, 200, "$what: so are reads";
}

# Away at the start of Apache.
$postgres->stop;
$server = start(web());
unavailable(get(), 'away at the start');
like $server->log, qr/UP0005: cannot connect to the store 'postgresql:\S+': /,
    'away at the start: the log says so';
$postgres->launch;
resumes('started later');

# A restart cuts idle connections, which is no reason to fail.
$postgres->stop;
$postgres->launch;
is put()->code, 200, 'a change after a restart has a new connection';
$postgres->sql('site', 'SELECT pg_terminate_backend(pid) FROM '
    . "pg_stat_activity WHERE usename = 'web'");
is get()->code, 200, 'a read after its connection was cut has a new one';

# Away while Apache runs.
$postgres->stop('immediate');
unavailable(get(), 'stopped, a read');
unavailable(put(), 'stopped, a change');
my $began = time;
get() for 1 .. 20;
cmp_ok time - $began, '<', 10 * $TIMEOUT,
    'stopped: calls do not wait each for its own connection';
$postgres->launch;
resumes('started again');

# Others have all connections that the server allows.
$postgres->sql('site', 'SELECT pg_terminate_backend(pid) FROM '
    . "pg_stat_activity WHERE usename = 'web'");
{
    local $SIG{PIPE} = 'IGNORE';
    my %others;
    my $add = sub {
        my $pid = open my $psql, '|-', 'psql', '-X', '-q', web()
            or die "psql: $!";
        $psql->autoflush;
        print $psql "\n";
        $others{$pid} = $psql;
    };
    $add->() for 1 .. 9;
    $server->wait_until(sub {
        # Who connects while this is asked may find no room for both.
        for my $pid (grep { waitpid($_, WNOHANG) } keys %others) {
            delete $others{$pid};
            $add->();
        }
        $postgres->sql('postgres', 'SELECT count(*) FROM pg_stat_activity '
            . "WHERE usename = 'web'") >= 9;
    });
    unavailable(get(), 'no connection is left');
}
resumes('connections are left');

# Another session has locked the user, or the whole table.
for my $lock ("SELECT FROM userprofile.profile WHERE id = '$user' FOR UPDATE",
    'LOCK TABLE userprofile.profile IN ACCESS EXCLUSIVE MODE')
{
    open my $psql, '|-', 'psql', '-X', '-q', '-o', '/dev/null', $admin
        or die "psql: $!";
    $psql->autoflush;
    print $psql "BEGIN; $lock;\n";
    $server->wait_until(sub {
        $postgres->sql('postgres', 'SELECT count(*) FROM pg_stat_activity '
            . "WHERE state = 'idle in transaction'") > 0;
    });
    my @waiting = map {
        in_background(sub {
            my $began = time;
            my $code  = put()->code;
            return ($code, time - $began);
        })
    } 1 .. 8;
    for my $waiting (@waiting) {
        my ($code, $passed) = $waiting->();
        is $code, 503, 'a change that waits for a lock is 503';
        cmp_ok $passed, '<', 30, '... and ends';
    }
    close $psql;
    resumes('the lock is gone');
}

# Nothing changed twice, or by a 503: the user's sequence is that of its events.
sub is_consistent {
    my ($what) = @_;
    is $postgres->sql('site', 'SELECT count(*) = 0 FROM (SELECT p.id, '
            . 'p.sequence, count(e.*) + 1 AS made, '
            . 'count(DISTINCT e.sequence) + 1 AS sequences '
            . 'FROM userprofile.profile p LEFT JOIN userprofile.event e '
            . 'ON e.user_id = p.id GROUP BY p.id) x '
            . 'WHERE sequence <> made OR made <> sequences'),
        't', "$what: each step of a user's sequence has one event";
}
is_consistent('after locks');

# Statements that take too long.
$postgres->sql('site',
    'CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql '
        . 'AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$',
    'CREATE TRIGGER slow BEFORE UPDATE ON userprofile.profile '
        . 'FOR EACH ROW EXECUTE FUNCTION slow()');
my $got = put();
is $got->code, 503, 'a statement that takes too long is 503';
$postgres->sql('site', 'DROP TRIGGER slow ON userprofile.profile');
resumes('statements are fast again');
is_consistent('after a slow statement');

# A database whose transactions are serialisable refuses some of them.
$postgres->sql('site', 'ALTER DATABASE site SET '
        . "default_transaction_isolation = 'serializable'",
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
        . "WHERE usename = 'web'");
my @writers = map {
    in_background(sub { map { put()->code } 1 .. 20 })
} 1 .. 4;
my %codes;
$codes{$_}++ for map { $_->() } @writers;
is_deeply \%codes, { 200 => 80 },
    'changes that the database refuses to serialise are tried again';
is_consistent('after refusals');
$postgres->sql('site',
    'ALTER DATABASE site RESET default_transaction_isolation');

# A connection that goes silent: a proxy that swallows what it gets.
my $proxy = free_port();
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
    LocalPort => $proxy, Listen => 20, ReuseAddr => 1) or die "proxy: $@";
my $silence = "$postgres->{folder}/silence";
my $parent  = $$;
my $pid     = fork // die "fork: $!";
if (!$pid) {
    my $select = IO::Select->new($listener);
    my %peer;
    while (getppid == $parent) {
        for my $ready ($select->can_read(0.1)) {
            if ($ready == $listener) {
                my $client = $listener->accept or next;
                my $to = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                    PeerPort => $postgres->{port}) or next;
                @peer{ $client, $to } = ($to, $client);
                $select->add($client, $to);
                next;
            }
            my $read = sysread $ready, my $bytes, 65536;
            next if $read && -e $silence;
            my $peer = $peer{$ready};
            if ($read) {
                syswrite $peer, $bytes;
                next;
            }
            $select->remove($ready, $peer);
            close $_ for $ready, $peer;
        }
    }
    POSIX::_exit(0);
}
undef $server;
$server = start(web($proxy));
resumes('through a proxy');
is get()->code, 200, 'through a proxy: a read';
sub silent {
    my ($on) = @_;
    return unlink $silence unless $on;
    open my $out, '>', $silence or die "$silence: $!";
}
silent(1);
@writers = map {
    in_background(sub {
        my $began = time;
        my $got = $_[0] ? put() : get();
        return ($got->code, time - $began);
    })
} 1 .. 6;
for my $writer (@writers) {
    my ($code, $passed) = $writer->();
    is $code, 503, 'a call whose connection is silent is 503';
    cmp_ok $passed, '<', 30, '... and ends';
}
silent(0);
resumes('the connection speaks again');
is_consistent('after silence');
kill TERM => $pid;
waitpid $pid, 0;
undef $server;

# A standby takes no changes, and reads are served.
$postgres->configure(max_wal_senders => 5, wal_level => 'replica',
    hot_standby => 'on');
$postgres->stop;
$postgres->launch;
my $standby = $postgres->standby(log_connections => 'on');
$server = start($standby->tcp_uri('site') =~ s/tester/web/r);
is get()->code, 200, 'a standby: reads are served';
unavailable(put(), 'a standby, a change');
sub connections {
    return scalar(() = $standby->log =~ /connection authorized: user=web/g);
}
my $connections = connections();
put() for 1 .. 5;
cmp_ok connections() - $connections, '<=', 2 * 5,
    'a standby: a change is tried by one more connection, not by all';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
