# KeptConnection.pm -- one request after the other over one connection, with less
# work for the client than LWP makes: for tests that count many changes. Answers
# are not compared with conf/openapi.json.
#
#   my $connection = KeptConnection->new($server->{port}, bearer($site));
#   my $got = $connection->ask(PUT => $path, \%body, 'If-Match' => $tag);
#   print "$got->{status} $got->{header}{etag} $got->{body}\n";
package KeptConnection;

use strict;
use warnings;

use IO::Socket::INET;
use JSON::PP ();

use Pipeline ();

my $json = JSON::PP->new->utf8->canonical;

# A connection to $port of 127.0.0.1, whose requests all have @headers, names and
# values.
sub new {
    my ($class, $port, @headers) = @_;
    return bless { port => $port, headers => lines(@headers) }, $class;
}

sub lines {
    my (@headers) = @_;
    my $text = '';
    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    return $text;
}

# Send a request with @headers, and \%body as JSON unless it is undef; returns
# the answer as Pipeline has it.
sub ask {
    my ($self, $method, $path, $body, @headers) = @_;
    my $text = $body ? $json->encode($body) : '';
    push @headers, 'Content-Type' => 'application/json',
        'Content-Length' => length $text if $body;
    $self->{socket} ||= IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => $self->{port},
        Timeout  => 60
    ) or die "cannot connect: $@";
    $self->{socket}->print("$method $path HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        $self->{headers}, lines(@headers), "\r\n$text");
    $self->{socket}->flush;
    my $answer = Pipeline::read_answer($self->{socket}, $method);
    delete $self->{socket} if ($answer->{header}{connection} // '') =~ /close/i;
    return $answer;
}

1;
