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
    ['none',                        undef,                        $missing, $plain],
    ['an empty one',                '',                           $missing, $plain],
    ['blanks',                      '   ',                        $missing, $plain],
    ['a token',                     "Bearer $token",              '',       undef],
    ['the scheme in lower case',    "bearer $token",              '',       undef],
    ['the scheme in upper case',    "BEARER $token",              '',       undef],
    ['two blanks',                  "Bearer  $token",             '',       undef],
    ['a blank at the end',          "Bearer $token ",             '',       undef],
    ['no blank',                    "Bearer$token",               $invalid, $plain],
    ['no token',                    'Bearer',                     $invalid, $plain],
    ['only a blank',                'Bearer ',                    $invalid, $plain],
    ['no scheme',                   $token,                       $invalid, $plain],
    ['another scheme',              "Token $token",               $invalid, $plain],
    ['mod_auth_basic\'s',           {basic('admin')}->{Authorization}, $invalid, $plain],
    ['a longer scheme',             "BearerX $token",             $invalid, $plain],
    ['a shorter scheme',            "Beare $token",               $invalid, $plain],
    ['a colon',                     "Bearer: $token",             $invalid, $plain],
    ['a tab',                       "Bearer\t$token",             $invalid, $plain],
    ['two tokens',                  "Bearer $token $token",       $invalid, $plain],
    ['two headers in one',          "Bearer $token, Bearer $token", $invalid, $plain],
    ['a parameter',                 "Bearer $token, realm=x",     $invalid, $plain],
    ['quotes',                      "Bearer \"$token\"",          $invalid, $plain],
    ['characters beyond ASCII',     "Bearer t\xc3\xb6ken",        $invalid, $plain],
    ['only padding',                'Bearer ==',                  $invalid, $plain],
    ['padding in the middle',       'Bearer a=b',                 $invalid, $plain],
    ['an unknown one',              'Bearer unknown',             $unknown, $error],
    ['one in another case',         'Bearer ' . uc $token,        $unknown, $error],
    ['one cut short',               'Bearer ' . substr($token, 0, -1), $unknown, $error],
    ['one with padding added',      "Bearer $token=",             $unknown, $error],
    ['its hash',                    'Bearer ' . sha256_hex($token), $unknown, $error],
    ['8,000 characters',            'Bearer ' . 'x' x 8000,       $unknown, $error],
    ['an expired one',              "Bearer $kind{expired}",      $unknown, $error],
    ['one that will expire',        "Bearer $kind{lasting}",      '',       undef],
    ['one imported as a hash',      "Bearer $kind{hashed}",       '',       undef],
    ['one with padding',            "Bearer $kind{padded}",       '',       undef],
    ['one of all its characters',   "Bearer $kind{odd}",          '',       undef],
    ['one of 4,000',                "Bearer $kind{long}",         '',       undef],
);
for my $case (@headers) {
    my ($what, $header, $reason, $challenge) = @$case;
    my $got = answer('/management/v1', $header);
    is $got->code, $reason ? 401 : 200, "$what: " . ($reason || 'served');
    is reason($got), $reason, "$what: the reason";
    is $got->header('WWW-Authenticate'), $challenge, "$what: the challenge";
    my $put = answer('/management/v1', $header, 'PUT');
    is reason($put), $reason || 'FIELD_INVALID', "$what: the same for PUT";
}
my $line = "GET /management/v1$path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
my @several = (
    ['the same header twice', "Authorization: Bearer $token\r\n" x 2, $invalid],
    ['one of two is empty',   "Authorization: Bearer $token\r\nAuthorization:\r\n", $invalid],
    ['a second scheme',       "Authorization: Bearer $token\r\nAuthorization: Basic eDp5\r\n", $invalid],
);
for my $case (@several) {
    my ($what, $headers, $reason) = @$case;
    like raw("$line$headers\r\n"), qr/^HTTP.1\.1 401 .*"reason":"$reason"/s, "$what: $reason";
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
    is $got->content, body(@parts), "$parts[2], to the byte";
    is $got->header('Content-Type'),           'application/json', 'Content-Type';
    is $got->header('Cache-Control'),          'no-store',         'Cache-Control';
    is $got->header('X-Content-Type-Options'), 'nosniff',          'X-Content-Type-Options';
    my $head = answer('/management/v1', $header, 'HEAD');
    is $head->code, 401, 'HEAD alike';
    is $head->content, '', 'without the body';
    is $head->header('Content-Length'), length $got->content, 'but with its length';
    is $head->header('WWW-Authenticate'), $got->header('WWW-Authenticate'), 'and the challenge';
}

