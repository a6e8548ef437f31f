# AuthType UserProfile: which Authorization headers are good, and what a 401
# says.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Digest::SHA qw(sha256_hex);
use POSIX       qw(strftime);
use Test::More;
use Time::HiRes qw(sleep time);
use UserProfile;

my $site  = site();
my $token = $site->{token};
my $user  = human($site);
my $path  = "/users/$user/profile";

# What a request by $header, or without one, below $place comes to.
sub answer {
    my ($place, $header, $method) = @_;
    return request($method || 'GET', "$place$path",
        { defined $header ? (Authorization => $header) : () });
}

my ($missing, $invalid, $unknown) =
    qw(AUTH_HEADER_MISSING AUTH_HEADER_INVALID TOKEN_INVALID);
my $plain = 'Bearer realm="profiles"';
my $error = "$plain, error=\"invalid_token\"";

# Tokens of all kinds.
sub stamp {
    my ($time) = @_;
    return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $time);
}
my %kind = map { $_ => "$_-$$" } qw(expired lasting hashed padded odd long);
$kind{padded} .= '==';
$kind{odd}    .= '.-_~+/';
$kind{long}   .= 'x' x 4000;
fill(
    { token => { userId => $site->{admin}, token => $kind{expired}, expires => stamp(time - 1) } },
    { token => { userId => $site->{admin}, token => $kind{lasting}, expires => stamp(time + 3600) } },
    { token => { userId => $site->{admin}, sha256 => sha256_hex($kind{hashed}) } },
    map { { token => { userId => $site->{admin}, token => $kind{$_} } } } qw(padded odd long),
);

# The header: what, value, reason, challenge.
my @headers = (
    ['missing',                                     undef,                        $missing, $plain],
    ['empty',                                       '',                           $missing, $plain],
    ['blanks alone',                                '   ',                        $missing, $plain],
    ['Bearer and a valid token',                    "Bearer $token",              '',       undef],
    ['bearer in lower case and a valid token',      "bearer $token",              '',       undef],
    ['BEARER in upper case and a valid token',      "BEARER $token",              '',       undef],
    ['Bearer, two blanks and a valid token',        "Bearer  $token",             '',       undef],
    ['a valid token with a blank after it',         "Bearer $token ",             '',       undef],
    ['a scheme without a blank after it',           "Bearer$token",               $invalid, $plain],
    ['Bearer without a token',                      'Bearer',                     $invalid, $plain],
    ['Bearer and a blank',                          'Bearer ',                    $invalid, $plain],
    ['a token without a scheme',                    $token,                       $invalid, $plain],
    ['a token with another scheme',                 "Token $token",               $invalid, $plain],
    ['a Basic one',                                 {basic('admin')}->{Authorization}, $invalid, $plain],
    ['a token with a longer scheme',                "BearerX $token",             $invalid, $plain],
    ['a token with a shorter scheme',               "Beare $token",               $invalid, $plain],
    ['Bearer with a colon',                         "Bearer: $token",             $invalid, $plain],
    ['Bearer with a tab after it',                  "Bearer\t$token",             $invalid, $plain],
    ['Bearer and two tokens',                       "Bearer $token $token",       $invalid, $plain],
    ['two values in a comma-separated list',        "Bearer $token, Bearer $token", $invalid, $plain],
    ['a token with a parameter',                    "Bearer $token, realm=x",     $invalid, $plain],
    ['a token in quotes',                           "Bearer \"$token\"",          $invalid, $plain],
    ['a token with characters beyond ASCII',        "Bearer t\xc3\xb6ken",        $invalid, $plain],
    ['a token of padding alone',                    'Bearer ==',                  $invalid, $plain],
    ['a token with = in the middle',                'Bearer a=b',                 $invalid, $plain],
    ['an unknown token',                            'Bearer unknown',             $unknown, $error],
    ['a token in another case',                     'Bearer ' . uc $token,        $unknown, $error],
    ['a token cut short',                           'Bearer ' . substr($token, 0, -1), $unknown, $error],
    ['a token with padding added',                  "Bearer $token=",             $unknown, $error],
    ['a token\'s hash',                             'Bearer ' . sha256_hex($token), $unknown, $error],
    ['an unknown token of 8,000 characters',        'Bearer ' . 'x' x 8000,       $unknown, $error],
    ['an expired token',                            "Bearer $kind{expired}",      $unknown, $error],
    ['a token that will expire',                    "Bearer $kind{lasting}",      '',       undef],
    ['a token imported as a hash',                  "Bearer $kind{hashed}",       '',       undef],
    ['a token with padding of its own',             "Bearer $kind{padded}",       '',       undef],
    ['a token of all characters that one may have', "Bearer $kind{odd}",          '',       undef],
    ['a token of 4,000 characters',                 "Bearer $kind{long}",         '',       undef],
);
for my $case (@headers) {
    my ($what, $header, $reason, $challenge) = @$case;
    my $got = answer('/management/v1', $header);
    is $got->code, $reason ? 401 : 200, "Authorization is $what: " . ($reason || 'served');
    is reason($got), $reason, "Authorization is $what: the reason";
    is $got->header('WWW-Authenticate'), $challenge, "Authorization is $what: WWW-Authenticate";
    my $put = answer('/management/v1', $header, 'PUT');
    is reason($put), $reason || 'FIELD_INVALID', "Authorization is $what: the same for PUT";
}
my $line = "GET /management/v1$path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
my @several = (
    ['the same header twice',              "Authorization: Bearer $token\r\n" x 2, $invalid],
    ['two headers, one of them empty',     "Authorization: Bearer $token\r\nAuthorization:\r\n", $invalid],
    ['two headers with different schemes', "Authorization: Bearer $token\r\nAuthorization: Basic eDp5\r\n", $invalid],
);
for my $case (@several) {
    my ($what, $headers, $reason) = @$case;
    like raw("$line$headers\r\n"), qr/^HTTP.1\.1 401 .*"reason":"$reason"/s, "Authorization is $what: $reason";
}

