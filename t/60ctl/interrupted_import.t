# interrupted_import.t -- an import that is killed, at random moments: the store
# is whole each time, and has the lines up to the end of a batch.
use strict;
use warnings;

use Ctl;
use Test::More;

my $LINES = 20_000;
my $BATCH = 1000;

my $file = spew(folder() . '/lines', join '', qq({"org":{"id":"O1"}}\n),
    map { qq({"user":{"id":"U$_","orgId":"O1","type":"machine"}}\n) } 2 .. $LINES);

# How long an import takes here.
my $alone = store();
my $whole = seconds_of('-s', $alone, 'import', $file);
is(scalar lines_of($alone), $LINES, 'the import succeeds when it is left alone');

# One that has ended before its moment came does not count.
my $kills = 0;
for (my $i = 1; $i <= 200 && $kills < 10; $i++) {
    my $store = store();
    $kills++ if killed(rand $whole, '-s', $store, 'import', $file);

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
is($kills, 10, 'ten imports were killed');

done_testing;
