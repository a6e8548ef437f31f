# How a body arrives: lengths, chunks, limits, clients that hang up, several
# requests on one connection.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Compress::Zlib ();
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::More;
use Time::HiRes qw(sleep);
use UserProfile;

my $site = site();
my $user = human($site);
my $line = "Authorization: Bearer $site->{token}";
my $turn = 0;

# One change that has not been made before, of $bytes bytes if they are given.
sub change {
    my ($bytes) = @_;
    my $json = sprintf '{"firstName":"%d","lastName":"L","displayName":"D"}', ++$turn;
    $json .= ' ' x ($bytes - length $json) if $bytes;
    return $json;
}

sub head {
    my ($place, @lines) = @_;
    return join '', map { "$_\r\n" } "PUT $place/users/$user/profile HTTP/1.1", 'Host: a', $line, @lines, '';
}

# $body in chunks of $size bytes, with what ends them.
sub chunked {
    my ($body, $size) = @_;
    return join('', map { sprintf "%x\r\n%s\r\n", length, $_ } unpack "(a$size)*", $body) . "0\r\n\r\n";
}

sub with_length {
    my ($place, $body, @lines) = @_;
    return head($place, 'Content-Length: ' . length $body, @lines) . $body;
}

sub in_chunks {
    my ($place, $body, $size, @lines) = @_;
    return head($place, 'Transfer-Encoding: chunked', @lines) . chunked($body, $size);
}

sub stored {
    my $profile = decode(request(GET => PROFILES . "/$user/profile", { bearer($site) }));
    return $profile->{profile}{firstName} . ' ' . $profile->{details}{sequence};
}

# The answers in $text: status and reason of each.
sub answers {
    my ($text) = @_;
    return map { my ($status) = /^(\d+)/; /"reason":"(\w+)"/ ? "$status $1" : $status }
        grep { length } split m{HTTP/1\.1 }, $text;
}

