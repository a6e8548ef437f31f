# Peers.pm -- rows of other servers that keep profiles, beside ours.
package Rows::Peers;

use strict;
use warnings;

use Exporter qw(import);

use Figures;
use OpenLDAP;
use Postgres;
use Stage;

our @EXPORT = qw(postgres openldap);

# Measure $ours, which is a round of ours, beside $load, one of a peer's whose
# connections are new: it works for as long as $WARM_UP before it counts.
sub beside {
    my ($ours, $load, $seconds) = @_;
    $load->warm_up($WARM_UP);
    my $result = alternate(
        $ROUNDS,
        ours => $ours,
        peer => sub { $load->round($seconds) }
    );
    $load->end;
    return $result;
}

sub postgres {
    my ($server) = @_;
    my $postgres = Postgres->start("$SCRATCH/postgres", $USERS);
    my %bound    = (32 => 0.7, 128 => 1);
    my %what     = (
        transaction => 'pgbench: UPDATE, INSERT in a transaction',
        statement   => 'pgbench: both in one statement'
    );
    for my $clients (1, 32, 128) {
        change($server, $clients, seconds => $WARM_UP)->();
        for my $script (qw(transaction statement)) {
            my $result = beside(
                change($server, $clients),
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
                $row->{ours}->($clients),
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
