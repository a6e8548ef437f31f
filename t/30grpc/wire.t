# wire.t -- bytes and metadata that are not what gRPC asks for: each has its
# answer, changes nothing, and leaves the connection as it was.
use strict;
use warnings;

use Compress::Zlib ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Grpc;
use Protobuf;
use UserProfile;

my $site = site();
my %auth = (authorization => "Bearer $site->{token}");
my $user = human($site);
my %ada  = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');
my $good = update_message($user, %ada, nickName => 'changed');
my $update = MANAGEMENT . '/UpdateHumanProfile';
my $before = stored();
my $limit  = 65536;

sub stored {
    return decode(request(GET => PROFILES . "/$user/profile", { bearer($site) }));
}

sub gzip { return Compress::Zlib::memGzip($_[0]) }

my $bomb = gzip(text(9, "\0" x 50_000_000));
my %gzip = ('grpc-encoding' => 'gzip');

# What, metadata, body, code, reason.
my @cases = (
    ['no frame',                                       {},     '',                                  13, 'BODY_INVALID'],
    ['a frame cut in its header',                      {},     "\0\0\0",                            13, 'BODY_INVALID'],
    ['four bytes of a frame\'s header',                {},     "\0\0\0\0",                          13, 'BODY_INVALID'],
    ['a frame cut in its message',                     {},     substr(frame($good), 0, -1),         13, 'BODY_INVALID'],
    ['a length of 2^32-1',                             {},     frame($good, 0, 0xffffffff),         8,  'BODY_TOO_LARGE'],
    ['a length of 2^31',                               {},     frame($good, 0, 0x80000000),         8,  'BODY_TOO_LARGE'],
    ['a length one too long',                          {},     frame($good, 0, length($good) + 1),  13, 'BODY_INVALID'],
    ['a length one too short',                         {},     frame($good, 0, length($good) - 1),  13, 'BODY_INVALID'],
    ['two frames',                                     {},     frame($good) x 2,                    13, 'BODY_INVALID'],
    ['an empty frame after a message',                 {},     frame($good) . frame(''),            13, 'BODY_INVALID'],
    ['a compressed flag without grpc-encoding',        {},     frame(gzip($good), 1),               13, 'BODY_INVALID'],
    ['a compressed flag with grpc-encoding: identity', { 'grpc-encoding' => 'identity' }, frame($good, 1),   13, 'BODY_INVALID'],
    ['an unknown flag',                                {},     frame($good, 2),                     13, 'BODY_INVALID'],
    ['an unknown flag with grpc-encoding',             {%gzip}, frame(gzip($good), 2),              13, 'BODY_INVALID'],
    ['the flag of gRPC-Web\'s trailers',               {},     frame($good, 0x80),                  13, 'BODY_INVALID'],
    ['a compressed frame that is not gzip',            {%gzip}, frame($good, 1),                    13, 'BODY_INVALID'],
    ['a compressed frame that is cut',                 {%gzip}, frame(substr(gzip($good), 0, -9), 1), 13, 'BODY_INVALID'],
    ['a compressed frame without bytes',               {%gzip}, frame('', 1),                       13, 'BODY_INVALID'],
    ['a gzip bomb',                                    {%gzip}, frame($bomb, 1),                    8,  'BODY_TOO_LARGE'],
    ['a gzip bomb compressed twice',                   {%gzip}, frame(gzip($bomb), 1),              13, 'BODY_INVALID'],
    ['gzip, one byte over the limit',                  {%gzip}, frame(gzip(text(9, 'x' x ($limit - 3))), 1), 8, 'BODY_TOO_LARGE'],
    ['an unknown grpc-encoding',                       { 'grpc-encoding' => 'br' },      frame($good), 12, 'UNIMPLEMENTED'],
    ['grpc-encoding: deflate',                         { 'grpc-encoding' => 'deflate' },                     frame($good), 12, 'UNIMPLEMENTED'],
    ['a message over the limit',                       {},     frame("$good" . text(9, 'x' x $limit)), 8, 'BODY_TOO_LARGE'],
    ['a message of 100 times the limit',               {},     frame(text(9, 'x' x (100 * $limit))), 8, 'BODY_TOO_LARGE'],
    ['bytes that are no message',                      {},     frame("\xff\xff\xff"),               13, 'BODY_INVALID'],
    ['a field cut off',                                {},     frame($good . "\x12\x7f"),           13, 'BODY_INVALID'],
    ['field 0',                                        {},     frame($good . "\2\0"),               13, 'BODY_INVALID'],
    ['a name that is not UTF-8',                       {},     frame($good . text(2, "\xff")),      13, 'BODY_INVALID'],
    ['a lone surrogate',                               {},     frame($good . text(2, "\xed\xa0\x80")), 13, 'BODY_INVALID'],
    ['UTF-8 in an overlong form',                      {},     frame($good . text(2, "\xc0\x80")),  13, 'BODY_INVALID'],
    ['an id that is not UTF-8',                        {},     frame($good . text(1, "\xff")),      13, 'BODY_INVALID'],
    ['a NUL in a name',                                {},     frame($good . text(2, "a\0b")),      3, 'BODY_INVALID'],
    ['a name as a number',                             {},     frame($good . number(2, 1)),         13, 'BODY_INVALID'],
    ['a gender as a string',                           {},     frame($good . text(7, "\1")),        13, 'BODY_INVALID'],
    ['a gender as 32 bits',                            {},     frame($good . "\x3d\1\0\0\0"),       13, 'BODY_INVALID'],
    ['a known field as a group',                       {},     frame($good . "\x13\x14"),           13, 'BODY_INVALID'],
    ['an unknown field as a group',                    {},     frame($good . "\x4b\x4c"),           13, 'BODY_INVALID'],
    ['wire type 6',                                    {},     frame($good . "\x4e"),               13, 'BODY_INVALID'],
    ['a varint of eleven bytes',                       {},     frame($good . "\x48" . "\xff" x 10 . "\1"), 13, 'BODY_INVALID'],
    ['a negative gender',                              {},     frame($good . "\x38" . "\xff" x 9 . "\1"), 3, 'FIELD_INVALID'],
    ['a grpc-timeout that is a word',                  { 'grpc-timeout' => 'soon' },             frame($good), 3, 'BODY_INVALID'],
    ['a grpc-timeout without a unit',                  { 'grpc-timeout' => '10' },             frame($good), 3, 'BODY_INVALID'],
    ['a grpc-timeout without a number',                { 'grpc-timeout' => 'S' },            frame($good), 3, 'BODY_INVALID'],
    ['a negative grpc-timeout',                        { 'grpc-timeout' => '-1S' },                  frame($good), 3, 'BODY_INVALID'],
    ['a grpc-timeout of nine digits',                  { 'grpc-timeout' => '100000000S' },               frame($good), 3, 'BODY_INVALID'],
    ['an empty grpc-timeout',                          { 'grpc-timeout' => '' },                       frame($good), 3, 'BODY_INVALID'],
    ['a grpc-timeout of a nanosecond',                 { 'grpc-timeout' => '1n' },                      frame($good), 4, 'DEADLINE_EXCEEDED'],
    ['a grpc-timeout of zero',                         { 'grpc-timeout' => '0S' },                           frame($good), 4, 'DEADLINE_EXCEEDED'],
    ['a grpc-timeout that passes before the handler',  { 'grpc-timeout' => '50m', 'x-test-delay' => 200 }, frame($good), 4, 'DEADLINE_EXCEEDED'],
);

