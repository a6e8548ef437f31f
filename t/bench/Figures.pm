# Figures.pm -- rounds, medians, and what is made of them.
package Figures;

use strict;
use warnings;

use Exporter qw(import);
use JSON::PP ();

our @EXPORT = qw(alternate note_row mark rows_table marks_table as_json);

my (@rows, @marks);

sub median {
    my @sorted = sort { $a <=> $b } @_;
    my $middle = int @sorted / 2;
    return @sorted % 2
        ? $sorted[$middle]
        : ($sorted[$middle - 1] + $sorted[$middle]) / 2;
}

# Call each of the functions in @contestants (name => function) once in each of
# $rounds rounds, the first of a round in turn; each returns a hash of figures.
# Returns name => {figure => {median, low, high}}.
sub alternate {
    my ($rounds, @contestants) = @_;
    my (%all, %result);
    my @names = @contestants[grep { $_ % 2 == 0 } 0 .. $#contestants];
    my %call  = @contestants;

    for my $round (1 .. $rounds) {
        for my $name (@names) {
            my $figures = $call{$name}->();
            push @{ $all{$name}{$_} }, $figures->{$_} for keys %$figures;
        }
        push @names, shift @names;
    }
    for my $name (@names) {
        for my $figure (keys %{ $all{$name} }) {
            my @values = sort { $a <=> $b } @{ $all{$name}{$figure} };
            $result{$name}{$figure} = {
                median => median(@values),
                low    => $values[0],
                high   => $values[-1],
                rounds => scalar @values
            };
        }
    }
    return \%result;
}

# Keep a row for the table: what was measured, on which server, its figures.
sub note_row {
    my ($what, $setup, $figures) = @_;
    push @rows, { what => $what, setup => $setup, figures => $figures };
    print STDERR '  ', row_line($rows[-1]), "\n";
}

# Keep how $value, a ratio or a number in $unit, stands to its mark: "at least"
# or "at most" $bound.
sub mark {
    my ($what, $value, $sense, $bound, $unit) = @_;
    my $met = $sense eq 'at least' ? $value >= $bound : $value <= $bound;
    push @marks,
        {
        what  => $what,
        value => $value,
        sense => $sense,
        bound => $bound,
        unit  => $unit || '',
        met   => $met ? JSON::PP::true : JSON::PP::false
        };
    print STDERR '* ', mark_line($marks[-1]), "\n";
}

sub number {
    my ($value) = @_;
    return '' unless defined $value;
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
    my $figures = $row->{figures};
    my $rate    = $figures->{rate} || { rounds => 0 };
    my $text    = sprintf $row_format, $row->{what}, $row->{setup},
        number($rate->{median}),
        $rate->{rounds} > 1
        ? number($rate->{low}) . ' - ' . number($rate->{high})
        : '', map { milliseconds($figures->{$_}) } qw(p50 p95 p99 max);
    $text =~ s/\s+$//;
    return $text;
}

sub rows_table {
    return sprintf($row_format,
        'row', 'MPM', 'a second', 'lowest - highest',
        'p50 ms', 'p95 ms', 'p99 ms', 'max ms')
        . join '', map { row_line($_) . "\n" } @rows;
}

sub mark_line {
    my ($mark) = @_;
    return sprintf '%-72s %9s  %s %s%s  %s', $mark->{what},
        number($mark->{value}) . $mark->{unit}, $mark->{sense},
        $mark->{bound}, $mark->{unit}, $mark->{met} ? 'met' : 'NOT MET';
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
