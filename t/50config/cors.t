# UserProfileCors: which pages of other origins may call, what they may send and
# read. t/85browser has a browser do so.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Grpc qw(h2);
use UserProfile;

my $site = site();
my $user = human($site);
my ($app, $local, $other) = ('https://app.example.com', 'http://localhost:3000', 'https://other.example.com');
my $profile = "management/v1/users/$user/profile";
my $rpc     = 'zitadel.management.v1.ManagementService/GetHumanProfile';
my @token   = ("Authorization: Bearer $site->{token}");

# The names of headers that begin alike, and their values.
my ($allow, $expose) = ('access-control-allow-', 'access-control-expose-headers');

# The CORS headers of an answer, without those that are always alike.
sub said {
    my ($headers) = @_;
    my %said = map { /^access-control-(?:allow-)?(origin|credentials)$/ ? ($1 => $headers->{$_}) : () } keys %$headers;
    return \%said;
}

# What a preflight of $origin for $method on $path is answered: HTTP's status
# and headers.
sub preflight {
    my ($path, $origin, $method, @more) = @_;
    return (plain_request(OPTIONS => $path, $origin ? "Origin: $origin" : (), "Access-Control-Request-Method: $method", @more))[0, 1];
}

my $exactly = sub { { origin => $_[0], credentials => 'true' } };
my ($status, $headers);

for my $path ("/cors/$profile", "/cors/users/$user/profile", "/cors/$rpc", "/cors/v2/users/$user", '/cors/auth/v1/users/me/profile') {
    for my $origin ($app, $local) {
        ($status, $headers) = preflight($path, $origin, 'PUT', 'Access-Control-Request-Headers: authorization');
        is $status, 204, "a preflight of $origin for $path is answered without authentication";
        is_deeply said($headers), $exactly->($origin), '... with its origin and credentials';
        is $headers->{vary}, 'Origin', '... and varies by it';
    }
    ($status, $headers) = preflight($path, $other, 'PUT');
    is $status, 405, "a preflight of another origin for $path is refused";
    is_deeply [grep { /^access-control/ } keys %$headers], [], '... and nothing allowed';
    is $headers->{vary}, 'Origin', '... and varies by the origin';
}
($status, $headers) = preflight("/cors/$profile", $app, 'GET');
is $headers->{"${allow}methods"}, 'GET, HEAD, PUT, PATCH, POST', 'the methods that pages may use';
my %sent = map { $_ => 1 } split /, /, $headers->{"${allow}headers"};
is_deeply [grep { !$sent{$_} } qw(
    authorization content-type content-encoding x-zitadel-orgid if-match if-none-match grpc-timeout x-grpc-web
    x-user-agent connect-protocol-version connect-timeout-ms
)], [], 'the headers that pages may send';
like $headers->{'access-control-max-age'}, qr/^\d+$/, 'how long that may be remembered';
is $headers->{'cache-control'}, 'no-store', 'no cache of HTTP keeps it';

# Which requests are preflights, and of whom.
my $log = log_mark();
for my $case (
    ['an origin in other case',               'HTTPS://app.example.com',      405],
    ['an origin with its scheme\'s port',     'https://app.example.com:443',  405],
    ['an origin of another port',             'https://app.example.com:8443', 405],
    ['an origin of another scheme',           'http://app.example.com',       405],
    ['an origin that begins alike',           'https://app.example.com.evil', 405],
    ['an origin that ends alike',             'https://xapp.example.com',     405],
    ['two origins',                           "$app $local",                  405],
    ['the opaque origin',                     'null',                         405],
    ['no origin',                             undef,                          405],
    )
{
    my ($what, $origin, $want) = @$case;
    ($status, $headers) = preflight("/cors/$profile", $origin, 'PUT');
    is $status, $want, "$what is refused";
    is_deeply said($headers), {}, "$what: nothing is allowed";
}
like log_since($log), qr/METHOD_NOT_ALLOWED: method OPTIONS is not allowed here: UserProfileCors does not have the preflight's origin/,
    'the log says why';
($status, $headers) = plain_request(OPTIONS => "/cors/$profile", "Origin: $app");
is $status, 405, 'OPTIONS that asks for no method is no preflight';
is_deeply said($headers), $exactly->($app), '... but its answer may be read';
is((preflight('/cors/index.html', $app, 'GET'))[1]{"${allow}origin"}, undef, 'other content below the section is none of ours');
is((preflight("/api/$profile", $app, 'GET'))[0], 405, 'without UserProfileCors a preflight is refused');
is((plain_request(GET => "/api/$profile", "Origin: $app", @token))[1]{vary}, undef, '... and nothing varies');
($status, $headers) = preflight("/cors/off/$profile", $app, 'GET');
is "$status " . join(' ', grep { /^(?:vary|access-control)/ } keys %$headers), '405 ', 'an inner section may turn it off';

is((preflight("/cors/proxied/$profile", $app, 'GET'))[0], 403, 'what a section sends elsewhere is not let past authentication');