my $main = '/management/v1';
my $zip  = Compress::Zlib::memGzip(change());
my $bomb = Compress::Zlib::memGzip(change(1_000_000));
my $much = Compress::Zlib::memGzip('{"x":"' . join('', map { int rand 10 } 1 .. 65536) . '"}');
my @gzip = ('Content-Encoding: gzip');
my $close = 'Connection: close';
my @bodies = (
    # what                              request                                                       answers
    ['a body with Content-Length',                                   with_length($main, change()),                                 '200'],
    ['a body in one chunk',                                          in_chunks($main, change(), 1000),                             '200'],
    ['a body in chunks of one byte',                                 in_chunks($main, change(), 1),                                '200'],
    ['a body in chunks of seven bytes',                              in_chunks($main, change(), 7),                                '200'],
    ['a chunk with an extension',                                    head($main, 'Transfer-Encoding: chunked') . chunked(change(), 1000) =~ s/\r\n/;x=y\r\n/r, '200'],
    ['chunks with a trailer',                                        head($main, 'Transfer-Encoding: chunked') . chunked(change(), 1000) =~ s/\r\n\z/X: y\r\n\r\n/r, '200'],
    ['a Content-Length of 0',                                        with_length($main, ''),                                       '400 FIELD_INVALID'],
    ['chunked, but empty',                                           in_chunks($main, '', 1),                                      '400 FIELD_INVALID'],
    ['neither Content-Length nor chunks',                            head($main),                                                  '400 FIELD_INVALID'],
    ['as many bytes as the limit',                                   with_length($main, change(65536)),                            '200'],
    ['as many bytes as the limit, in chunks',                        in_chunks($main, change(65536), 5000),                        '200'],
    ['one byte over the limit',                                      with_length($main, change(65537)),                            '413 BODY_TOO_LARGE'],
    ['one byte over the limit, in chunks',                           in_chunks($main, change(65537), 5000),                        '413 BODY_TOO_LARGE'],
    ['one byte over the limit, in chunks of one',                    in_chunks('/small', change(101), 1),                          '413 BODY_TOO_LARGE'],
    ['as many bytes as a Location\'s UserProfileMaxBody',            with_length('/small', change(100)),                           '200'],
    ['as many bytes as a Location\'s UserProfileMaxBody, in chunks', in_chunks('/small', change(100), 1),                          '200'],
    ['one byte over a Location\'s UserProfileMaxBody',               with_length('/small', change(101)),                           '413 BODY_TOO_LARGE'],
    ['far over the limit, in chunks',                                in_chunks('/small', change(1_000_000), 8000),                 '413 BODY_TOO_LARGE'],
    ['a huge Content-Length',                                        head('/small', 'Content-Length: 9000000000000000000'),        '413 BODY_TOO_LARGE'],
    ['a Content-Length beyond 64 bits',                              head('/small', 'Content-Length: 99999999999999999999'),       '400 BAD_REQUEST'],
    ['a negative Content-Length',                                    head($main, 'Content-Length: -1'),                            '400 BAD_REQUEST'],
    ['a chunk size that is no number',                               head($main, 'Transfer-Encoding: chunked') . "zz\r\n{}\r\n0\r\n\r\n", '400 BAD_REQUEST'],
    ['a negative chunk size',                                        head($main, 'Transfer-Encoding: chunked') . "-2\r\n{}\r\n0\r\n\r\n", '400 BAD_REQUEST'],
    ['compressed, inflated by mod_deflate',                          with_length('/deflate', $zip, @gzip),                         '200'],
    ['compressed, inflated over the limit',                          with_length('/deflate', $much, @gzip),                        '413 BODY_TOO_LARGE'],
    ['a gzip bomb, refused by mod_deflate',                          with_length('/deflate', $bomb, @gzip),                        '400 BAD_REQUEST'],
    ['Content-Encoding: gzip on what is not compressed',             with_length('/deflate', change(), @gzip),                     '400 BAD_REQUEST'],
    ['gzip, inflated by us',                                         with_length($main, Compress::Zlib::memGzip(change()), @gzip), '200'],
    ['gzip, inflated by us over the limit',                          with_length($main, $much, @gzip),                             '413 BODY_TOO_LARGE'],
    ['Content-Encoding: gzip, for us, on what is not gzip',          with_length($main, change(), @gzip),                          '400 BODY_INVALID'],
    ['Content-Encoding: br',                                         with_length($main, change(), 'Content-Encoding: br'),         '415 MEDIA_TYPE_UNSUPPORTED'],
    ['Content-Encoding: identity',                                   with_length($main, change(), 'Content-Encoding: identity'),   '200'],
);
my $last = stored();
for my $case (@bodies) {
    my ($what, $request, $want) = @$case;
    my $got = raw($request =~ s/\r\n/\r\n$close\r\n/r);
    is join(' ', answers($got)), $want, "$what: $want";
    my $limit = $request =~ m{^PUT /small} ? 100 : 65536;
    like $got, qr/limit of $limit bytes/, "$what: the message names the limit" if $want =~ /^413/;
    my $now = stored();
    $want eq '200' ? isnt($now, $last, "$what: the profile is changed") : is($now, $last, "$what: the profile is not changed");
    $last = $now;
}

# Expect: 100-continue.
my $expect = 'Expect: 100-continue';
my @expecting = (
    ['with Content-Length',             with_length($main, change(), $expect, $close),           '100 200'],
    ['in chunks',                       in_chunks($main, change(), 9, $expect, $close),          '100 200'],
    ['a body that is not JSON',         with_length($main, '{', $expect, $close),                '100 400 BODY_INVALID'],
    ['a Content-Length over the limit', head($main, 'Content-Length: 65537', $expect, $close),   '413 BODY_TOO_LARGE'],
    ['chunks over the limit',           in_chunks('/small', change(101), 9, $expect, $close),    '100 413 BODY_TOO_LARGE'],
    ['no token',                        with_length($main, '{}', $expect, $close) =~ s/Authorization/X/r, '401 AUTH_HEADER_MISSING'],
    ['another media type',              with_length($main, '{}', $expect, $close, 'Content-Type: text/plain'), '415 MEDIA_TYPE_UNSUPPORTED'],
);
for my $case (@expecting) {
    my ($what, $request, $want) = @$case;
    is join(' ', answers(raw($request))), $want, "Expect: 100-continue, $what: $want";
}

