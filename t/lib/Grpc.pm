# Grpc.pm -- what the tests of gRPC and gRPC-Web share: frames, calls, answers.
package Grpc;

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(dirname);
use IO::Handle ();
use IPC::Open2 qw(open2);
use JSON::PP     ();
use MIME::Base64 qw(decode_base64 encode_base64);

use Protobuf;
use UserProfile ();

our @EXPORT = qw(
    MANAGEMENT HEALTH
    frame h2 grpc call update get web answer_of code reason_of
    tls_port h2c_origin tls_origin
);

use constant MANAGEMENT => '/zitadel.management.v1.ManagementService';
use constant HEALTH     => '/grpc.health.v1.Health/Check';

my $json = JSON::PP->new->utf8;
my ($client, $from, $to);

sub frame {
    my ($message, $flag, $length) = @_;
    return pack 'CN a*', $flag || 0, $length // length $message, $message;
}

# The port of the server's TLS, as t/TEST chose it.
sub tls_port {
    my $conf = UserProfile::slurp(UserProfile::top() . '/t/conf/tls.conf');
    return $conf =~ /^Define TLS_PORT (\d+)$/m ? $1 : die "no TLS port\n";
}

sub h2c_origin { return 'http://127.0.0.1:' . UserProfile::vars()->{port} }
sub tls_origin { return 'https://localhost:' . tls_port() }

# Send one request over HTTP/2, with no header of our own making but those that
# HTTP/2 needs: what h2.mjs answers, its body decoded.
sub h2 {
    my ($method, $path, $headers, $body, $origin) = @_;
    my %header = (':method' => $method, ':path' => $path, %{ $headers || {} });
    delete @header{ grep { !defined $header{$_} } keys %header };

    $client ||= open2($from, $to, 'node', dirname(__FILE__) . '/h2.mjs');
    print $to $json->encode(
        {
            origin  => $origin || h2c_origin(),
            headers => \%header,
            body    => encode_base64($body // '', ''),
        }
        ),
        "\n";
    $to->flush;
    my $line = <$from>;
    defined $line or die "the HTTP/2 client is gone\n";
    my $answer = $json->decode($line);
    $answer->{body} = decode_base64($answer->{body});
    return $answer;
}

# A gRPC answer, as { http, headers, trailers, body, alone, message, code,
# text, status }: code and text are gRPC's own status, status its details.
sub grpc {
    my ($method, $path, $headers, $body, $origin) = @_;
    my $answer = h2($method, $path,
        { 'content-type' => 'application/grpc', te => 'trailers', %$headers },
        $body, $origin);

    my %said = (%{ $answer->{headers} }, %{ $answer->{trailers} });
    $answer->{http} = delete $said{':status'};
    return answer_of($answer, \%said);
}

# Complete $answer by %$said, its trailers wherever they stood.
sub answer_of {
    my ($answer, $said) = @_;
    $answer->{code} = $said->{'grpc-status'};
    $answer->{text} = $said->{'grpc-message'};
    my $details = $said->{'grpc-status-details-bin'};
    $answer->{status} = status($details) if defined $details;
    return $answer;
}

# Call $method of the management service with the frame of $message.
sub call {
    my ($method, $headers, $message, $origin) = @_;
    return grpc(POST => MANAGEMENT . "/$method", $headers, frame($message),
        $origin);
}

sub update {
    my ($headers, $id, %profile) = @_;
    return call('UpdateHumanProfile', $headers, update_message($id, %profile));
}

sub get {
    my ($headers, $id, $origin) = @_;
    return call('GetHumanProfile', $headers, get_message($id), $origin);
}

# The code of an answer, and the name of its reason.
sub code { return $_[0]{code} // $_[0]{failed} // 'none' }

sub reason_of {
    my ($answer) = @_;
    return $answer->{status}{ErrorInfo}{reason} // '';
}

# The frames of a gRPC-Web body: [flag, bytes] each.
sub web {
    my ($bytes) = @_;
    my @frames;
    while (length $bytes) {
        my ($flag, $length) = unpack 'CN', substr $bytes, 0, 5, '';
        push @frames, [$flag, substr $bytes, 0, $length, ''];
    }
    return @frames;
}

END {
    if ($client) {
        local $?;
        close $to;
        waitpid $client, 0;
    }
}

1;
