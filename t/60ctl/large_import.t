# large_import.t -- a long import: bounded memory, and progress on a terminal.
use strict;
use warnings;

use Ctl;
use POSIX ();
use Test::More;

my $LINES = 100_000;

sub user_line {
    my ($i) = @_;
    return qq({"user":{"id":"U$i","orgId":"O1","type":"human","profile":)
        . qq({"firstName":"First$i","lastName":"Last$i"}}}\n);
}

# The kibibytes of memory that are the process's own; LMDB's map is not.
sub own_memory {
    my ($pid) = @_;
    my ($kib) = slurp("/proc/$pid/status") =~ /^RssAnon:\s+(\d+) kB/m;
    return $kib;
}

# Freed memory goes back at once where a sanitizer would keep it.
$ENV{ASAN_OPTIONS} = join ':', 'quarantine_size_mb=1', $ENV{ASAN_OPTIONS} || ();

my $store = store('{"org":{"id":"O1"}}');
my $pid = open(my $in, '|-', tool(), '-s', $store, 'import', '-')
    // die "cannot start the tool: $!\n";
my @peak = (0, 0);
for my $i (1 .. $LINES) {
    print $in user_line($i);
    next if $i % 500;
    my $half = $i > $LINES / 5 ? 1 : 0;
    my $now  = own_memory($pid);
    $peak[$half] = $now if $peak[$half] < $now;
}
close $in;
is($?, 0, "$LINES users are imported from a pipe");
cmp_ok($peak[0], '>', 0, 'its memory was measured');
cmp_ok($peak[1], '<', 1.25 * $peak[0] + 2048,
    'import needs no more memory for the last lines than for the first fifth');
like((ctl($store, 'stat'))[1], qr/^users +$LINES$/m, 'all imported users are in the store');

# Progress, on a terminal of its own. It is shown once in a fifth of a second at
# most, so there is a pause that is longer.
my $folder = folder();
my $file = spew("$folder/users", join '', map { user_line($_) } 1 .. $LINES);
my ($code, $shown) = run('', 'script', '-qec',
    "(cat $file; sleep 0.3; cat $file) | " . tool() . " -s $store import -", '/dev/null');
is($code, 0, 'import succeeds on a terminal');
my @progress =
    $shown =~ /\r\e\[K(\d+ lines, \d+ lines a second)(?=\r\e\[K)/g;
cmp_ok(scalar @progress, '>', 0, 'import shows its progress on a terminal');
my ($last, $seconds) = $shown =~ /\r\e\[Kimported (\d+) lines in ([\d.]+) s/;
is($last, 2 * $LINES, 'import shows the sum in place of its progress in the end');
cmp_ok(scalar @progress, '<=', 5 * $seconds + 1, 'import shows its progress at most 5 times a second');

done_testing;
