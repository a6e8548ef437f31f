# web.t -- gRPC-Web, binary and text, on HTTP/1.1 and on HTTP/2; and under
# the prefork MPM, where there is no HTTP/2 to rely on.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;
use Time::HiRes qw(time);
use Grpc;
use Protobuf;
use UserProfile;

my $site = site();
my %auth = (authorization => "Bearer $site->{token}");
my %ada  = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');
my $ok   = "\x80\0\0\0\x10grpc-status: 0\r\n";
my $update = MANAGEMENT . '/UpdateHumanProfile';
my $get    = MANAGEMENT . '/GetHumanProfile';

my $with_http2 = UserProfile::slurp(UserProfile::top() . '/modules.conf') !~ /mod_mpm_prefork/;

# What carries a request, and gives { http, headers, body }.
my %carriers = (
    'HTTP/1.1' => sub {
        my ($method, $path, $headers, $body) = @_;
        my $got = request($method => $path, $headers, $body);
        return { http => $got->code, headers => { map { lc $_ => $got->header($_) } $got->header_field_names },
            body => $got->content };
    },
    'HTTP/2' => sub {
        my $got = h2(@_);
        return { %$got, http => $got->{headers}{':status'} };
    },
);
delete $carriers{'HTTP/2'} unless $with_http2;

my $carry;

# One call in type $type; $answer->{frames} is what its body consists of.
sub web_call {
    my ($type, $path, $headers, $frames, $method) = @_;
    my $is_text = $type =~ /text/i;
    my $answer = $carry->($method || 'POST', $path, { 'content-type' => $type, %$headers },
        $is_text ? encode_base64($frames, '') : $frames);
    return complete($answer, $is_text);
}

sub complete {
    my ($answer, $is_text) = @_;
    my $bytes = $is_text ? decode_base64($answer->{body}) : $answer->{body};
    $answer->{frames} = [web($bytes)];
    $answer->{bytes} = $bytes;
    my %said = map { /^([a-z-]+): (.*)$/ ? ($1 => $2) : () } split /\r\n/, $answer->{frames}[-1][1] // '';
    return answer_of($answer, \%said);
}

my @types = map { ("application/grpc-web$_", "application/grpc-web$_+proto") } '', '-text';
for my $name (sort keys %carriers) {
    $carry = $carriers{$name};
    for my $type (@types, 'Application/gRPC-Web-Text; charset=utf-8') {
        my $user = human($site);
        my $got = web_call($type, $update, \%auth, frame(update_message($user, %ada)));
        is $got->{http}, 200, "$name, $type: an update";
        is $got->{headers}{'content-type'}, lc $type =~ s/;.*//r, "$name, $type: the answer's Content-Type is the request's";
        is scalar @{ $got->{frames} }, 2, "$name, $type: the answer is two frames";
        is $got->{frames}[0][0], 0, "$name, $type: the first frame is a message";
        is substr($got->{bytes}, -length $ok), $ok, "$name, $type: the second frame is the trailers, to the byte";
        is $got->{headers}{'content-length'}, length $got->{body}, "$name, $type: Content-Length";
        is $got->{headers}{'cache-control'}, 'no-store', "$name, $type: Cache-Control";
        ok !(grep { /^grpc/ } keys %{ $got->{headers} }), "$name, $type: no header begins with grpc";

        $got = web_call($type, $get, \%auth, frame(get_message($user)));
        my $profile = fields(fields($got->{frames}[0][1])->{2}[0]);
        is $profile->{1}[0], 'Ada', "$name, $type: a read has what was stored";
        $got = web_call($type, PROFILES . "/$user/profile", \%auth, frame(''), 'GET');
        is fields(fields($got->{frames}[0][1])->{2}[0])->{1}[0], 'Ada', "$name, $type: a read on a path of REST has it too" if $name eq 'HTTP/2';
        $got = web_call($type, PROFILES . "/$user/profile", \%auth, frame(update_message('x', %ada, nickName => 'y')), 'PUT');
        is code($got), 0, "$name, $type: an update on a path of REST";

        $got = web_call($type, $get, \%auth, frame(get_message('nobody')));
        is $got->{http}, 200, "$name, $type: an error is HTTP 200";
        is scalar @{ $got->{frames} }, 1, "$name, $type: an error is one frame";
        is $got->{frames}[0][0], 0x80, "$name, $type: an error is a frame of trailers";
        like $got->{frames}[0][1],
            qr{\Agrpc-message: User could not be found \(QUERY-HNhb3\)\r\ngrpc-status: 5\r\ngrpc-status-details-bin: [A-Za-z0-9+/]+\r\n\z},
            "$name, $type: an error's trailers, in lower case and sorted";
        is reason_of($got), 'USER_NOT_FOUND', "$name, $type: an error has details";
        is $got->{headers}{'content-type'}, lc $type =~ s/;.*//r, "$name, $type: an error's Content-Type is the request's";
    }
}

