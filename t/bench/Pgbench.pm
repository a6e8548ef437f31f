# Pgbench.pm -- one pgbench for all rounds of a row.
#
# A new connection to PostgreSQL is slow for its first 10 to 20 seconds: each
# is a process, which has yet to map the shared buffers page by page. So pgbench
# keeps its connections. Between rounds it is stopped by a signal, and so is its
# server, if nobody else uses that. Its figures are its own reports of each second.
package Pgbench;

use strict;
use warnings;

use Generator;

# How long a report may be late, in seconds, and for how long it could run.
my $PATIENCE = 30;
my $FOREVER  = 86_400;

# After a stop, the first report is of the stop, and the second of the part of
# a second until the next full one.
my $SKIPPED = 2;

my $REPORT = qr/^progress: \S+ s, ([\d.]+) tps, lat ([\d.]+) ms/;

# Start $program, pgbench, with @options that say what it does on $server, which
# is stopped with it; undef: it is not.
sub start {
    my ($class, $server, $program, @options) = @_;
    return bless {
        server    => $server,
        generator => Generator->start(
            $program, '-n', '-M', 'prepared', '-j', 2, '-T', $FOREVER, '-P', 1,
            @options
        )
    }, $class;
}

# The next $count reports; fewer if pgbench has no more to say.
sub reports {
    my ($self, $count) = @_;
    my (@reports, $said, $error);

    while (@reports < $count) {
        my $line = $self->{generator}->line($PATIENCE);
        if (!defined $line) {
            warn 'pgbench: ', $error // $said // 'no report', "\n";
            last;
        }
        $said = $line;
        $error //= $line if $line =~ /error: /;
        push @reports, $line if $line =~ $REPORT;
    }
    return @reports;
}

# The figures of a round of $seconds, from its @reports, one for each second.
# None if one is missing, or says that nothing was done.
sub figures_of {
    my ($seconds, @reports) = @_;
    my ($rate, $latency) = (0, 0);

    return {} if @reports != $seconds;
    for my $report (@reports) {
        my ($tps, $mean) = $report =~ $REPORT;
        return {} unless $tps && $tps > 0 && $mean > 0;
        $rate    += $tps;
        $latency += $tps * $mean;
    }
    return {
        rate  => $rate / $seconds,
        count => $rate,
        mean  => 1000 * $latency / $rate
    };
}

sub pause {
    my ($self) = @_;
    $self->{generator}->signal('STOP');
    $self->{server}->signal('STOP') if $self->{server};
}

sub continue {
    my ($self) = @_;
    $self->{server}->signal('CONT') if $self->{server};
    $self->{generator}->signal('CONT');
}

sub warm_up {
    my ($self, $seconds) = @_;
    $self->reports($seconds);
    $self->pause;
}

# A round of $seconds. $measure is called with the function that does what
# counts of it, and returns its figures, maybe with others.
sub round {
    my ($self, $seconds, $measure) = @_;
    my $counted = sub { figures_of($seconds, $self->reports($seconds)) };
    my $figures = {};

    $self->{generator}->skip;
    $self->continue;
    $figures = $measure ? $measure->($counted) : $counted->()
        if $self->reports($SKIPPED) == $SKIPPED;
    $self->pause;
    return $figures;
}

sub end {
    my ($self) = @_;
    $self->{generator}->end;
    $self->{server}->signal('CONT') if $self->{server};
}

1;
