# What an administrator of the database may do while Apache serves: each call gets
# an answer that is true, service resumes by itself, and the log has neither
# passwords nor values.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Background;
use KeptConnection;
use OwnServer;
use PostgresServer;
use UserProfile;

my $PASSWORD    = 'only-the-file-has-it';
my $CONNECTIONS = 4;
my $SESSIONS    = q(FROM pg_stat_activity WHERE usename = 'web');

my $postgres = PostgresServer->start;
local $UserProfile::store = $postgres->store('site');
my $site = site();
my $user = human($site);
my $path = "/users/$user/profile";

# Apache connects as a role with a password, which a file has.
my $passfile = "$postgres->{folder}/passfile";
write_file($passfile, "*:*:*:web:$PASSWORD\n");
chmod 0600, $passfile or die "$passfile: $!";
my $hba = $postgres->data . '/pg_hba.conf';
write_file($hba,
    "host all web 127.0.0.1/32 scram-sha-256\n" . UserProfile::slurp($hba));
$postgres->sql('site', "CREATE ROLE web LOGIN PASSWORD '$PASSWORD' "
        . 'IN ROLE userprofile_server', 'SELECT pg_reload_conf()');
my $uri =
    ($postgres->tcp_uri('site') =~ s/tester/web/r) . "?passfile=$passfile";

sub write_file {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!";
    print $out $text;
    close $out or die "$file: $!";
}

sub start {
    my ($connections, $more) = @_;
    return OwnServer->start(<<"END");
UserProfileStore "$uri"
UserProfileStoreTimeout 5
UserProfilePool $connections
MaxKeepAliveRequests 0
Include "\${CONF}/everywhere.conf"
$more
END
}

my $server = start($CONNECTIONS, 'Include "${CONF}/one_child.conf"');
my $count  = 0;

sub get {
    return request(GET => $server->url($path), { bearer($site) });
}

sub profile {
    return {
        firstName   => "ASecretName$$-" . ++$count,
        lastName    => 'L',
        displayName => 'D'
    };
}

sub put {
    return request(PUT => $server->url($path), { bearer($site) }, profile());
}

sub postgres {
    my (@statements) = @_;
    return $postgres->sql('postgres', @statements);
}

sub cut_all {
    postgres("SELECT pg_terminate_backend(pid) $SESSIONS");
}

sub sequence {
    return $postgres->sql('site',
        "SELECT sequence FROM userprofile.profile WHERE id = '$user'");
}

# That service is there by itself, and that all before it was as it should be.
sub resumes {
    my ($what) = @_;
    my $got;
    eval { $server->wait_until(sub { $got = put(); $got->code == 200 }) };
    is $got->code,   200, "$what: changes are served again";
    is get()->code,  200, "$what: so are reads";
    is $postgres->sql('site', 'SELECT count(*) + 1, count(DISTINCT sequence) '
            . "+ 1 FROM userprofile.event WHERE user_id = '$user'"),
        join('|', (sequence()) x 2),
        "$what: each step of the user's sequence has one event";
    unlike $server->log, qr/ASecretName|\Q$PASSWORD\E/,
        "$what: the log has no value and no password";
}
resumes('at first');

# What stands in the way of calls, with what takes it away, and what becomes of
# reads and changes meanwhile. What is for new connections only cuts the others.
my @cases = (
    ['a table that is gone', 'ALTER TABLE userprofile.profile RENAME TO gone',
        'ALTER TABLE userprofile.gone RENAME TO profile', 503, 503],
    ['events that are gone', 'ALTER TABLE userprofile.event RENAME TO gone',
        'ALTER TABLE userprofile.gone RENAME TO event', 200, 503],
    ['a schema that is gone', 'ALTER SCHEMA userprofile RENAME TO gone',
        'ALTER SCHEMA gone RENAME TO userprofile', 503, 503],
    ['rights that are revoked', 'REVOKE userprofile_server FROM web',
        'GRANT userprofile_server TO web', 503, 503],
    ['no right to write events',
        'REVOKE INSERT ON userprofile.event FROM userprofile_server',
        'GRANT INSERT ON userprofile.event TO userprofile_server', 200, 503],
    ['transactions that only read',
        'ALTER SYSTEM SET default_transaction_read_only = on',
        'ALTER SYSTEM RESET default_transaction_read_only', 200, 503],
    ['a role that may not log in', 'ALTER ROLE web NOLOGIN',
        'ALTER ROLE web LOGIN', 503, 503, 'cut'],
    ['another password', q(ALTER ROLE web PASSWORD 'another'),
        "ALTER ROLE web PASSWORD '$PASSWORD'", 503, 503, 'cut'],
    ['a role without connections', 'ALTER ROLE web CONNECTION LIMIT 0',
        'ALTER ROLE web CONNECTION LIMIT -1', 503, 503, 'cut'],
    ['a short time-out of the role', 'ALTER ROLE web SET statement_timeout = 1',
        'ALTER ROLE web RESET ALL', 200, 200, 'cut'],
    ['idle sessions that are ended',
        'ALTER ROLE web SET idle_session_timeout = 20',
        'ALTER ROLE web RESET ALL', 200, 200, 'cut'],
    ['another way to write values',
        q(ALTER ROLE web SET "DateStyle" = 'German'; )
            . q(ALTER ROLE web SET bytea_output = 'escape'; )
            . q(ALTER ROLE web SET "TimeZone" = 'Asia/Tokyo'),
        'ALTER ROLE web RESET ALL', 200, 200, 'cut'],
);
for my $case (@cases) {
    my ($what, $break, $mend, $reads, $changes, $cut) = @$case;
    my @always = ('SET default_transaction_read_only = off');
    $postgres->sql('site', $break, 'SELECT pg_reload_conf()');
    if ($what =~ /only read/) {
        $server->wait_until(
            sub { postgres('SHOW default_transaction_read_only') eq 'on' });
    }
    cut_all() if $cut;
    is get()->code, $reads, "$what: a read is $reads";
    my $got = put();
    is $got->code, $changes, "$what: a change is $changes";
    if ($changes == 503) {
        like $got->header('Retry-After') // '', qr/^[1-9]\d*$/,
            "$what: ... with Retry-After";
        like $got->content, qr/nothing was changed/,
            "$what: ... which says that nothing was changed";
    }
    $postgres->sql('site', @always, $mend, 'SELECT pg_reload_conf()');
    resumes($what);
}

