# bench.t -- what the benchmark makes of the figures of its rounds: no ratio and
# no met mark comes of a figure that is not there.
use strict;
use warnings;

use Test::More;
use JSON::PP ();

use lib 't/bench';
use BenchCalls ();
use Cpu qw(cpu_of cpu_used with_children);
use Figures qw(
    alternate figure ratio ratios note_row mark bars rows_table marks_table
    bars_table as_json
);
use Generator ();
use OpenLDAP  ();
use Pgbench   ();
use StoreScripts qw(store_script store_variables);

# Call $code without what it prints to standard error.
sub quietly {
    my ($code) = @_;
    open local *STDERR, '>', '/dev/null' or die "cannot open /dev/null: $!\n";
    $code->();
}

# A contestant that gives @rates, one in each round.
sub gives {
    my (@rates) = @_;
    return sub {
        my $rate = shift @rates;
        return defined $rate ? { rate => $rate } : {};
    };
}

# The first figure is that of the round before those that are counted.
my $result = alternate(
    4,
    ours   => gives(1,    10, 40,    20, 30),
    peer   => gives(1000, 5,  10,    10, 5),
    cold   => gives(undef, 58, undef, 60, 61),
    silent => sub { return },
    zero   => gives(0, 0, 0, 0, 0)
);
is(figure($result, 'ours'), 25,
    'the median of an even number of rounds lies between the middle two');
is(figure(alternate(3, odd => gives(0, 9, 1, 2)), 'odd'),
    2, 'the median of an odd number of rounds is the middle one');
is_deeply($result->{ours}{rate}{values}, [10, 40, 20, 30],
    'the first round is not counted');
is_deeply([@{ $result->{ours}{rate} }{qw(low high rounds)}], [10, 40, 4],
    'the lowest and the highest round are kept');
is(ratio($result, 'ours', 'peer'), 25 / 7.5,
    'a ratio is that of the medians');
is_deeply(ratios($result, 'ours', 'peer')->{values}, [2, 4, 2, 6],
    'and there is one for each round');

for my $name (qw(cold silent zero)) {
    is(figure($result, $name), undef, "$name: no figure");
    is(ratio($result, 'ours', $name), undef, "$name: no ratio to it");
    is(ratio($result, $name, 'ours'), undef, "$name: no ratio of it");
    is(ratios($result, 'ours', $name), undef, "$name: no ratio of rounds");
    quietly(sub {
        note_row("the row of $name", '', $result->{$name});
        mark("the mark of $name", ratio($result, 'ours', $name),
            'at least', 0.7);
        mark("the limit of $name", ratio($result, 'ours', $name),
            'at most', 1.3);
    });
    like(rows_table(), qr/^the row of $name +no figure$/m,
        "$name: its row says so");
    like(marks_table(),
        qr/^the mark of $name +no figure  at least 0.7  not judged$/m,
        "$name: its mark is not judged");
    like(marks_table(),
        qr/^the limit of $name +no figure  at most 1.3  not judged$/m,
        "$name: nor is its limit");
}

my $order = '';
alternate(3, map { my $name = $_; ($_ => sub { $order .= $name; {} }) }
        qw(a b c));
is($order, 'abc' . 'abc' . 'bca' . 'cab',
    'each contestant is first in turn');

quietly(sub {
    Figures::note('a row of words', '');
    mark('low',  0.69, 'at least', 0.7);
    mark('even', 0.7,  'at least', 0.7);
    mark('long', 151,  'at most', 150, ' ms');
});
like(rows_table(), qr/^a row of words$/m, 'a row without a rate says none');
like(marks_table(), qr/^low +0.69  at least 0.7  NOT MET$/m,
    'what is below its mark does not meet it');
like(marks_table(), qr/^even +0.70  at least 0.7  met$/m,
    'what is at its mark meets it');
like(marks_table(), qr/^long +151 ms  at most 150 ms  NOT MET$/m,
    'what is above its limit does not meet it');
my $json = JSON::PP::decode_json(as_json({}));
is_deeply(
    [map { defined $_->{met} ? 0 + $_->{met} : undef }
        grep { $_->{what} =~ /cold|even|low/ }
            @{ $json->{marks} }],
    [undef, undef, 0, 1],
    'in JSON a mark that is not judged is null'
);

bars(reads => 128, ours => 57_300.4, 'a handler that does nothing' => undef);
bars(reads => 32, ours => 49_700);
bars(changes => 1, ours => 2_400, PostgreSQL => 3_117);
bars(changes => 1, ours => 9_999, 'bare LMDB' => 4_000);
is(bars_table(), <<'END', 'the bars of the picture, by connections');
connections "ours" "a handler that does nothing"
32 49700 -
128 57300 -


connections "ours" "a flush for each" "PostgreSQL" "bare LMDB"
1 2400 - 3117 4000
END
my $committed = do { local (@ARGV, $/) = 't/bench/figures.dat'; <> };
is_deeply([$committed =~ /^connections .*$/mg],
    [map { s/"ours"/ours/r =~ s/"PostgreSQL"/PostgreSQL/r }
        bars_table() =~ /^connections .*$/mg],
    'figures.dat has the columns of a run');

