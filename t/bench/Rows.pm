# Rows.pm -- what the benchmark measures, row by row.
package Rows;

use strict;
use warnings;

use Exporter qw(import);

use Figures;
use Load;
use Postgres;
use Stage;
use Users;

our @EXPORT = qw(measure_rows);

sub median { return $_[0]{ $_[1] }{median} }

sub ratio {
    my ($result, $above, $below, $figure) = @_;
    $figure ||= 'rate';
    return median($result->{$above}, $figure)
        / median($result->{$below}, $figure);
}

# Rows for @contestants, pairs of a name in $result and what it is called.
sub note_rows {
    my ($result, $setup, @contestants) = @_;
    while (my ($name, $what) = splice @contestants, 0, 2) {
        note_row($what, $setup, $result->{$name});
    }
}

sub one {
    my ($value) = @_;
    return { median => $value, low => $value, high => $value, rounds => 1 };
}

# Rows.

# Import $file into a new store, and note how it went.
sub import_row {
    my ($what, $store, $file, $count) = @_;
    run(ctl($store), 'init');
    my $took = Users::timed('/dev/null', ctl($store), 'import', $file);
    my $rate = $count / $took->{seconds};
    note_row("$what; RssAnon $took->{kib} KiB", 'ctl', { rate => one($rate) });
    return { %$took, rate => $rate };
}

sub imports {
    my $file = "$SCRATCH/users";

    write_users($file, $USERS / 10);
    my $few = import_row('import, ' . $USERS / 10 . ' users',
        "$SCRATCH/few", $file, $USERS / 10);
    write_users($file, $USERS);
    my $many = import_row("import, $USERS users in export's order",
        "$SCRATCH/store", $file, $USERS);
    mark("import in export's order, users a second",
        $many->{rate}, 'at least', 60_000);
    mark("importer's RssAnon, $USERS users : a tenth of them",
        $many->{kib} / $few->{kib}, 'at most', 1.1);

    my $export = Users::timed('/dev/null', ctl("$SCRATCH/store"), 'export');
    note_row("export; RssAnon $export->{kib} KiB",
        'ctl', { rate => one($USERS / $export->{seconds}) });

    write_users($file, $USERS, 1);
    my $random = import_row("import, $USERS users in random order",
        "$SCRATCH/random", $file, $USERS);
    mark('import in random order, users a second',
        $random->{rate}, 'at least', 25_000);
    run('rm', '-rf', $file, "$SCRATCH/few", "$SCRATCH/random");
}

sub gets {
    my ($server) = @_;
    for my $connections ($QUICK ? 32 : (1, 32, 128)) {
        my %get = (kind => 'get', connections => $connections);
        my $result = alternate(
            $ROUNDS,
            ours  => load($server, %get, path => $API),
            idle  => load($server, %get, path => '/idle/get', token => 0),
            token => load($server, %get, path => '/token/get')
        );
        note_rows(
            $result, "1x$THREADS",
            ours  => "GET, $connections connections",
            idle  => "  no-op, no authentication",
            token => "  no-op behind the same AuthType"
        );
        my @mark = $connections == 32 ? (0.80, 0.90) : next;
        mark("GET, $connections connections : no-op without authentication",
            ratio($result, 'ours', 'idle'), 'at least', $mark[0]);
        mark("GET, $connections connections : no-op behind the same AuthType",
            ratio($result, 'ours', 'token'), 'at least', $mark[1]);
    }
}

# What the token costs, and what the caller's rights do.
sub checks {
    my ($server) = @_;
    my $accessless = server('accessless',
        module => "$SCRATCH/mod_userprofile_without_access.so");
    my %get = (
        kind        => 'get',
        connections => 32,
        headers     => ["X-Zitadel-Orgid: $Users::ORG"]
    );
    my %free = (%get, path => '/caller', token => 0);
    my $result = alternate(
        $ROUNDS,
        ours    => load($server, %get, path => $API),
        caller  => load($server,     %free),
        neither => load($accessless, %free)
    );
    $accessless->stop;
    note_rows(
        $result, "1x$THREADS",
        ours    => 'GET, 32 connections, organisation named',
        caller  => '  the same without the token',
        neither => '  the same without token and membership'
    );
}

