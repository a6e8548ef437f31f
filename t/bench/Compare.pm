# Compare.pm -- this build beside another one, in the same run: how fast each
# call is, in alternating rounds, and how many instructions it takes.
package Compare;

use strict;
use warnings;

use Exporter qw(import);

use Figures;
use Instructions;
use Stage;

our @EXPORT = qw(measure_builds);

# What is compared: a call of BenchCalls.pm, what it is called, and the number of
# requests whose instructions are counted. "same" comes before all that change.
my @CALLS = (
    [get        => 'GET',                                    4000],
    [same       => 'PUT unchanged',                          2000],
    [change     => 'PUT changed, flushed',                   2000],
    [get_user   => 'GetUserByID over REST',                  2000],
    [connect    => 'GetHumanProfile over Connect',           2000],
    [patch_user => 'UpdateUser over REST, changed, flushed', 2000],
);

# What this build may cost more than the other: a part of its rate, and of the
# instructions.
my $MIN_RATE         = 0.97;
my $MAX_INSTRUCTIONS = 1.10;

# The folders of the two builds below the scratch folder, in @BUILDS' order.
my @BUILDS = qw(this base);

# What a server of $build runs: its module, and a new store $name that its
# userprofilectl made.
sub build {
    my ($build, $name) = @_;
    my $folder = "$SCRATCH/$build";
    make_store("$folder/$name", $USERS, "$folder/userprofilectl");
    return {
        module => "$folder/mod_userprofile.so",
        store  => "$folder/$name"
    };
}

sub compare_rates {
    my ($server, $call, $what) = @_;
    my %load = (call => $call, connections => 32);
    my $result = alternate($ROUNDS,
        map { $_ => load($server->{$_}, %load) } @BUILDS);
    note_rows(
        $result, "1x$THREADS",
        this => "$what, 32 connections",
        base => '  the other build'
    );
    my $ratios = ratios($result, @BUILDS);
    mark(sprintf("$what : the other build (rounds: %.2f - %.2f)",
            $ratios->{low}, $ratios->{high}),
        ratio($result, @BUILDS), 'at least', $MIN_RATE);
}

# Counts are a build's name => call => instructions a request: of all that httpd
# does, and of what it does more than for the handler that does nothing.
sub compare_instructions {
    my ($counts, $call, $what) = @_;
    my ($this, $base) = map { $counts->{$_}{$call} } @BUILDS;
    for my $kind (['in all', 'all'], ['more than a no-op', 'ours']) {
        my ($label, $key) = @$kind;
        note(sprintf("$what, instructions $label: %.0f, the other build %.0f",
                $this->{$key}, $base->{$key}), 'httpd -X');
    }
    mark("$what, instructions more than a no-op : the other build",
        $this->{ours} / $base->{ours}, 'at most', $MAX_INSTRUCTIONS);
}

# Those of @CALLS that both builds serve. What the yardstick answers is learned
# from this one.
sub common_calls {
    my ($build) = @_;
    my %servers;
    for my $name (reverse @BUILDS) {
        learn_answers(%{ $build->{$name} });
        $servers{ $_->[0] }++ for grep { served($_->[0]) } @CALLS;
    }
    my @common = grep { ($servers{ $_->[0] } || 0) == @BUILDS } @CALLS;
    for my $row (grep { ($servers{ $_->[0] } || 0) < @BUILDS } @CALLS) {
        note("$row->[1]: not compared, one build or both do not serve it", '');
    }
    return @common;
}

# Compare the builds in the folders $SCRATCH/this and $SCRATCH/base.
sub measure_builds {
    ($SCRATCH) = @_;
    my %build  = map { $_ => build($_, 'store') } @BUILDS;
    my @calls  = common_calls(\%build);
    my %counts = map {
        $_ => count_instructions("$_-counted", build($_, 'counted'),
            map { [@$_[0, 2]] } @calls)
    } @BUILDS;
    compare_instructions(\%counts, @$_[0, 1]) for @calls;

    my %server = map { $_ => server("$_-server", %{ $build{$_} }) } @BUILDS;
    compare_rates(\%server, @$_[0, 1]) for @calls;
    $_->stop for values %server;
}

1;