# The challenge elsewhere: place, header, status, reason, challenge.
my $quoted = 'Bearer realm="say \\"friend\\" and enter"';
my $no     = 'UNAUTHENTICATED';
my @places = (
    ['no AuthName',                                '/small',            undef,            401, $missing,    'Bearer'],
    ['no AuthName, a bad token',                   '/small',            'Bearer unknown', 401, $unknown,    'Bearer error="invalid_token"'],
    ['no AuthName, a good token',                  '/small',            "Bearer $token",  200, '',          undef],
    ['an AuthName with quotes',                    '/quoted',           undef,            401, $missing,    $quoted],
    ['AuthType in another case',                   '/quoted',           "Bearer $token",  200, '',          undef],
    ['Require all granted, no token',              '/granted',          undef,            401, $missing,    $plain],
    ['Require all granted, no scheme',             '/granted',          $token,           401, $invalid,    $plain],
    ['Require all granted, a bad token',           '/granted',          'Bearer unknown', 401, $unknown,    $error],
    ['Require all granted, an expired one',        '/granted',          "Bearer $kind{expired}", 401, $unknown, $error],
    ['Require all granted, a good token',          '/granted',          "Bearer $token",  200, '',          undef],
    ['no AuthType, no token',                      '/open',             undef,            401, $missing,    'Bearer'],
    ['no AuthType, a good token',                  '/open',             "Bearer $token",  401, $missing,    'Bearer'],
    ['AuthType None, a good token',                '/none',             "Bearer $token",  401, $missing,    'Bearer'],
    ['a Require that fails',                       '/nobody',           "Bearer $token",  401, $no,         $plain],
    ['a Require that fails, no token',             '/nobody',           undef,            401, $missing,    $plain],
    ['a Require that fails, a bad token',          '/nobody',           'Bearer unknown', 401, $unknown,    $error],
    ['AuthzSendForbiddenOnFailure',                '/nobody/forbidden', "Bearer $token",  403, 'FORBIDDEN', undef],
    ['AuthzSendForbiddenOnFailure, no token',      '/nobody/forbidden', undef,            401, $missing,    $plain],
    ['AuthzSendForbiddenOnFailure, a bad token',   '/nobody/forbidden', 'Bearer unknown', 401, $unknown,    $error],
);
for my $case (@places) {
    my ($what, $place, $header, $status, $reason, $challenge) = @$case;
    for my $method (qw(GET HEAD PUT)) {
        my $got = answer($place, $header, $method);
        my $want = $status == 200 && $method eq 'PUT' ? 400 : $status;
        is $got->code, $want, "$what: $want to $method";
        is reason($got), $want == 400 ? 'FIELD_INVALID' : $reason, "$what: the reason"
            if $method ne 'HEAD';
        is $got->header('WWW-Authenticate'), $challenge, "$what: the challenge";
    }
}
is answer('/nobody', "Bearer $token")->content, body('Unauthorized', '', $no),
    'mod_authz_core\'s own 401, to the byte';

# What is not ours, but behind our AuthType, keeps Apache's pages.
my @others = (
    ['no token',                          '/management/v1/x', undef,            401, $plain],
    ['a bad token',                       '/management/v1/x', 'Bearer unknown', 401, $error],
    ['a good one',                        '/management/v1/x', "Bearer $token",  404, undef],
    ['a Require that fails',              '/nobody/x',        "Bearer $token",  401, $plain],
    ['Require all granted, no token',     '/granted/x',       undef,            404, undef],
    ['Require all granted, a bad token',  '/granted/x',       'Bearer unknown', 404, undef],
    ['UserProfile Off, no token',         "/management/v1/off$path", undef,     401, $plain],
);
for my $case (@others) {
    my ($what, $target, $header, $status, $challenge) = @$case;
    my $got = request(GET => $target, { defined $header ? (Authorization => $header) : () });
    is $got->code, $status, "not ours, $what: $status";
    like $got->content, qr/<title>$status /, "not ours, $what: Apache's page";
    is $got->header('WWW-Authenticate'), $challenge, "not ours, $what: the challenge";
    is $got->header('Cache-Control'), undef, "not ours, $what: none of our headers";
}

# A token's life: made by the tool, used, revoked; and one that runs out.
my ($status, $made) = ctl('token', 'add', $site->{admin});
is $status, 0, 'the tool adds a token';
my ($new) = $made =~ /^(up_\S+)$/m;
like $new || '', qr/^up_[\w-]{43}$/, 'of 256 bits';
is answer('/management/v1', "Bearer $new")->code, 200, 'it is good at once';
my ($hash) = sha256_hex($new);
my (undef, $list) = ctl('--json', 'token', 'list');
my ($id) = grep { $hash =~ /^$_/ } $list =~ /"([0-9a-f]{8,64})"/g;
is +(ctl('token', 'revoke', $id || 'none'))[0], 0, 'the tool revokes it';
is reason(answer('/management/v1', "Bearer $new")), $unknown, 'it is bad at once';

my $end   = int(time) + 2;
my $brief = "brief-$$";
fill({ token => { userId => $site->{admin}, token => $brief, expires => stamp($end) } });
is answer('/management/v1', "Bearer $brief")->code, 200, 'a token before its end';
sleep 0.05 while time <= $end + 0.05;
is reason(answer('/management/v1', "Bearer $brief")), $unknown, 'and after it';

done_testing;
