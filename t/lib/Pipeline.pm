# Pipeline.pm -- many small requests over one connection.
package Pipeline;

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;

use OpenApi     ();
use UserProfile ();

our @EXPORT = qw(pipeline);

# How many requests are under way at once: fewer than fill a socket's buffer.
use constant WINDOW => 50;

sub read_answer {
    my ($socket, $method) = @_;
    my ($status_line, %answer, $line) = (scalar <$socket>);

    defined $status_line or die "the connection was closed\n";
    ($answer{status}) = $status_line =~ m{^HTTP/1\.1 (\d+)} or die $status_line;
    while (defined($line = <$socket>)) {
        $line =~ s/\r\n\z//;
        last if $line eq '';
        my ($name, $value) = $line =~ /^([^:]+): ?(.*)/s or die "header '$line'\n";
        $answer{header}{ lc $name } = $value;
    }
    my $length = $method eq 'HEAD' ? 0 : $answer{header}{'content-length'} // 0;
    die "an answer without a length\n" if $answer{header}{'transfer-encoding'};
    read $socket, $answer{body} = '', $length;
    return \%answer;
}

# Send each of @requests, [method, target, host, header lines ...] without
# bodies, and return the answers in the same order: { status, header => { lower
# case name => value }, body }. Requests that follow an answer which closes the
# connection are sent on another one.
sub pipeline {
    my @left = @_;
    my ($socket, @answers);

    while (my @some = @left[0 .. ($#left < WINDOW ? $#left : WINDOW - 1)]) {
        $socket ||= IO::Socket::INET->new(
            PeerAddr => '127.0.0.1',
            PeerPort => UserProfile::port(),
            Timeout  => 30
        ) or die "cannot connect: $@";
        local $SIG{PIPE} = 'IGNORE';
        for my $request (@some) {
            my ($method, $target, $host, @lines) = @$request;
            print $socket map { "$_\r\n" } "$method $target HTTP/1.1",
                "Host: $host", @lines, '';
        }
        $socket->flush;
        while ($socket && @some) {
            my $request = shift @some;
            my $answer  = read_answer($socket, $request->[0]);
            OpenApi::check_answer(UserProfile::top(), @$request[0, 1],
                @$answer{qw(status header body)});
            push @answers, $answer;
            shift @left;
            undef $socket if ($answer->{header}{connection} // '') =~ /close/i;
        }
    }
    return @answers;
}

1;
