# Figures.pm -- rounds, medians, and what is made of them.
#
# A figure is a number above 0. A contestant that did not give one in every
# counted round has no figure: it has no ratio to anything, and no mark is
# judged by it.
package Figures;

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

our @EXPORT = qw(
    alternate figure ratio ratios one
    note note_row note_rows mark bars rows_table marks_table bars_table as_json
);

my $NO_FIGURE = 'no figure';

my (@rows, @marks, %bars);

sub median {
    my @sorted = sort { $a <=> $b } @_;
    my $middle = int @sorted / 2;
    return @sorted % 2
        ? $sorted[$middle]
        : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# What is kept of a figure's @values, one for each round, in their order.
sub summary {
    my (@values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    return {
        median => median(@values),
        low    => $sorted[0],
        high   => $sorted[-1],
        rounds => scalar @values,
        values => \@values
    };
}

# The figure $value of what was done only once.
sub one {
    my ($value) = @_;
    return summary($value);
}

# Call each of the functions in @contestants (name => function) once in each of
# $rounds rounds, the first of a round in turn, after a round that is not
# counted; each returns a hash of figures. Returns name => {figure => summary},
# with those figures that were given in every counted round.
sub alternate {
    my ($rounds, @contestants) = @_;
    my (%all, %result);
    my @names = @contestants[grep { $_ % 2 == 0 } 0 .. $#contestants];
    my %call  = @contestants;

    $call{$_}->() for @names;
    for my $round (1 .. $rounds) {
        for my $name (@names) {
            my $figures = $call{$name}->() || {};
            push @{ $all{$name}{$_} }, $figures->{$_}
                for grep { ($figures->{$_} || 0) > 0 } keys %$figures;
        }
        push @names, shift @names;
    }
    for my $name (@names) {
        my $all = $all{$name} || {};
        $result{$name} = {
            map  { $_ => summary(@{ $all->{$_} }) }
            grep { @{ $all->{$_} } == $rounds } keys %$all
        };
    }
    return \%result;
}

# The median of the contestant $name's figure, undef if it has none.
sub figure {
    my ($result, $name, $figure) = @_;
    my $summary = $result->{$name}{ $figure || 'rate' };
    return $summary ? $summary->{median} : undef;
}

# The ratio of two contestants' medians, undef if one of them has no figure.
sub ratio {
    my ($result, $above, $below, $figure) = @_;
    my ($top, $bottom) = map { figure($result, $_, $figure) } $above, $below;
    return defined $top && defined $bottom ? $top / $bottom : undef;
}

# The ratios of two contestants in each round, summed up; undef if one of them
# has no figure.
sub ratios {
    my ($result, $above, $below, $figure) = @_;
    my ($top, $bottom) =
        map { $result->{$_}{ $figure || 'rate' } } $above, $below;
    return undef unless $top && $bottom;
    return summary(map { $top->{values}[$_] / $bottom->{values}[$_] }
            0 .. $#{ $top->{values} });
}

# Keep a row for the table: what was measured, on which server, its figures.
sub note_row {
    my ($what, $setup, $figures) = @_;
    push @rows, { what => $what, setup => $setup, figures => $figures };
    print STDERR '  ', row_line($rows[-1]), "\n";
}

# Keep a row that has no rate: $what says it all.
sub note { note_row(@_[0, 1], undef) }

# Rows for @contestants, pairs of a name in $result and what it is called.
sub note_rows {
    my ($result, $setup, @contestants) = @_;
    while (my ($name, $what) = splice @contestants, 0, 2) {
        note_row($what, $setup, $result->{$name});
    }
}

# Keep how $value, a ratio or a number in $unit, stands to its mark: "at least"
# or "at most" $bound. Without a value the mark is not judged.
sub mark {
    my ($what, $value, $sense, $bound, $unit) = @_;
    my $met =
          !defined $value     ? undef
        : $sense eq 'at least' ? $value >= $bound
        :                        $value <= $bound;
    push @marks,
        {
        what  => $what,
        value => $value,
        sense => $sense,
        bound => $bound,
        unit  => $unit || '',
        met   => !defined $met ? undef
        : $met ? JSON::PP::true
        :        JSON::PP::false
        };
    print STDERR '* ', mark_line($marks[-1]), "\n";
}

# Keep the bars of a picture: of $panel, "reads" or "changes", at $connections,
# pairs of a contestant's name and its figure. What is kept already stays.
sub bars {
    my ($panel, $connections, @pairs) = @_;
    while (my ($name, $figure) = splice @pairs, 0, 2) {
        $bars{$panel}{$connections}{$name} //= $figure;
    }
}

# What each panel of the picture has, beside ours.
my @PANELS = (
    reads   => ['a handler that does nothing'],
    changes => ['a flush for each', 'PostgreSQL', 'bare LMDB'],
);

# The bars as figures.gp reads them.
sub bars_table {
    my @tables;
    my @panels = @PANELS;
    while (my ($panel, $others) = splice @panels, 0, 2) {
        my @names = ('ours', @$others);
        push @tables, join '',
            join(' ', 'connections', map { "\"$_\"" } @names) . "\n",
            map {
                my $bar = $bars{$panel}{$_};
                join(' ', $_,
                    map { defined $bar->{$_} ? sprintf '%.0f', $bar->{$_} : '-' }
                        @names)
                    . "\n"
            } sort { $a <=> $b } keys %{ $bars{$panel} };
    }
    return join "\n\n", @tables;
}

sub number {
    my ($value) = @_;
    return $NO_FIGURE unless defined $value;
    my $text = sprintf $value >= 100 ? '%.0f' : '%.2f', $value;
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}

sub milliseconds {
    my ($figure) = @_;
    return $figure ? sprintf '%.2f', $figure->{median} / 1000 : '';
}

my $row_format = "%-58s %-12s %10s %21s %8s %8s %8s %8s\n";

sub row_line {
    my ($row) = @_;
    my $figures = $row->{figures} || {};
    my $rate    = $figures->{rate};
    my $median  = $row->{figures} ? number($rate->{median}) : '';
    my $range   = ($rate->{rounds} || 0) > 1
        ? number($rate->{low}) . ' - ' . number($rate->{high})
        : '';
    my $text = sprintf $row_format, $row->{what}, $row->{setup}, $median,
        $range, map { milliseconds($figures->{$_}) } qw(p50 p95 p99 max);
    return $text =~ s/\s+$//r;
}

sub rows_table {
    return sprintf($row_format,
        'row', 'MPM', 'a second', 'lowest - highest',
        'p50 ms', 'p95 ms', 'p99 ms', 'max ms')
        . join '', map { row_line($_) . "\n" } @rows;
}

sub mark_line {
    my ($mark) = @_;
    my $known = defined $mark->{value};
    return sprintf '%-72s %9s  %s %s%s  %s', $mark->{what},
        number($mark->{value}) . ($known ? $mark->{unit} : ''),
        $mark->{sense}, $mark->{bound}, $mark->{unit},
        !$known ? 'not judged' : $mark->{met} ? 'met' : 'NOT MET';
}

sub marks_table {
    return join '', map { mark_line($_) . "\n" } @marks;
}

sub as_json {
    my ($machine) = @_;
    return JSON::PP->new->canonical->pretty->encode(
        { machine => $machine, rows => \@rows, marks => \@marks });
}

1;