# Any origin.
($status, $headers) = preflight("/cors/any/$profile", $other, 'PATCH');
is $status, 204, '*: a preflight of any origin is answered';
is_deeply said($headers), { origin => '*' }, '*: ... without credentials';
($status, $headers) = plain_request(GET => "/cors/any/$profile", 'Origin: null', @token);
is $status, 200, '*: a call of an opaque origin';
is_deeply said($headers), { origin => '*' }, '*: ... may be read';
is $headers->{vary}, 'Origin', '*: ... and varies';

# A section with one protocol: a preflight does not say which it is for.
is((preflight("/cors/web/$profile", $app, 'POST'))[0], 204, 'gRPC-Web alone: a preflight on a REST path');
is((preflight("/cors/web/$rpc", $app, 'POST'))[0], 204, 'gRPC-Web alone: a preflight on an RPC path');

# Answers: the path, more headers, what is answered.
for my $case (
    ['a read',                                      'GET', "/cors/$profile", [@token], 200],
    ['HEAD',                                        'HEAD', "/cors/$profile", [@token], 200],
    ['a user who does not exist',                   'GET', '/cors/v2/users/nobody', [@token], 404],
    ['no token',                                    'GET', "/cors/$profile", [], 401],
    ['a wrong token',                               'GET', "/cors/$profile", ['Authorization: Bearer x'], 401],
    ['a method that is not allowed',                'DELETE', "/cors/$profile", [@token], 405],
    ['a media type that is not known',              'PUT', "/cors/$profile", [@token, 'Content-Type: text/plain', 'Content-Length: 0'], 415],
    ['a body that is no JSON',                      'PUT', "/cors/$profile", [@token, 'Content-Type: application/json', 'Content-Length: 0'], 400],
    ['another module\'s 403',                       'GET', "/cors/denied/$profile", [@token], 403],
    ['another module\'s 401',                       'GET', "/cors/basic/$profile", [basic('admin', 'wrong') ], 401],
    ['a text of the site for an error',             'GET', "/cors/document/$profile", [@token], 403],
    ['a page of the site for an error',             'GET', "/cors/page/$profile", [@token], 403],
    ['gRPC-Web for which a module has an error',    'POST', "/cors/denied/$rpc", ['Content-Type: application/grpc-web+proto', 'Content-Length: 0'], 200],
    ['Connect for which a module has an error',     'POST', "/cors/denied/$rpc", ['Content-Type: application/json', 'Content-Length: 0'], 403],
    )
{
    my ($what, $method, $path, $more, $want) = @$case;
    my @more = @$more && $more->[0] eq 'Authorization' ? ("Authorization: $more->[1]") : @$more;
    ($status, $headers) = plain_request($method => $path, "Origin: $app", @more);
    is $status, $want, "$what: status";
    is_deeply said($headers), $exactly->($app), "$what may be read";
    is_deeply [sort split /,\s*/, $headers->{vary} // ''], ['Origin'], "$what varies";
    ($status, $headers) = plain_request($method => $path, "Origin: $other", @more);
    is $status, $want, "$what: status for another origin";
    is_deeply [grep { /^access-control/ } keys %$headers], [], "$what may not be read from another origin";
    is_deeply [sort split /,\s*/, $headers->{vary} // ''], ['Origin'], "$what varies for another origin";
}
($status, $headers) = plain_request(GET => "/cors/$profile", @token);
is_deeply [$status, $headers->{vary}, said($headers)], [200, 'Origin', {}], 'a request without an origin varies too';
($status, $headers) = plain_request(GET => "/cors/deflate/$profile", @token, "Origin: $app", 'Accept-Encoding: gzip');
is_deeply [sort split /,\s*/, $headers->{vary} // ''], ['Accept-Encoding', 'Origin'], 'what mod_deflate says of Vary stays';
my %exposed = map { $_ => 1 } split /, /, $headers->{$expose};
is_deeply [grep { !$exposed{$_} } qw(etag grpc-status grpc-message grpc-status-details-bin www-authenticate retry-after allow)],
    [], 'the headers that pages may read';

# Over HTTP/2.
my $got = h2(OPTIONS => "/cors/$profile", { origin => $app, 'access-control-request-method' => 'PUT' });
is_deeply [$got->{headers}{':status'}, said($got->{headers})], [204, $exactly->($app)], 'HTTP/2: a preflight';
$got = h2(GET => "/cors/$profile", { origin => $app, authorization => "Bearer $site->{token}" });
is_deeply [$got->{headers}{':status'}, said($got->{headers}), $got->{headers}{vary}], [200, $exactly->($app), 'Origin'], 'HTTP/2: a read';
$got = h2(GET => "/cors/denied/$profile", { origin => $app });
is_deeply [$got->{headers}{':status'}, said($got->{headers}), $got->{headers}{vary}], [403, $exactly->($app), 'Origin'], 'HTTP/2: another module\'s error';

# What the page has already.
($status, $headers) = plain_request(GET => "/cors/$profile", @token, "Origin: $app", 'If-None-Match: "1"');
is_deeply [$status, said($headers)], [304, $exactly->($app)], 'what a page has already may be read as such';

done_testing;
