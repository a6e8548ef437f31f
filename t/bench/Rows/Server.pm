# Server.pm -- rows of servers of other shapes: more users, more children, more
# requests behind them.
package Rows::Server;

use strict;
use warnings;

use Exporter qw(import);

use Figures;
use Stage;
use Users;

our @EXPORT = qw(growth children memory);

sub growth {
    my ($server) = @_;
    my @sizes = (1_000, 100_000, $FULL ? 10_000_000 : ());
    my %server = ($USERS => $server);
    for my $size (grep { $_ != $USERS } @sizes) {
        make_store("$SCRATCH/$size", $size);
        $server{$size} =
            server("server-$size", store => "$SCRATCH/$size");
    }
    @sizes = sort { $a <=> $b } keys %server;
    for my $call ('get', 'change') {
        my $result = alternate(
            $ROUNDS,
            map {
                my %load = (users => $_, call => $call, connections => 32);
                ($_ => load($server{$_}, %load))
            } @sizes
        );
        note_rows($result, "1x$THREADS",
            map { $_ => uc($call) . ", 32 connections, $_ users" } @sizes);
        next if $call ne 'get';
        mark("GET at $sizes[-1] users : at $sizes[0]",
            ratio($result, $sizes[-1], $sizes[0]), 'at least', 0.85);
    }
    for my $size (grep { $_ != $USERS } @sizes) {
        $server{$size}->stop;
        run('rm', '-rf', "$SCRATCH/$size");
    }
}

sub children {
    my @counts = (1, 2, 8);
    my %server = map {
        $_ => server("children-$_", children => $_,
            threads => int($THREADS / $_) + 64)
    } @counts;
    my $result =
        alternate($ROUNDS, map { $_ => change($server{$_}, 128) } @counts);
    for my $count (@counts) {
        note_row("PUT changed, flushed, 128 connections, $count children",
            "${count}x" . $server{$count}{threads},
            $result->{$count});
    }
    $_->stop for values %server;
}

# Of every ten requests: six reads, two changes, one PUT that changes nothing
# or puts back what was, and one read of a user that does not exist.
my @MIXED = (('get') x 6, ('change') x 2, 'same', 'missing');

# A child's own memory, after few and after many requests: with few threads, so
# that all of them have been at work by then.
sub memory {
    my $server = server('memory', threads => $FEW_THREADS);
    my $done = 0;
    my %kib;
    for my $requests (100_000, 1_000_000, 2_000_000) {
        while ($done < $requests) {
            my $round = load(
                $server,
                call        => \@MIXED,
                connections => 32,
                seconds     => $done ? 5 : 2
            )->();
            $done += $round->{count};
        }
        my ($child) = $server->children;
        $kib{$requests} = Users::own_memory($child);
        note("RssAnon of a child after $done mixed requests: "
                . "$kib{$requests} KiB", "1x$FEW_THREADS");
    }
    $server->stop;
    mark('RssAnon of a child, 2,000,000 mixed requests : 100,000',
        $kib{2_000_000} / $kib{100_000}, 'at most', 1.02);
}

1;