# What other load generators print.
my @pgbench = (
    'progress: 12.0 s, 5000.0 tps, lat 6.000 ms stddev 1.0, 0 failed',
    'progress: 13.0 s, 7000.0 tps, lat 4.000 ms stddev 1.0, 0 failed'
);
is_deeply(
    Pgbench::figures_of(2, @pgbench),
    {   rate  => 6000,
        count => 12000,
        mean  => 1000 * (5000 * 6 + 7000 * 4) / 12000
    },
    "pgbench's figures are the mean of its reports"
);
my $idle = 'progress: 14.0 s, 0.0 tps, lat 0.000 ms stddev 0.0, 0 failed';
is_deeply(Pgbench::figures_of(2, @$_), {}, 'pgbench gave no figure')
    for [], [$pgbench[0]], [$pgbench[0], $idle];
{
    local $SIG{__WARN__} = sub { };
    is_deeply(OpenLDAP::Load::figures_of($_), {}, "ldap_load gave none: '$_'")
        for '', 'ldap_load: cannot connect: Connection refused', '1 2 3';
}
is(OpenLDAP::Load::figures_of('48387.1 600.0 1100.5 1500.0 5120.0')->{p50},
    '600.0', "ldap_load's figures are its numbers");

# Load generators that live through all rounds.
my $generator = Generator->start('sh', '-c',
    'while read line; do echo "one $line"; echo "two $line"; done');
$generator->say('x');
is($generator->line(10), 'one x', 'a generator answers what it is told');
is($generator->line(10), 'two x', 'line by line');
is($generator->line(0.01), undef, 'no line is waited for too long');
$generator->say('y');
$generator->line(10);
$generator->line(10);
$generator->signal('STOP');
$generator->end;
is($generator->line(10), undef, 'one that is stopped can be ended');
my @left = split ' ', qx($^X -It/bench -MGenerator -e '
    print join " ", map { Generator->start("cat")->{pid} } 1 .. 3');
is(scalar @left, 3, 'a benchmark starts three');
ok(!(kill 0, $_), 'and none outlives it') for @left;

my @signals;
{
    package Server;
    sub signal { push @signals, $_[1] }
}
my $failing = Pgbench->start(bless({}, 'Server'), 'false');
{
    local $SIG{__WARN__} = sub { };
    is_deeply($failing->round(2), {}, 'a pgbench that ended gives no figure');
}
$failing->end;
is("@signals", 'CONT STOP CONT',
    'its server is stopped after a round, and goes on at the end');
$failing = Pgbench->start(undef, 'false');
{
    local $SIG{__WARN__} = sub { };
    is_deeply($failing->round(2), {}, 'one that stops no server gives none too');
}
$failing->end;

# What an operation costs.
my $busy = Generator->start($^X, '-e', '1 while 1');
my $cost = cpu_used(
    sub {
        my $before = cpu_of($busy->{pid});
        select undef, undef, undef, 0.01
            until cpu_of($busy->{pid}) > $before + 20_000;
        return { count => 10, rate => 1 };
    },
    busy => sub { $busy->{pid} },
    gone => sub { () }
);
cmp_ok($cost->{busy}, '>=', 2_000, 'an operation costs the time of processes');
is($cost->{gone}, 0, 'and none where there are none');
ok((grep { $_ == $busy->{pid} } with_children($$)), 'a child is one of them');
$busy->end;
is_deeply(cpu_used(sub { {} }, busy => sub { $$ }), {},
    'what has no figure has no cost either');

# pgbench executes the statements of the driver.
my %text = (
    read   => 'SELECT $3::text, $1, $2, $4::bigint, $1',
    change => 'SELECT ' . join(', ', map { "\$$_" } 1 .. 36)
);
like(store_script('get', 100, sub { $text{ $_[0] } }),
    qr/^SELECT :id::text, :caller, :org, :any::bigint, :caller;$/m,
    'parameters become variables');
my $change = store_script('change', 100, sub { $text{ $_[0] } });
like($change, qr/:any::bigint, :caller \\gset$/m,
    'a PUT keeps what it has read');
like($change, qr/, :gender, :sequence, :change, .* NULL, :store;$/m,
    'for what it changes');
my %set = map { /^-D|^(\w+)=/ && $1 ? ($1 => 1) : () } store_variables();
$set{$_} = 1 for $change =~ /^\\set (\w+)/mg, qw(
    id org type state sequence created changed first_name last_name nick_name
    display_name preferred_language gender store
);
is_deeply([grep { !$set{$_} } $change =~ /(?<!:):([a-z]\w*)/g], [],
    'and each variable is set');
for my $other ('SELECT $1, $2, $3', 'SELECT $1, $2, $3, $5') {
    ok(!eval { store_script('get', 100, sub { $other }); 1 },
        "other parameters than it knows are refused: $other");
}

# Requests.
for my $name (BenchCalls::names()) {
    my $text = BenchCalls::fill(BenchCalls::request($name, token => 1), 7, 100, 9);
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($length) = $head =~ /^Content-Length: (\d+)\r?$/m;
    is($length // 0, length $body, "$name: its length is that of its body");
    unlike($text, qr/\{[a-z]+\}/, "$name: nothing in it is left to fill in");
}

done_testing;
