# Background.pm -- work that goes on in processes of its own.
package Background;

use strict;
use warnings;

use Exporter qw(import);
use POSIX    ();

our @EXPORT = qw(in_background);

# Begin &$work in another process. Returns a function that waits until it is
# done and returns what it returned, words and numbers; nothing, if it died.
sub in_background {
    my ($work) = @_;
    pipe my $from, my $to or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        my @result = eval { $work->() };
        warn $@ if $@;
        syswrite $to, join "\n", @result;
        POSIX::_exit(0);
    }
    close $to;
    return sub {
        my @result = <$from>;
        waitpid $pid, 0;
        chomp @result;
        return @result;
    };
}

1;
