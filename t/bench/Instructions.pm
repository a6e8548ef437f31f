# Instructions.pm -- how many instructions of a process a request takes, counted
# by callgrind: what the kernel does is not in it, nor is any waiting, so that
# the same build gives the same number again, within a percent or so.
#
# httpd runs as one process under callgrind, which writes out its count, and
# begins a new one, whenever mod_yardstick's yardstick_mark() is called. So the
# requests of a call are sent between two requests for /mark; what a /mark takes
# itself is counted too, and taken off.
package Instructions;

use strict;
use warnings;

use Exporter         qw(import);
use IO::Socket::INET ();
use Socket           qw(IPPROTO_TCP TCP_NODELAY);

use BenchCalls ();
use Stage;

our @EXPORT = qw(count_instructions);

my @CALLGRIND = qw(
    valgrind -q --tool=callgrind --dump-before=yardstick_mark
    --separate-threads=no
);

# Send the text of a request on the connection that there is, or a new one, and
# read the answer. Returns its status.
sub status_of {
    my ($self, $request) = @_;
    my $socket = $self->{socket} ||= IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{server}{port},
        Timeout  => 60
    ) || die "cannot connect: $@\n";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    syswrite $socket, $request;

    my $answer = '';
    until ($answer =~ /^(.*?)\r\n\r\n(.*)/s
        && length $2 >= ($1 =~ /^Content-Length: (\d+)/im)[0])
    {
        sysread $socket, $answer, 65536, length $answer
            or die "no answer\n" . $self->{server}->log;
    }
    delete $self->{socket} if $answer =~ /^Connection:.*\bclose/im;
    return $answer =~ m{^HTTP/1.1 (\d+)} ? $1 : 0;
}

# Make the call $name for another user each time.
sub ask {
    my ($self, $name, %how) = @_;
    my $user    = $self->{turn}++ * 7919 % $USERS;
    my $request = BenchCalls::fill(BenchCalls::request($name, %how),
        $user, $USERS, $self->{turn});
    my $status = status_of($self, $request);
    die "'$name' is answered with $status\n" . $self->{server}->log
        if $status != BenchCalls::call($name)->{status};
}

# The instructions since the last mark.
sub counted {
    my ($self) = @_;
    status_of($self, "GET /mark HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    my $path = "$self->{file}." . ++$self->{marks};
    open my $in, '<', $path or die "callgrind wrote no $path: $!\n";
    my ($count) = join('', <$in>) =~ /^totals: (\d+)/m
        or die "no total in $path\n";
    unlink $path;
    return $count;
}

# The instructions of one of $requests requests.
sub each_of {
    my ($self, $requests, $name, %how) = @_;
    ask($self, $name, %how) for 1 .. $requests / 10;    # warm
    counted($self);
    my $mark = counted($self);
    ask($self, $name, %how) for 1 .. $requests;
    return (counted($self) - $mark) / $requests;
}

# Count for the module and store in %$build, in a server in the folder $name, a
# list of [call, number of requests]. Returns call => {all, ours}: instructions
# of a request, and how many more these are than of one that is answered by the
# handler that does nothing, without authentication.
sub count_instructions {
    my ($name, $build, @calls) = @_;
    my $file = "$SCRATCH/$name.callgrind";
    my $server = server($name, %$build,
        threads => 8,
        under   => [@CALLGRIND, "--callgrind-out-file=$file"]);
    my $self = {
        server => $server,
        file   => $file,
        marks  => 0,
        turn   => 0
    };
    my %counts;
    for my $row (@calls) {
        my ($call, $requests) = @$row;
        my $idle = each_of($self, $requests, $call, place => "/idle/$call");
        my $all  = each_of($self, $requests, $call, token => 1);
        $counts{$call} = { all => $all, ours => $all - $idle };
    }
    $server->stop;
    return \%counts;
}

1;