for my $case (@cases) {
    my ($what, $metadata, $body, $code, $reason) = @$case;
    my $got = grpc(POST => $update, { %auth, %$metadata }, $body);
    is code($got), $code, "$what: grpc-status $code";
    is $got->{http}, 200, "$what: HTTP 200";
    is reason_of($got), $reason, $reason;
    is $got->{status}{message}, $got->{text}, "$what: grpc-message and the details agree";
    is $got->{headers}{'grpc-accept-encoding'}, $code == 12 ? 'identity,gzip' : undef, "$what: grpc-accept-encoding";
}
is_deeply stored(), $before, 'no refused message changed anything';
is grpc(POST => $update, \%auth, frame("\x08"))->{text} =~ /^grpc: error unmarshalling request: /, 1,
    'the message of one that cannot be parsed says so';

# What is unusual and right: metadata, body.
my $n = 0;
sub fresh { return update_message($user, %ada, nickName => 'n' . ++$n) }
my @accepted = (
    ['a compressed frame',                             {%gzip}, sub { frame(gzip(fresh()), 1) }],
    ['a compressed frame of two gzip members',         {%gzip}, sub { my $m = fresh(); frame(gzip(substr $m, 0, 9) . gzip(substr $m, 9), 1) }],
    ['grpc-encoding: gzip with an uncompressed frame', {%gzip}, sub { frame(fresh()) }],
    ['unknown fields',                                 {},      sub { frame(text(9, 'x') . number(15, 1) . fresh() . "\x55\1\2\3\4" . "\x51" . '8' x 8) }],
    ['a field twice, of which the last counts,',       {},      sub { frame(text(2, 'first') . fresh()) }],
    ['fields in another order',                        {},      sub { frame(number(7, 1) . fresh()) }],
    ['a message of as many bytes as the limit',        {},      sub { my $m = fresh(); frame($m . text(9, 'x' x ($limit - length($m) - 5 - 4))) }],
    ['a compressed message inflated to the limit',     {%gzip}, sub { my $m = fresh(); frame(gzip($m . text(9, 'x' x ($limit - length($m) - 4))), 1) }],
    ['a grpc-timeout of 8 digits of hours',            { 'grpc-timeout' => '99999999H' },          sub { frame(fresh()) }],
    ['a grpc-timeout that is far enough',              { 'grpc-timeout' => '5S', 'x-test-delay' => 50 }, sub { frame(fresh()) }],
);
for my $case (@accepted) {
    my ($what, $metadata, $body) = @$case;
    is code(grpc(POST => $update, { %auth, %$metadata }, $body->())), 0, "$what is accepted";
    is stored()->{profile}{nickName}, "n$n", "$what is stored";
}