# httpd closes an HTTP/1.1 connection after a 400, the no-op's as ours; over
# HTTP/2 it stays.
sub puts_of_the_same {
    my ($server) = @_;
    my %same = (kind => 'same', connections => 32, refused => 'all');
    my $result = alternate(
        $ROUNDS,
        ours  => load($server, %same, path => $API),
        token => load($server, %same, path => '/token/same')
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

sub lone_puts {
    my ($server, $storeless) = @_;
    my %idle = (kind => 'change', connections => 1);
    my $result = alternate(
        $ROUNDS,
        ours      => change($server,    1),
        storeless => change($storeless, 1),
        idle => load($server, %idle, path => '/idle/put', token => 0),
        bare => bare_changes(1),
        disk => bare('flush', $SCRATCH, 1)
    );
    note_rows(
        $result, "1x$THREADS",
        ours      => 'PUT changed, flushed, 1 connection',
        storeless => '  the same without the final store step',
        idle => '  no-op that reads it, no authentication',
        bare => '  bare LMDB, 1 change a transaction',
        disk => '  the disk: write of 4 KiB and fdatasync'
    );
    mark(
        'PUT changed, 1 connection, p50 : bare LMDB + no-op',
        median($result->{ours}, 'p50')
            / (median($result->{bare}, 'p50') + median($result->{idle}, 'p50')),
        'at most', 1.3
    );
}

sub puts {
    my ($server, $queueless, $storeless) = @_;
    my %bound = (32 => 4, 128 => 5);
    for my $connections (32, 128) {
        my $batch  = change($server, $connections)->()->{batch};
        my $result = alternate(
            $ROUNDS,
            ours      => change($server,    $connections),
            queueless => change($queueless, $connections),
            storeless => change($storeless, $connections),
            bare      => bare_changes($batch)
        );
        $batch = median($result->{ours}, 'batch');
        note_rows(
            $result, "1x$THREADS",
            ours => "PUT changed, flushed, $connections connections, "
                . sprintf('%.1f a batch', $batch),
            queueless => '  the same, queue off',
            storeless => '  the same without the final store step',
            bare      => '  bare LMDB in such batches'
        );
        mark("PUT changed, $connections connections : queue off",
            ratio($result, 'ours', 'queueless'),
            'at least', $bound{$connections});
        next if $connections != 128;
        mark('PUT changed, 128 connections : without the final store step',
            ratio($result, 'ours', 'storeless'), 'at least', 0.5);
        mark('PUT changed, 128 connections : bare LMDB in such batches',
            ratio($result, 'ours', 'bare'), 'at least', 0.6);
    }
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
            . sprintf('%.1f a batch', median($result->{ours}, 'batch')),
        storeless => '  the same without the final store step',
        bare      => '  bare LMDB in such batches'
    );
    mark('PUT changed, 600 connections, p95',
        median($result->{ours}, 'p95') / 1000, 'at most', 150, ' ms');
}

sub peers {
    my ($server) = @_;
    my $postgres = Postgres->start("$SCRATCH/postgres", $USERS);
    my %bound = (32 => 0.7, 128 => 1);
    for my $clients (32, 128) {
        my $round = sub {
            my ($script) = @_;
            return sub {
                $postgres->changes($script, $clients, $SECONDS->{put});
            };
        };
        my $result = alternate(
            $ROUNDS,
            ours        => change($server, $clients),
            transaction => $round->('transaction'),
            statement   => $round->('statement')
        );
        note_rows(
            $result, "1x$THREADS",
            ours        => "PUT changed, flushed, $clients connections, again",
            transaction => "  pgbench: UPDATE, INSERT in a transaction",
            statement   => '  pgbench: both in one statement'
        );
        mark("PUT changed, $clients clients : pgbench, one transaction",
            ratio($result, 'ours', 'transaction'),
            'at least', $bound{$clients});
    }
    $postgres->stop;
    run('rm', '-rf', "$SCRATCH/postgres");
}

sub growth {
    my ($server) = @_;
    my @sizes = (1_000, 100_000, $FULL ? 10_000_000 : ());
    my %server = ($USERS => $server);
    for my $size (@sizes) {
        make_store("$SCRATCH/$size", $size);
        $server{$size} =
            server("server-$size", store => "$SCRATCH/$size");
    }
    @sizes = sort { $a <=> $b } keys %server;
    for my $kind ('get', 'change') {
        my $result = alternate(
            $ROUNDS,
            map {
                my %load = (users => $_, kind => $kind, connections => 32);
                ($_ => load($server{$_}, %load, path => $API))
            } @sizes
        );
        note_rows($result, "1x$THREADS",
            map { $_ => uc($kind) . ", 32 connections, $_ users" } @sizes);
        next if $kind ne 'get';
        mark("GET at $sizes[-1] users : at $sizes[0]",
            ratio($result, $sizes[-1], $sizes[0]), 'at least', 0.85);
    }
    for my $size (grep { $_ != $USERS } @sizes) {
        $server{$size}->stop;
        run('rm', '-rf', "$SCRATCH/$size");
    }
}

sub grpc {
    my ($server) = @_;
    my %call = (
        connections => 32,
        streams     => 1,
        method      => 'POST',
        type        => $GRPC,
        body        => "$SCRATCH/get.grpc",
        seconds     => $SECONDS->{get},
        status      => 200
    );
    my $result = alternate(
        $ROUNDS,
        ours => sub {
            h2load($server, %call, token => 1, path => "$RPC/GetHumanProfile");
        },
        idle  => sub { h2load($server, %call, path => '/idle/grpc/1') },
        token => sub {
            h2load($server, %call, token => 1, path => '/token/grpc/1');
        }
    );
    note_rows(
        $result, "1x$THREADS",
        ours  => 'gRPC GetHumanProfile over h2c, 32 connections',
        idle  => '  no-op, same bytes and trailers, no authentication',
        token => '  no-op behind the same AuthType'
    );
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

# PUTs go on beside an import.
sub import_beside {
    my ($server) = @_;
    write_users("$SCRATCH/users", $USERS / 4);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec ctl("$SCRATCH/store"), 'import', "$SCRATCH/users";
    }
    my $figures = change($server, 32, seconds => 3)->();
    my $still = waitpid($pid, 1) == 0;
    waitpid $pid, 0 if $still;
    $_ = one($_) for values %$figures;
    note_row('PUT changed, 32 connections, beside an import'
            . ($still ? '' : ' that was over first'),
        "1x$THREADS", $figures);
    unlink "$SCRATCH/users";
}

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
                kind        => 'mixed',
                path        => $API,
                connections => 32,
                refused     => 'some',
                seconds     => $done ? 5 : 2
            )->();
            $done += $round->{count};
        }
        my ($child) = $server->children;
        $kib{$requests} = Users::own_memory($child);
        note_row("RssAnon of a child after $done mixed requests: "
                . "$kib{$requests} KiB", "1x$FEW_THREADS", {});
    }
    $server->stop;
    mark('RssAnon of a child, 2,000,000 mixed requests : 100,000',
        $kib{2_000_000} / $kib{100_000}, 'at most', 1.02);
}

sub measure_rows {
    ($SCRATCH) = @_;
    imports();
    settle("$SCRATCH/store");
    learn_answers();

    my $server    = server('queue');
    my $queueless = server('queueless',
        module => "$SCRATCH/mod_userprofile_without_queue.so");
    my $storeless = server('storeless',
        module => "$SCRATCH/mod_userprofile_without_store.so");
    gets($server);
    checks($server) unless $QUICK;
    puts_of_the_same($server);
    grpc($server);
    lone_puts($server, $storeless);
    puts($server, $queueless, $storeless);
    $_->stop for $queueless, $storeless;
    many_puts();
    if (!$QUICK) {
        import_beside($server);
        growth($server);
        peers($server);
    }
    $server->stop;
    children() unless $QUICK;
    memory() if $FULL;
}

1;
