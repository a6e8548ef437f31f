# Cpu.pm -- how much of the processors some processes have used.
package Cpu;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(with_children cpu_of cpu_used);

# The processes @pids and their children.
sub with_children {
    return map {
        my $pid = $_;
        my ($children) = slurp("/proc/$pid/task/$pid/children");
        ($pid, split ' ', $children // '');
    } @_;
}

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return;
    return scalar <$in>;
}

# The microseconds that the threads of @pids, those that are there, have run.
sub cpu_of {
    my $nanoseconds = 0;
    for my $file (map { glob "/proc/$_/task/*/schedstat" } @_) {
        my ($ran) = (slurp($file) // '') =~ /^(\d+)/;
        $nanoseconds += $ran // 0;
    }
    return $nanoseconds / 1000;
}

# Have $round measure, with what each operation cost the processes of %groups
# (figure => function that returns their ids): in microseconds.
sub cpu_used {
    my ($round, %groups) = @_;
    my %before  = map { $_ => cpu_of($groups{$_}->()) } keys %groups;
    my $figures = $round->();
    return $figures unless $figures->{count};
    $figures->{$_} = (cpu_of($groups{$_}->()) - $before{$_}) / $figures->{count}
        for keys %groups;
    return $figures;
}

1;
