# Which methods and media types our paths take; these come before anything else.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UserProfile;

my $site = site();
my $user = human($site);
my %auth = bearer($site);
my $path = "/users/$user/profile";
my $ours = "/management/v1$path";

# Refused methods.
my $wrong =
    '{"code":12,"message":"Method Not Allowed","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"METHOD_NOT_ALLOWED","domain":"userprofile"}]}';
my @methods = qw(
    TRACE OPTIONS DELETE POST PATCH CONNECTED MKCOL COPY MOVE LOCK UNLOCK
    PROPFIND PROPPATCH REPORT get Put HELLO X-1
);
for my $method (@methods) {
    for my $case (
        ['with a token', "Authorization: $auth{Authorization}"],
        ['without a token'],
        ['with a body of another type', 'Content-Type: text/plain', 'Content-Length: 0'],
        )
    {
        my ($what, @header) = @$case;
        my ($status, $header, $body) = plain_request($method, $ours, @header);
        is $status, 405, "$method $what is 405";
        is $header->{allow}, 'GET, HEAD, PUT', "$method $what: Allow is ours";
        is $body, $wrong, "$method $what: the body, to the byte";
    }
}
my ($status, $header, $body) = plain_request('DELETE', $ours);
is_deeply $header,
    {
        allow                    => 'GET, HEAD, PUT',
        'cache-control'          => 'no-store',
        'content-length'         => length $wrong,
        'content-type'           => 'application/json',
        'x-content-type-options' => 'nosniff',
    },
    'a refused method: these headers and no others';
for my $place ('/open', '/basic', '/nobody', '/small') {
    ($status, $header) = plain_request('DELETE', "$place$path");
    is "$status $header->{allow}", '405 GET, HEAD, PUT', "a refused method is 405 before access control at $place";
}
for my $method (qw(DELETE POST OPTIONS)) {
    my $got = request($method => "/management/v1/x", {%auth});
    unlike $got->header('Allow') || '', qr/PUT/, "$method of a path that is not ours: Allow is Apache's";
    isnt reason($got), 'METHOD_NOT_ALLOWED', "$method of a path that is not ours: the body is Apache's";
}

# Media types of a PUT: what, its Content-Type, whether it is taken.
my @types = (
    ['application/json',                         'application/json',                              1],
    ['application/json in capitals',             'APPLICATION/JSON',                              1],
    ['application/json in mixed case',           'Application/Json',                              1],
    ['application/json with a charset',          'application/json; charset=utf-8',               1],
    ['application/json with another charset',    'application/json;charset=ISO-8859-1',           1],
    ['application/json with a quoted charset',   'application/json ; charset="utf-8"',            1],
    ['application/json with unknown parameters', 'application/json; x=y; z',                      1],
    ['application/json with a semicolon',        'application/json;',                             1],
    ['no Content-Type',                          undef,                                           1],
    ['an empty Content-Type',                    '',                                              1],
    ['a Content-Type of blanks',                 '  ',                                            1],
    ['a Content-Type of parameters alone',       '; charset=utf-8',                               0],
    ['text/plain',                               'text/plain',                                    0],
    ['text/json',                                'text/json',                                     0],
    ['a form',                                   'application/x-www-form-urlencoded',             0],
    ['a multipart form',                         'multipart/form-data; boundary=x',               0],
    ['XML',                                      'application/xml',                               0],
    ['a media type based on JSON',               'application/problem+json',                      0],
    ['a merge patch',                            'application/merge-patch+json',                  0],
    ['a longer subtype',                         'application/jsonp',                             0],
    ['a shorter subtype',                        'application/jso',                               0],
    ['*/*',                                      '*/*',                                           0],
    ['two media types in one header',            'application/json, text/plain',                  0],
    ['a media type without a slash',             'json',                                          0],
    ['gRPC with another codec',                  'application/grpc+json',                         0],
    ['gRPC-Web with another codec',              'application/grpc-web+json',                     0],
);
my $json = '{"firstName":"","lastName":"L","displayName":"D"}';
for my $case (@types) {
    my ($what, $type, $taken) = @$case;
    my @type = defined $type ? ("Content-Type: $type") : ();
    my $text = raw("PUT $ours HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: $auth{Authorization}\r\n"
            . join('', map { "$_\r\n" } @type)
            . 'Content-Length: ' . length($json) . "\r\n\r\n$json");
    like $text, $taken ? qr/"reason":"FIELD_INVALID"/ : qr/^HTTP.1\.1 415 .*"reason":"MEDIA_TYPE_UNSUPPORTED"/s,
        "PUT with $what is " . ($taken ? 'taken' : 'refused');
    next if $taken;
    ($status, $header, $body) = plain_request('PUT', $ours, @type, 'Content-Length: 0');
    is $status, 415, "PUT with $what is 415 without a token too";
    is_deeply [sort keys %$header],
        [qw(cache-control content-length content-type x-content-type-options)], "PUT with $what: the headers of a 415";
    like $body, qr{"code":3,"message":"[^"]*application/json\b}, "PUT with $what: the message names the accepted types";
}
like raw("PUT $ours HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: \x01\r\n\r\n"),
    qr/^HTTP.1\.1 400 /, 'a Content-Type of control characters is refused by httpd';
is +(plain_request('PUT', $ours, 'Content-Type: application/json', 'Content-Type: application/json', 'Content-Length: 0'))[0],
    415, 'two Content-Type headers are refused';
is +(plain_request('DELETE', $ours, 'Content-Type: text/plain', 'Content-Length: 0'))[0], 405,
    'the method is checked before the media type';
is +(plain_request('PUT', "/open$path", 'Content-Type: text/plain', 'Content-Length: 0'))[0], 415,
    'the media type is checked before the caller';

# The hidden method of a header is none.
is request(POST => $ours, { %auth, 'X-HTTP-Method-Override' => 'PUT' }, '{}')->code, 405,
    'X-HTTP-Method-Override is ignored';
like raw("PUT $ours HTTP/1.0\r\nAuthorization: $auth{Authorization}\r\nContent-Length: 2\r\n\r\n{}"),
    qr/^HTTP.1\.[01] 400 .*"reason":"FIELD_INVALID"/s, 'HTTP/1.0 is served too';

done_testing;
