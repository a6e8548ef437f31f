# check.t -- the tool's check: a line for each fault, exit code 1, and nothing
# changed; damage that would end LMDB ends in a sentence.
use strict;
use warnings;

use Ctl;
use Test::More;

my $USERS = 500;

# A signal that ends the tool's child is to be the tool's to tell of; and
# LeakSanitizer cannot run in a process that is traced.
$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS},
    qw(handle_segv=0 handle_sigbus=0 handle_abort=0 detect_leaks=0);

sub path_of {
    my ($store) = @_;
    return $store =~ s/^lmdb://r;
}

my $store = store('{"org":{"id":"O1"}}',
    map { qq({"user":{"id":"U$_","orgId":"O1","type":"human","profile":{"firstName":"First$_","lastName":"Last$_"}}}) } 1 .. $USERS);
is((ctl($store, qw(user set O1 U1 --nick-name N)))[0], 0, 'a user is changed');
my $data  = path_of($store) . '/data.mdb';
my $whole = slurp($data);

my ($code, $out, $err) = ctl($store, 'check');
is($code, 0, 'the check of a sound store succeeds');
is($err, '', 'the check of a sound store prints no error');
like($out, qr/\Afound no fault in [\d.]+ s; organisations: 1, users: $USERS, memberships: 0, tokens: 0, events: 2\n\z/,
    'the check of a sound store says what it looked at');
is(slurp($data), $whole, 'a check changes nothing');

# Progress is for a terminal.
my (undef, $shown) = run('', 'script', '-qec', tool() . " -s $store check", '/dev/null');
like($shown, qr/found no fault/, 'a check succeeds on a terminal');

# Faults.
my $folder = folder();

my $stores = 0;

# A store with $bytes as its data.
sub store_with {
    my ($bytes) = @_;
    my $path = "$folder/" . ++$stores;
    mkdir $path or die "mkdir: $!\n";
    spew("$path/data.mdb", $bytes);
    return "lmdb:$path";
}

my $bad = store_with($whole =~ s/First(7|77)\b(?=.{0,4}Last)/FIRST$1/gsr);
my $before = slurp(path_of($bad) . '/data.mdb');
($code, $out, $err) = ctl($bad, 'check');
is($code, 1, 'the check of a store with faults fails');
is($out, join('', map { "the LMDB store '" . path_of($bad) . "' is damaged: user '$_' of organisation 'O1' does not have its checksum\n" } qw(U7 U77)),
    'each fault is a line');
is($err, "userprofilectl: faults in the store: 2\n", 'the error says how many there are');
is(slurp(path_of($bad) . '/data.mdb'), $before, 'the check of a store with faults changes nothing');
($code, $out) = ctl($bad, qw(check --repair-plan));
is($code, 1, '--repair-plan: faults are an error too');
like($out, qr/\A(?:the LMDB store .*\n    to mend it: .*\n){2}\z/, '--repair-plan says after each fault what would mend it');
unlike($out, qr/FIRST|Last7/, 'no value of a profile is printed');

# What would mend it can be given to a shell, whatever the ids are.
my $quote = store(map { s/_/O'1; : x '/gr } '{"org":{"id":"_"}}', '{"user":{"id":"U_","orgId":"_","type":"machine","state":"removed"}}');
($code, undef, $err) = run(q({"member":{"orgId":"_","userId":"U_","roles":["R"]}}) =~ s/_/O'1; : x '/gr, tool(), '-s', $quote, qw(import --force -));
is($code, 0, 'a removed user is given a membership by force') or diag($err);
($code, $out) = ctl($quote, qw(check --repair-plan));
my ($remedy) = $out =~ /^    to mend it: userprofilectl (.*)$/m;
($code, undef, $err) = run('', 'sh', '-c', "\"\$@\" $remedy", 'sh', tool(), '-s', $quote);
is($code, 0, 'the remedy can be pasted') or diag($err);
is((ctl($quote, 'check'))[0], 0, '... and mends it');

# Output that cannot be written.
($code, $out, $err) = run('', 'sh', '-c', '"$@" >/dev/full', 'sh', tool(), '-s', $bad, 'check');
is($code, 1, 'a full disk is an error');
is($err, "userprofilectl: cannot write the output: No space left on device\n", 'a full disk: the message says so');

# Stores that cannot be opened.
for my $row (
    ['lmdb:' . folder(),               qr/cannot find an LMDB store/],
    [store_with('x' x 65536),          qr/cannot open what is in the LMDB store/],
    [store_with(substr $whole, 0, 40960), qr/is damaged: it has 40960 bytes/],
    )
{
    ($code, $out, $err) = ctl($row->[0], 'check');
    is($code, 1, 'what cannot be opened cannot be checked');
    like($err, qr/\Auserprofilectl: .*$row->[1].*\n\z/, 'and the message says why');
}

# What ends the process that reads is told of, whatever it is.
for my $signal (qw(SEGV BUS ABRT)) {
    ($code, $out, $err) = run('', 'strace', '-qq', '-f', '-o', '/dev/null', '-e', 'trace=pread64', '-e',
        "inject=pread64:signal=$signal:when=9", traced_tool(), '-s', $store, 'check');
    is($code, 1, "$signal in the process that reads the store is an error");
    like($err, qr/^userprofilectl: cannot check the store: what is in its files is so damaged that reading it ended the process that did \([\w ]+\); a backup is to be restored\n\z/m,
        "$signal in the process that reads the store: the message says so");
}

# Pages that are damaged anywhere: never a signal, never silence.
srand 20260301;
my %ends;
for my $turn (1 .. 150) {
    my $bytes = $whole;
    my $pages = length($bytes) / 4096;
    for (1 .. 1 + int rand 3) {
        # The headers, the offsets and the nodes of pages, and whole pages.
        my $page = int rand $pages;
        my $kind = int rand 4;
        my ($at, $length) = ([0, 8], [8, 8], [16, 64], [0, 4096])[$kind]->@*;
        substr($bytes, $page * 4096 + $at, $length) = join '', map { chr int rand 256 } 1 .. $length;
    }
    my ($code, $out, $err) = ctl(store_with($bytes), 'check');
    my $is_told = $code eq '1' && $err =~ /\Auserprofilectl: [^\n]+\n\z/;
    ok($code eq '0' || $is_told, "damage $turn: the check ends with a sentence, or finds nothing wrong")
        or diag("exit $code: $err");
    $ends{ $code eq '0' ? 'sound' : $out ? 'faults' : 'refused' }++;
}
diag(join ', ', map { "$_: $ends{$_}" } sort keys %ends) if $ENV{KEEP};
cmp_ok($ends{faults} // 0, '>', 20, 'damage that LMDB would stumble over is told of');

done_testing;