# Errors of each layer: path, metadata, frames, code, reason.
my $user = human($site, %ada);
my $good = frame(update_message($user, %ada, nickName => 'changed'));
my $look = frame(get_message($user));
my @errors = (
    ['no token',                            $get,    {},                       $look, 16, 'AUTH_HEADER_MISSING'],
    ['an unknown token',                    $get,    { authorization => 'Bearer x' }, $look, 16, 'TOKEN_INVALID'],
    ['an unknown organisation',             $get,    { %auth, 'x-zitadel-orgid' => 'x' }, $look, 7, 'ORG_NOT_FOUND'],
    ['a bad field',                         $update, \%auth, frame(update_message($user)), 3, 'FIELD_INVALID'],
    ['unchanged values',                    $update, \%auth, frame(update_message($user, %ada)), 9, 'PROFILE_NOT_CHANGED'],
    ['another sequence',                    $update, { %auth, 'if-match' => '"9"' }, $good, 10, 'SEQUENCE_MISMATCH'],
    ['a Range within the answer',           $get,    { %auth, range => 'bytes=0-3' }, frame(get_message('nobody')), 5, 'USER_NOT_FOUND'],
    ['a Range beyond the answer',           $get,    { %auth, range => 'bytes=9000-' }, frame(get_message('nobody')), 5, 'USER_NOT_FOUND'],
    ['a grpc-timeout that has passed',      $update, { %auth, 'grpc-timeout' => '1n' }, $good, 4, 'DEADLINE_EXCEEDED'],
    ['an unknown method',                   MANAGEMENT . '/Foo', \%auth, $look, 12, 'UNIMPLEMENTED'],
    ['an unknown encoding',                 $update, { %auth, 'grpc-encoding' => 'br' }, $good, 12, 'UNIMPLEMENTED'],
    ['no frame',                            $update, \%auth, '',                13, 'BODY_INVALID'],
    ['two frames',                          $update, \%auth, $good x 2,         13, 'BODY_INVALID'],
    ['a cut frame',                         $update, \%auth, substr($good, 0, -1), 13, 'BODY_INVALID'],
    ['a frame of trailers from the client', $update, \%auth, $good . $ok,       13, 'BODY_INVALID'],
    ['invalid UTF-8',                       $update, \%auth, frame(text(1, $user) . text(2, "\xff")), 13, 'BODY_INVALID'],
    ['a message over the limit',            $update, \%auth, frame('x' x 70000), 8, 'BODY_TOO_LARGE'],
    ['Require all denied',                  "/refused$get", \%auth, $look,      7, 'FORBIDDEN'],
    ['an ErrorDocument of text',            "/errordocument$get", \%auth, $look, 7, 'FORBIDDEN'],
    ['an ErrorDocument that is a page',     "/page$get", \%auth, $look,        7, 'FORBIDDEN'],
    ['an ErrorDocument elsewhere',          "/elsewhere$get", \%auth, $look,   7, 'FORBIDDEN'],
    ['mod_auth_basic',                      "/basic$get", {}, $look,            16, 'UNAUTHENTICATED'],
    ['LimitRequestBody',                    "/limited$get", \%auth, frame(get_message('x' x 150)), 8, 'BODY_TOO_LARGE'],
    ['the health of an unknown service',    HEALTH, {}, frame(text(1, 'x')),    5, 'SERVICE_NOT_FOUND'],
);
for my $name (sort keys %carriers) {
    $carry = $carriers{$name};
    for my $case (@errors) {
        my ($what, $path, $headers, $frames, $code, $reason) = @$case;
        for my $type ('application/grpc-web+proto', 'application/grpc-web-text') {
            my $got = web_call($type, $path, $headers, $frames);
            is $got->{http}, 200, "$name, $type, $what: HTTP 200";
            is code($got), $code, "$name, $type, $what: grpc-status $code";
            is reason_of($got), $reason, $reason;
            is $got->{status}{message}, $got->{text}, "$name, $type, $what: grpc-message and the details agree";
            is $got->{headers}{'content-type'}, $type, "$name, $type, $what: the answer's Content-Type is the request's";
        }
    }

    # Bodies in text mode that are not one piece of base64.
    my $in_pieces = join '', map { encode_base64($_, '') } unpack '(a7)*', frame(get_message($user));
    my @texts = (
        ['base64 in pieces, each with its padding', $in_pieces,                       0],
        ['base64 without its padding',               encode_base64($look, '') =~ s/=+$//r . 'A', 13],
        ['text that is not base64',                    '{"userId":1}',                   13],
        ['base64 in the alphabet for URLs',          '____',                           13],
        ['base64 with line ends',                encode_base64($look, "\r\n"),     13],
        ['binary frames',                        $look,                            13],
        ['an empty body',                       '',                               13],
        ['padding alone',                 '====',                           13],
    );
    for my $case (@texts) {
        my ($what, $text, $code) = @$case;
        my $got = complete($carry->(POST => $get, { %auth, 'content-type' => 'application/grpc-web-text' }, $text), 1);
        is code($got), $code, "$name, text mode, $what: grpc-status $code";
    }

    my $got = web_call('application/grpc-web', HEALTH, {}, frame(''));
    is $got->{bytes}, frame(number(1, 1)) . $ok, "$name: health, to the byte";
    $got = web_call('application/grpc-web-text', "/deflate$get", { %auth, 'accept-encoding' => 'gzip' }, $look);
    is code($got), 0, "$name: behind SetOutputFilter DEFLATE a read succeeds";
    is $got->{headers}{'content-encoding'}, undef, "$name: behind SetOutputFilter DEFLATE an answer is not compressed";
    $got = $carry->(PUT => $get, { %auth, 'content-type' => 'application/grpc-web' }, $look);
    is $got->{http}, 405, "$name: PUT on an RPC path is 405";
    $got = $carry->(POST => $get, { %auth, 'content-type' => 'application/grpc-web+json' }, $look);
    is $got->{http}, 415, "$name: another codec is 415";
}
is decode(request(GET => PROFILES . "/$user/profile", { bearer($site) }))->{details}{sequence}, 1,
    'no refused call changed anything';

# A body whose length is not known.
my @pieces = unpack '(a3)*', $good;
my $got = request(POST => $update, { %auth, 'Content-Type' => 'application/grpc-web' }, sub { shift @pieces // '' });
is $got->code, 200, 'a chunked body: HTTP 200';
like $got->content, qr/\Q$ok\E\z/, 'a chunked body is read';

# Too much of a body, of which no more comes: the answer does not wait for the
# rest, and the connection ends.
my @stalled = (
    ['a Content-Length over the limit',        $update,          "Content-Length: 1000000\r\n\r\n"],
    ['chunks over the limit',                  $update,          sprintf "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", 70000, 'x' x 70000],
    ['a Content-Length over LimitRequestBody', "/limited$update", "Content-Length: 1000000\r\n\r\n"],
);
for my $case (@stalled) {
    my ($what, $path, $rest) = @$case;
    for my $type (@types) {
        my $began = time;
        my $text  = raw("POST $path HTTP/1.1\r\nHost: a\r\nAuthorization: $auth{authorization}\r\n"
            . "Content-Type: $type\r\n$rest", 1);
        cmp_ok time - $began, '<', 5, "$type, $what: answered before the rest of the body";
        my ($head, $body) = split /\r\n\r\n/, $text, 2;
        like $head, qr/^HTTP.1\.1 200 .*^Connection: (?:.*, )?close\r?$/ms, "$type, $what: the connection ends, and Connection says so";
        is reason_of(complete({ body => $body }, $type =~ /text/)), 'BODY_TOO_LARGE', 'BODY_TOO_LARGE';
    }
}

# What another module does to the request's headers once the route is chosen.
$got = request(POST => "/untyped$get", { %auth, 'Content-Type' => 'application/grpc-web' }, $look);
is $got->code, 200, 'a Content-Type that mod_headers removes: HTTP 200';
is $got->header('Content-Type'), 'application/grpc-web', 'a Content-Type that mod_headers removes is still that of the answer';

# gRPC itself. (Without TLS, mod_http2 2.0.42 takes a client that begins with
# HTTP/2 even under prefork, against its own warning.)
my $version = qx(curl -sk --http2 -o /dev/null -w '%{http_version}' @{[tls_origin()]}/);
is $version, $with_http2 ? 2 : 1.1, 'TLS negotiates HTTP/2, except under prefork';
$got = request(POST => $get, { %auth, 'Content-Type' => 'application/grpc' }, $look);
is $got->code, 505, 'gRPC over HTTP/1.1 is 505';
is reason($got), 'HTTP_VERSION_NOT_SUPPORTED', 'gRPC over HTTP/1.1 is refused in JSON';

done_testing;