# A small limit of a place; a read has no deadline of its own to miss.
is code(grpc(POST => "/small$update", \%auth, frame('x' x 96))), 8, 'UserProfileMaxBody counts the frame\'s header';
is code(get({ %auth, 'grpc-timeout' => 'x' }, $user)), 3, 'a read with a grpc-timeout that is a word is INVALID_ARGUMENT';

# Answers are never compressed.
my $got = grpc(POST => '/deflate' . MANAGEMENT . '/GetHumanProfile',
    { %auth, 'accept-encoding' => 'gzip', 'grpc-accept-encoding' => 'gzip' }, frame(get_message($user)));
is code($got), 0, 'behind SetOutputFilter DEFLATE a read succeeds';
is $got->{headers}{'content-encoding'}, undef, 'behind SetOutputFilter DEFLATE an answer is not compressed';
is ord($got->{body}), 0, 'behind SetOutputFilter DEFLATE a frame has no compressed flag';

# Without HTTP/2.
$got = request(POST => $update, { bearer($site), 'Content-Type' => 'application/grpc' }, frame($good));
is $got->code, 505, 'gRPC over HTTP/1.1 is 505';
is reason($got), 'HTTP_VERSION_NOT_SUPPORTED', 'gRPC over HTTP/1.1 is refused in JSON';
is decode($got)->{message}, 'gRPC requires HTTP/2; over HTTP/1.1 use gRPC-Web', 'gRPC over HTTP/1.1: the message says what to use';
$got = request(POST => $update, { bearer($site), 'Content-Type' => 'application/grpc+json' }, '{}');
is $got->code, 415, 'gRPC with another codec is 415';
$got = h2(POST => $update, { %auth, 'content-type' => 'application/json' }, '{}');
is $got->{headers}{':status'}, 400, 'JSON on an RPC path is Connect';
like $got->{body}, qr/^\{"code":"invalid_argument"/, 'JSON on an RPC path: an error has the form of Connect';

done_testing;
