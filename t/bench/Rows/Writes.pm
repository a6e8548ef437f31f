# Writes.pm -- rows of PUT, and of what its parts cost.
package Rows::Writes;

use strict;
use warnings;

use Exporter qw(import);

use BenchCalls;
use Figures;
use Load;
use Stage;

our @EXPORT = qw(puts_of_the_same puts many_puts);

# httpd closes an HTTP/1.1 connection after a 400, the no-op's as ours; over
# HTTP/2 it stays.
sub puts_of_the_same {
    my ($server) = @_;
    my %same = (call => 'same', connections => 32);
    my $result = alternate(
        $ROUNDS,
        ours  => load($server, %same),
        token => behind_token($server, %same)
    );
    note_rows(
        $result, "1x$THREADS",
        ours  => 'PUT unchanged (400, closes), 32 connections',
        token => '  no-op that reads it, 400 too, same AuthType'
    );
    mark('PUT unchanged : no-op, both 400 and closing',
        ratio($result, 'ours', 'token'), 'at least', 0.70);

    my %h2 = (
        connections => 32,
        streams     => 1,
        method      => 'PUT',
        type        => $JSON,
        body        => "$SCRATCH/same.json",
        seconds     => $SECONDS->{get},
        token       => 1,
        status      => 400
    );
    $result = alternate(
        $ROUNDS,
        ours => sub {
            h2load($server, %h2, path => "$API/users/$USER/profile");
        },
        token => sub { h2load($server, %h2, path => '/token/same/1') }
    );
    note_rows(
        $result, "1x$THREADS",
        ours  => 'PUT unchanged over h2c (400, stays), 32 connections',
        token => '  no-op that reads it, 400 too, same AuthType'
    );
    mark('PUT unchanged over h2c : no-op, both 400',
        ratio($result, 'ours', 'token'), 'at least', 0.70);
}

sub puts {
    my ($server) = @_;
    my $queueless = server('queueless',
        module => "$SCRATCH/mod_userprofile_without_queue.so");
    my $storeless = server('storeless',
        module => "$SCRATCH/mod_userprofile_without_store.so");
    lone_puts($server, $storeless);
    batched_puts($server, $queueless, $storeless, $_) for 32, 128;
    $_->stop for $queueless, $storeless;
}

sub lone_puts {
    my ($server, $storeless) = @_;
    my $result = alternate(
        $ROUNDS,
        ours      => change($server,    1),
        storeless => change($storeless, 1),
        idle      => idle($server, call => 'change', connections => 1),
        bare      => bare_changes(1),
        disk      => bare('flush', $SCRATCH, 1)
    );
    note_rows(
        $result, "1x$THREADS",
        ours      => 'PUT changed, flushed, 1 connection',
        storeless => '  the same without the final store step',
        idle      => '  no-op that reads it, no authentication',
        bare      => '  bare LMDB, 1 change a transaction',
        disk      => '  the disk: write of 4 KiB and fdatasync'
    );
    bars(changes => 1, ours => figure($result, 'ours'));
    my ($ours, $bare, $idle) =
        map { figure($result, $_, 'p50') } qw(ours bare idle);
    mark('PUT changed, 1 connection, p50 : bare LMDB + no-op',
        $ours / ($bare + $idle), 'at most', 1.3);
}

sub batched_puts {
    my ($server, $queueless, $storeless, $connections) = @_;
    my %bound  = (32 => 4, 128 => 5);
    my $batch  = change($server, $connections)->()->{batch};
    my $result = alternate(
        $ROUNDS,
        ours      => change($server,    $connections),
        queueless => change($queueless, $connections),
        storeless => change($storeless, $connections),
        bare      => bare_changes($batch)
    );
    note_rows(
        $result, "1x$THREADS",
        ours => "PUT changed, flushed, $connections connections, "
            . sprintf('%.1f a batch', figure($result, 'ours', 'batch')),
        queueless => '  the same, queue off',
        storeless => '  the same without the final store step',
        bare      => '  bare LMDB in such batches'
    );
    bars(
        changes => $connections,
        ours    => figure($result, 'ours'),
        'a flush for each' => figure($result, 'queueless'),
        'bare LMDB'        => figure($result, 'bare')
    );
    mark("PUT changed, $connections connections : queue off",
        ratio($result, 'ours', 'queueless'), 'at least', $bound{$connections});
    return if $connections != 128;
    mark('PUT changed, 128 connections : without the final store step',
        ratio($result, 'ours', 'storeless'), 'at least', 0.5);
    mark('PUT changed, 128 connections : bare LMDB in such batches',
        ratio($result, 'ours', 'bare'), 'at least', 0.6);
}

sub many_puts {
    my $server    = server('wide', threads => $WIDE_THREADS);
    my $storeless = server('wide-storeless',
        threads => $WIDE_THREADS,
        module  => "$SCRATCH/mod_userprofile_without_store.so");
    my $batch  = change($server, 600)->()->{batch};
    my $result = alternate(
        $ROUNDS,
        ours      => change($server,    600),
        storeless => change($storeless, 600),
        bare      => bare_changes($batch)
    );
    $_->stop for $server, $storeless;
    note_rows(
        $result, "1x$WIDE_THREADS",
        ours => 'PUT changed, flushed, 600 connections, '
            . sprintf('%.1f a batch', figure($result, 'ours', 'batch')),
        storeless => '  the same without the final store step',
        bare      => '  bare LMDB in such batches'
    );
    mark('PUT changed, 600 connections, p95',
        figure($result, 'ours', 'p95') / 1000, 'at most', 150, ' ms');
}

1;