# The bodies, to the byte.
sub body {
    my ($message, $id, $reason) = @_;
    my $shown = $id ? "$message ($id)" : $message;
    return qq({"code":16,"message":"$shown","details":[)
        . ($id ? qq({"\@type":"type.googleapis.com/zitadel.v1.ErrorDetail","id":"$id","message":"$message"},) : '')
        . qq({"\@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"$reason","domain":"userprofile"}]});
}
my @bodies = (
    [undef,            'auth header missing', '',           $missing],
    ['Bearer',         'invalid auth header', 'AUTH-toLo1', $invalid],
    ['Bearer unknown', 'Token is invalid',    'AUTH-7fs1e', $unknown],
);
for my $case (@bodies) {
    my ($header, @parts) = @$case;
    my $got = answer('/management/v1', $header);
    is $got->content, body(@parts), "$parts[2]: the body, to the byte";
    is $got->header('Content-Type'),           'application/json', 'Content-Type';
    is $got->header('Cache-Control'),          'no-store',         'Cache-Control';
    is $got->header('X-Content-Type-Options'), 'nosniff',          'X-Content-Type-Options';
    my $head = answer('/management/v1', $header, 'HEAD');
    is $head->code, 401, "$parts[2]: HEAD is 401 too";
    is $head->content, '', "$parts[2]: HEAD has no body";
    is $head->header('Content-Length'), length $got->content, "$parts[2]: HEAD has the Content-Length of GET";
    is $head->header('WWW-Authenticate'), $got->header('WWW-Authenticate'), "$parts[2]: HEAD has the WWW-Authenticate of GET";
}

# The challenge elsewhere: place, header, status, reason, challenge.
my $quoted = 'Bearer realm="say \\"friend\\" and enter"';
my $no     = 'UNAUTHENTICATED';
my @places = (
    ['no AuthName, no token',                         '/small',            undef,            401, $missing,    'Bearer'],
    ['no AuthName, a bad token',                      '/small',            'Bearer unknown', 401, $unknown,    'Bearer error="invalid_token"'],
    ['no AuthName, a good token',                     '/small',            "Bearer $token",  200, '',          undef],
    ['an AuthName with quotes, no token',             '/quoted',           undef,            401, $missing,    $quoted],
    ['AuthType in lower case, a good token',          '/quoted',           "Bearer $token",  200, '',          undef],
    ['Require all granted, no token',                 '/granted',          undef,            401, $missing,    $plain],
    ['Require all granted, a token without a scheme', '/granted',          $token,           401, $invalid,    $plain],
    ['Require all granted, a bad token',              '/granted',          'Bearer unknown', 401, $unknown,    $error],
    ['Require all granted, an expired token',         '/granted',          "Bearer $kind{expired}", 401, $unknown, $error],
    ['Require all granted, a good token',             '/granted',          "Bearer $token",  200, '',          undef],
    ['no AuthType, no token',                         '/open',             undef,            401, $missing,    'Bearer'],
    ['no AuthType, a good token',                     '/open',             "Bearer $token",  401, $missing,    'Bearer'],
    ['AuthType None, a good token',                   '/none',             "Bearer $token",  401, $missing,    'Bearer'],
    ['a Require that fails, a good token',            '/nobody',           "Bearer $token",  401, $no,         $plain],
    ['a Require that fails, no token',                '/nobody',           undef,            401, $missing,    $plain],
    ['a Require that fails, a bad token',             '/nobody',           'Bearer unknown', 401, $unknown,    $error],
    ['AuthzSendForbiddenOnFailure, a good token',     '/nobody/forbidden', "Bearer $token",  403, 'FORBIDDEN', undef],
    ['AuthzSendForbiddenOnFailure, no token',         '/nobody/forbidden', undef,            401, $missing,    $plain],
    ['AuthzSendForbiddenOnFailure, a bad token',      '/nobody/forbidden', 'Bearer unknown', 401, $unknown,    $error],
);
for my $case (@places) {
    my ($what, $place, $header, $status, $reason, $challenge) = @$case;
    for my $method (qw(GET HEAD PUT)) {
        my $got = answer($place, $header, $method);
        my $want = $status == 200 && $method eq 'PUT' ? 400 : $status;
        is $got->code, $want, "$what: $method is $want";
        is reason($got), $want == 400 ? 'FIELD_INVALID' : $reason, "$what: the reason to $method"
            if $method ne 'HEAD';
        is $got->header('WWW-Authenticate'), $challenge, "$what: WWW-Authenticate to $method";
    }
}
is answer('/nobody', "Bearer $token")->content, body('Unauthorized', '', $no),
    'a 401 of mod_authz_core has our body, to the byte';

# What is not ours, but behind our AuthType, keeps Apache's pages.
my @others = (
    ['no token',                           '/management/v1/x', undef,            401, $plain],
    ['a bad token',                        '/management/v1/x', 'Bearer unknown', 401, $error],
    ['a good token',                       '/management/v1/x', "Bearer $token",  404, undef],
    ['a Require that fails, a good token', '/nobody/x',        "Bearer $token",  401, $plain],
    ['Require all granted, no token',      '/granted/x',       undef,            404, undef],
    ['Require all granted, a bad token',   '/granted/x',       'Bearer unknown', 404, undef],
    ['UserProfile Off, no token',          "/management/v1/off$path", undef,     401, $plain],
);
for my $case (@others) {
    my ($what, $target, $header, $status, $challenge) = @$case;
    my $got = request(GET => $target, { defined $header ? (Authorization => $header) : () });
    is $got->code, $status, "a path that is not ours, $what: $status";
    like $got->content, qr/<title>$status /, "a path that is not ours, $what: Apache's page";
    is $got->header('WWW-Authenticate'), $challenge, "a path that is not ours, $what: WWW-Authenticate";
    is $got->header('Cache-Control'), undef, "a path that is not ours, $what: no Cache-Control of ours";
}

# A token's life: made by the tool, used, revoked; and one that runs out.
my ($status, $made) = ctl('token', 'add', $site->{admin});
is $status, 0, 'userprofilectl token add succeeds';
my ($new) = $made =~ /^(up_\S+)$/m;
like $new || '', qr/^up_[\w-]{43}$/, 'a new token has 256 bits';
is answer('/management/v1', "Bearer $new")->code, 200, 'a new token is valid at once';
my ($hash) = sha256_hex($new);
my (undef, $list) = ctl('--json', 'token', 'list');
my ($id) = grep { $hash =~ /^$_/ } $list =~ /"([0-9a-f]{8,64})"/g;
is +(ctl('token', 'revoke', $id || 'none'))[0], 0, 'userprofilectl token revoke succeeds';
is reason(answer('/management/v1', "Bearer $new")), $unknown, 'a revoked token is invalid at once';

my $end   = int(time) + 2;
my $brief = "brief-$$";
fill({ token => { userId => $site->{admin}, token => $brief, expires => stamp($end) } });
is answer('/management/v1', "Bearer $brief")->code, 200, 'a token is valid until it expires';
sleep 0.05 while time <= $end + 0.05;
is reason(answer('/management/v1', "Bearer $brief")), $unknown, 'an expired token is invalid';

done_testing;