# A server's process that stops in the middle of a change.
{
    open my $psql, '|-', 'psql', '-X', '-q', '-o', '/dev/null',
        $postgres->uri('site')
        or die "psql: $!";
    $psql->autoflush;
    print $psql
        "BEGIN; SELECT FROM userprofile.profile WHERE id = '$user' FOR UPDATE;\n";
    $server->wait_until(sub { postgres('SELECT count(*) FROM pg_stat_activity '
            . "WHERE state = 'idle in transaction'") > 0 });
    my $before = sequence();
    my $change = in_background(sub {
        my $got = put();
        return ($got->code, $got->content =~ /is unknown/ ? 'unknown' : 'known');
    });
    my $pid;
    $server->wait_until(sub {
        $pid = postgres("SELECT pid $SESSIONS AND wait_event_type = 'Lock'");
    });
    kill STOP => $pid;
    close $psql;
    is get()->code, 200, 'a process that is stopped: others are served';
    is_deeply [$change->()], [503, 'unknown'],
        'a process that is stopped: whether its change was made is unknown';
    kill CONT => $pid;
    $server->wait_until(sub { !postgres(
        "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") });
    cmp_ok sequence() - $before, '<=', 1,
        'a process that goes on: its change was made once, or not';
    resumes('a process that was stopped');
}

# Begin $writers that change the user until the file "stop" is there. Returns a
# function that stops them, and returns how often an answer was which; '' is none.
sub load {
    my ($writers) = @_;
    my $stop = $server->file('stop');
    my @running = map {
        in_background(sub {
            my %codes;
            my $connection = KeptConnection->new($server->{port}, bearer($site));
            until (-e $stop) {
                my $got =
                    eval { $connection->ask(PUT => $path, profile()) };
                delete $connection->{socket} if !$got;
                $codes{ $got ? $got->{status} : 'none' }++;
            }
            return %codes;
        })
    } 1 .. $writers;
    return sub {
        write_file($stop, '');
        my %sum;
        for my $running (@running) {
            my %codes = $running->();
            $sum{$_} += $codes{$_} for keys %codes;
        }
        unlink $stop;
        return %sum;
    };
}

# Do &$disturb while some change the user: what was acknowledged was made.
sub disturb {
    my ($what, $disturb) = @_;
    my $before = sequence();
    my $stop   = load(6);
    $disturb->();
    my %codes = $stop->();
    my $made  = sequence() - $before;
    my $known = delete $codes{200} // 0;
    my $perhaps = 0;
    $perhaps += $_ for values %codes;
    cmp_ok $known, '>', 0, "$what: changes are served";
    ok $made >= $known && $made <= $known + $perhaps,
        "$what: what was acknowledged was made once"
        or diag "$made made, $known acknowledged, $perhaps others";
    is join(' ', grep { !/^(?:none|503)$/ } keys %codes), '',
        "$what: other answers are 503, or cut off";
    resumes($what);
}

sub wait_for_changes {
    my $aim = sequence() + 20;
    $server->wait_until(sub { sequence() >= $aim });
}

disturb('connections that are cut again and again', sub {
    for (1 .. 20) {
        cut_all();
        wait_for_changes();
    }
});
disturb('a child that is killed', sub {
    wait_for_changes();
    kill KILL => $server->children;
    wait_for_changes();
});
disturb('graceful restarts', sub {
    for (1 .. 3) {
        wait_for_changes();
        $server->reload;
    }
});
$server->wait_until(
    sub { postgres("SELECT count(*) $SESSIONS") <= $CONNECTIONS });
pass 'children that are gone leave no connection';
$server->stop;
$server->wait_until(sub { !postgres("SELECT count(*) $SESSIONS") });
pass 'a server that is stopped leaves none';

# Many threads, one connection.
$server = start(1, <<'END');
ServerLimit 1
<IfModule !mpm_prefork_module>
    ThreadLimit 100
    ThreadsPerChild 100
    MaxRequestWorkers 100
</IfModule>
END
my $before = sequence();
my $stop   = load(100);
wait_for_changes() for 1 .. 10;
my %codes = $stop->();
# A kept connection may end with httpd's patience.
my $none = delete $codes{none} // 0;
is join(' ', keys %codes), 200, 'a hundred callers share one connection';
my $more = sequence() - $before - $codes{200};
ok $more >= 0 && $more <= $none, '... and each change is made once';
is postgres("SELECT count(*) $SESSIONS"), 1, '... which is one';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
