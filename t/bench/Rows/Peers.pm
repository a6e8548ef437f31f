# Peers.pm -- rows of other servers that keep profiles, beside ours; and of
# PostgreSQL as the store of ours.
package Rows::Peers;

use strict;
use warnings;

use Exporter qw(import);

use BenchCalls;
use Cpu;
use Figures;
use OpenLDAP;
use Postgres;
use Stage;
use Users ();

our @EXPORT = qw(postgres pgstore openldap);

# Measure %ours, rounds of ours by their names, beside "peer", $load, whose
# connections are new: it works for as long as $WARM_UP before it counts, and has
# its rounds measured by $measure, as Pgbench->round says.
sub beside {
    my ($ours, $load, $seconds, $measure) = @_;
    $load->warm_up($WARM_UP);
    my $result = alternate($ROUNDS, %$ours,
        peer => sub { $load->round($seconds, $measure) });
    $load->end;
    return $result;
}

sub postgres {
    my ($server) = @_;
    my $postgres = Postgres->start("$SCRATCH/postgres");
    my %bound    = (32 => 0.7, 128 => 1);
    my %what     = (
        transaction => 'pgbench: UPDATE, INSERT in a transaction',
        statement   => 'pgbench: both in one statement'
    );
    $postgres->fill($USERS);
    for my $clients (1, 32, 128) {
        change($server, $clients, seconds => $WARM_UP)->();
        for my $script (qw(transaction statement)) {
            my $result = beside(
                { ours => change($server, $clients) },
                $postgres->load($script, $clients),
                $SECONDS->{put}
            );
            note_rows(
                $result, "1x$THREADS",
                ours => "PUT changed, flushed, $clients connections, again",
                peer => "  $what{$script}"
            );
            next if $script ne 'transaction';
            bars(
                changes    => $clients,
                ours       => figure($result, 'ours'),
                PostgreSQL => figure($result, 'peer')
            );
            next if !$bound{$clients};
            mark("PUT changed, $clients clients : pgbench, one transaction",
                ratio($result, 'ours', 'peer'),
                'at least', $bound{$clients});
        }
    }
    $postgres->stop;
    run('rm', '-rf', "$SCRATCH/postgres");
}

# How each call of ours on PostgreSQL is measured: the caller is named by httpd,
# and names the organisation, so that it takes the statements that pgbench
# executes; by a token of ours it takes one more.
my %CALL_ON_STORE = (get => 'GET', change => 'PUT changed, flushed');

sub on_store {
    my ($server, $call, $clients, %load) = @_;
    return load(
        $server,
        call        => $call,
        connections => $clients,
        headers     => ["X-Zitadel-Orgid: $Users::ORG"],
        place       => '/caller',
        token       => 0,
        %load
    );
}

# The figures of $name in words: what an operation costs.
sub cost {
    my ($result, $name) = @_;
    my ($database, $httpd) = map { figure($result, $name, $_) }
        qw(database httpd);
    return 'no figure' unless $database;
    return sprintf('%.0f', $database) . ' us of PostgreSQL'
        . ($httpd ? sprintf(', %.0f us of httpd', $httpd) : '');
}

# As many connections to the database as there are clients, for both; beside
# that the pool that is the default.
sub pgstore {
    my $texts = "$SCRATCH/pg_statements";
    if (!-e $texts) {
        note('store in PostgreSQL: not measured, this build has no libpq', '');
        return;
    }
    my $postgres = Postgres->start("$SCRATCH/postgres");
    my $uri = $postgres->make_store($USERS, "$SCRATCH/userprofilectl", $texts);
    my $default = server('pool-default', store => $uri);
    for my $clients (1, 32, 128) {
        my $server = server("pool-$clients", store => $uri, pool => $clients);
        on_postgres($postgres, $server, $default, $_, $clients)
            for qw(get change);
        $server->stop;
    }
    $default->stop;
    $postgres->stop;
    run('rm', '-rf', "$SCRATCH/postgres");
}

sub on_postgres {
    my ($postgres, $server, $default, $call, $clients) = @_;
    my @database = (database => sub { $postgres->processes });
    my $ours = sub {
        my ($httpd, @how) = @_;
        my $round = on_store($httpd, $call, $clients, @how);
        my @httpd = (httpd => sub { with_children($httpd->{pid}) });
        return sub { cpu_used($round, @database, @httpd) };
    };
    my %by_token = (token => 1, place => $API);
    my %ours = (
        ours  => $ours->($server),
        token => $ours->($server, %by_token),
        $clients > 8 ? (default => $ours->($default)) : ()
    );
    on_store($_, $call, $clients, seconds => $WARM_UP, %by_token)->()
        for $server, $clients > 8 ? $default : ();
    my $result = beside(
        \%ours,
        $postgres->store_load($call, $clients),
        $SECONDS->{put},
        sub { cpu_used($_[0], @database) }
    );
    my $what = "$CALL_ON_STORE{$call} on PostgreSQL, $clients connections";
    note_rows(
        $result, "1x$THREADS",
        ours  => $what,
        token => '  the same by a token of ours',
        $ours{default} ? (default => '  the same, a pool of 8') : (),
        peer => '  pgbench: the same statements'
    );
    note("  $_->[1]: " . cost($result, $_->[0]), '')
        for [ours => 'ours'], [token => 'by a token'], [peer => 'pgbench'];
    return if $clients != 32;
    mark("$what : pgbench", ratio($result, 'ours', 'peer'), 'at least', 0.8);
    mark("$what : pgbench, CPU of PostgreSQL",
        ratio($result, 'ours', 'peer', 'database'), 'at most', 1.25);
}

sub openldap {
    my ($server) = @_;
    my $openldap = OpenLDAP->start("$SCRATCH/openldap", $USERS);
    my %row = (
        read => {
            what    => 'GET',
            peer    => 'search of one entry',
            seconds => $SECONDS->{get},
            ours    => sub {
                my ($clients, %how) = @_;
                return load($server, call => 'get', connections => $clients,
                    %how);
            }
        },
        change => {
            what    => 'PUT changed, flushed',
            peer    => 'modify of one entry',
            seconds => $SECONDS->{put},
            ours    => sub { change($server, @_) }
        }
    );
    for my $kind (qw(read change)) {
        my $row = $row{$kind};
        for my $clients (1, 32, 128) {
            $row->{ours}->($clients, seconds => $WARM_UP)->();
            my $result = beside(
                { ours => $row->{ours}->($clients) },
                $openldap->load($kind, $clients),
                $row->{seconds}
            );
            note_rows(
                $result, "1x$THREADS",
                ours => "$row->{what}, $clients connections, again",
                peer => "  OpenLDAP: $row->{peer}"
            );
        }
    }
    $openldap->stop;
    run('rm', '-rf', "$SCRATCH/openldap");
}

1;
