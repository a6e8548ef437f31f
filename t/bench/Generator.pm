# Generator.pm -- a load generator that lives through all rounds of a row, so
# that its connections are warm when they are counted: a process that reads
# lines and prints lines.
package Generator;

use strict;
use warnings;

use IO::Handle  ();
use POSIX       ();
use Time::HiRes qw(time);

my @running;

# Start @command, with a pipe to its standard input, and one from its standard
# output and error.
sub start {
    my ($class, @command) = @_;
    pipe my $stdin,   my $input  or die "pipe: $!\n";
    pipe my $output,  my $stdout or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<&', $stdin;
        open STDOUT, '>&', $stdout;
        open STDERR, '>&', $stdout;
        close $_ for $input, $output;
        exec(@command) or print "cannot run $command[0]: $!\n";
        POSIX::_exit(127);
    }
    $input->autoflush(1);
    my $self = bless {
        pid    => $pid,
        input  => $input,
        output => $output,
        unread => ''
    }, $class;
    push @running, $self;
    return $self;
}

# The next line that it prints; undef if it prints none for $seconds, or ends.
sub line {
    my ($self, $seconds) = @_;
    my $end = time + $seconds;

    while (1) {
        return $1 if $self->{unread} =~ s/^(.*)\n//;
        my $left = $end - time;
        my $bits = '';
        vec($bits, fileno $self->{output}, 1) = 1;
        return if $left <= 0 || select($bits, undef, undef, $left) <= 0;
        sysread $self->{output}, $self->{unread}, 4096, length $self->{unread}
            or return;
    }
}

# Throw away what it has printed so far.
sub skip {
    my ($self) = @_;
    1 while defined $self->line(0.01);
}

sub say {
    my ($self, $line) = @_;
    local $SIG{PIPE} = 'IGNORE';
    print { $self->{input} } "$line\n";
}

sub signal {
    my ($self, $signal) = @_;
    kill $signal => $self->{pid} if $self->{pid};
}

# It may be stopped, and has nothing to lose.
sub end {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    @running = grep { $_ != $self } @running;
    kill KILL => $pid;
    waitpid $pid, 0;
}

END {
    local $?;
    $_->end for my @all = @running; # each takes itself out of the list
}

1;
