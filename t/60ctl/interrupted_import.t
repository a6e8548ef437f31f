# interrupted_import.t -- an import that is killed, at random moments: the store
# is whole each time, and has the lines up to the end of a batch.
use strict;
use warnings;

use Ctl;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $LINES = 20_000;
my $BATCH = 1000;

my $file = spew(folder() . '/lines', join '', qq({"org":{"id":"O1"}}\n),
    map { qq({"user":{"id":"U$_","orgId":"O1","type":"machine"}}\n) } 2 .. $LINES);

sub started {
    my ($store) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null' or POSIX::_exit(126);
        { no warnings 'exec'; exec tool(), '-s', $store, 'import', $file; }
        POSIX::_exit(127);
    }
    return $pid;
}

# How long an import takes here.
my $begun = time;
my $pid = started(store());
waitpid $pid, 0;
is($?, 0, 'the import succeeds when it is left alone');
my $whole = time - $begun;

for my $i (1 .. 10) {
    my $store = store();
    my $pid   = started($store);
    sleep rand $whole;
    kill KILL => $pid;
    waitpid $pid, 0;

    my @lines = lines_of($store);
    my $count = @lines;
    ok($count == $LINES || $count % $BATCH == 0, "killed, $i: all lines of some batches are kept")
        or diag("$count lines");
    my %ids = map { /"id":"U(\d+)"/ ? ($1 => 1) : () } @lines;
    is_deeply([sort { $a <=> $b } keys %ids], [2 .. $count], "killed, $i: these are the first lines");
    my ($code, $out, $err) = ctl($store, 'import', $file);
    is($code, 0, "killed, $i: the import can be repeated") or diag($err);
    is(scalar lines_of($store), $LINES, "killed, $i: then all lines are stored");
    my @events = split /\n/, (ctl($store, 'events', '--json'))[1];
    like($events[-1], qr/"type":"store\.imported"/, "killed, $i: the import that was repeated is an event");
}

done_testing;
