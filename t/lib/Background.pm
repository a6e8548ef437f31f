# Background.pm -- work that goes on in processes of its own.
package Background;

use strict;
use warnings;

use Exporter qw(import);
use POSIX    ();

use UserProfile qw(ctl);

our @EXPORT = qw(in_background all_change);

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

# Wait until each of @users of $org has been changed once more; false if that
# takes longer than $server may take for anything.
sub all_change {
    my ($server, $org, @users) = @_;
    my %before = map { $_ => sequence_of($org, $_) } @users;
    return eval {
        $server->wait_until(sub {
            !grep { sequence_of($org, $_) eq $before{$_} } @users;
        });
        1;
    };
}

sub sequence_of {
    my ($org, $id) = @_;
    my (undef, $said) = ctl('--json', 'user', 'get', $org, $id);
    return $said =~ /"sequence":"(\d+)"/ ? $1 : die "user $id: $said\n";
}

1;