# Several requests on one connection. LAST closes it.
my $get  = "GET $main/users/$user/profile HTTP/1.1\r\nHost: a\r\n$line\r\n\r\n";
my $end  = $get =~ s/\r\n/\r\n$close\r\n/r;
my $twin = change();
my @pipelines = (
    ['two changes and a read',                             with_length($main, change()) . with_length($main, change()) . $end, '200 200 200'],
    ['the same change twice, the second refused',          with_length($main, $twin) . with_length($main, $twin) . $end,       '200 400 PROFILE_NOT_CHANGED'],
    ['chunks, then Content-Length',                        in_chunks($main, change(), 3) . with_length($main, change()) . $end, '200 200 200'],
    ['a read before a change',                             $get . with_length($main, change()) . $end,                         '200 200 200'],
    ['an error of a GET',                                  $get =~ s/$user/nobody/r . $end,                                    '404 USER_NOT_FOUND 200'],
    ['after a refused token the body is skipped',          with_length($main, $end) =~ s/Bearer /Bearer x/r . $end,        '401 TOKEN_INVALID 200'],
    ['after a missing caller the body is skipped',         with_length('/open', $end) . $end,                                  '401 AUTH_HEADER_MISSING 200'],
    ['after a refused method the body is skipped',         with_length($main, $end) =~ s/PUT/POST/r . $end,                    '405 METHOD_NOT_ALLOWED 200'],
    ['after a refused media type the chunks are skipped',  in_chunks($main, $end, 9, 'Content-Type: text/plain') . $end,       '415 MEDIA_TYPE_UNSUPPORTED 200'],
    ['after a body that is too large the connection ends', with_length('/small', $end x 2) . $end,                             '413 BODY_TOO_LARGE'],
);
for my $case (@pipelines) {
    my ($what, $bytes, $want) = @$case;
    is join(' ', answers(raw($bytes))), $want, "on one connection, $what: $want";
}

# A client that hangs up halfway, politely or not. What it sent is whole JSON.
my $whole = change();
my @halves = (
    ['before the body',                head($main, 'Content-Length: 100')],
    ['in the body',                    head($main, 'Content-Length: 100') . '{"firstName":'],
    ['after the object, not the body', head($main, 'Content-Length: ' . (1 + length $whole)) . $whole],
    ['before the first chunk',         head($main, 'Transfer-Encoding: chunked')],
    ['in a chunk\'s size',             head($main, 'Transfer-Encoding: chunked') . '3'],
    ['in a chunk',                     head($main, 'Transfer-Encoding: chunked') . sprintf("%x\r\n%s", 10 + length $whole, $whole)],
    ['before the last chunk',          head($main, 'Transfer-Encoding: chunked') . chunked($whole, 1000) =~ s/0\r\n\r\n\z//r],
    ['in the last chunk',              head($main, 'Transfer-Encoding: chunked') . chunked($whole, 1000) =~ s/\r\n\r\n\z//r],
    ['in a compressed body',           head('/deflate', @gzip, 'Content-Length: ' . length $zip) . substr($zip, 0, -9)],
);
my $before = stored();
for my $case (@halves) {
    my ($what, $bytes) = @$case;
    my $mark = log_mark();
    unlike raw($bytes), qr/^HTTP.1\.1 2/, "a client that stops sending $what gets no success";

    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => UserProfile::vars()->{port}
    ) or die "cannot connect: $@";
    $socket->print($bytes);
    $socket->flush;
    sleep 0.05;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $socket;
    sleep 0.05;
    is stored(), $before, "a client that hangs up $what changes nothing";
    is join('', grep { /:(?:error|crit|alert|emerg)\]/ } split /^/, log_since($mark)), '',
        "a client that hangs up $what is no error in the log";
}

# A client that does not wait for the answer has its change made, or not at all.
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => UserProfile::vars()->{port})
    or die "cannot connect: $@";
$socket->print(with_length($main, $whole));
close $socket;
sleep 0.2;
my ($sequence) = $before =~ / (\d+)$/;
my ($now) = stored() =~ / (\d+)$/;
ok $now == $sequence || $now == $sequence + 1, 'a client that does not wait for the answer makes one change at most';

done_testing;
