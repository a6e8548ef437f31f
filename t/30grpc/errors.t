# errors.t -- every error that a gRPC client can meet: HTTP 200, one HEADERS
# frame that ends the stream, and details that say the same as its message.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Grpc;
use OwnServer;
use Protobuf;
use UserProfile;

my $site = site();
my $auth = bearer_of($site);
my %ada  = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');
my $user = human($site, %ada);
my $machine = "machine-$$";
fill({ user => { id => $machine, orgId => $site->{org}, type => 'machine' } });
my $reader  = bearer_of(site('ORG_OWNER_VIEWER'));
my $nobody  = bearer_of(site('ORG_NO_ROLE'));
my $foreign = site();

sub bearer_of {
    my ($site) = @_;
    return { authorization => "Bearer $site->{token}" };
}

sub change {
    my ($id, %profile) = @_;
    return [UpdateHumanProfile => update_message($id, %ada, %profile)];
}

sub look {
    my ($id) = @_;
    return [GetHumanProfile => get_message($id)];
}

my $names_rule = 'value length must be between 1 and 200 runes, inclusive';

# What, metadata, call, code, reason, message, id.
my @cases = (
    ['no token', {}, look($user), 16, 'AUTH_HEADER_MISSING', 'auth header missing', undef],
    ['a token with another scheme', { authorization => 'Basic eA==' }, look($user),
        16, 'AUTH_HEADER_INVALID', 'invalid auth header (AUTH-toLo1)', 'AUTH-toLo1'],
    ['an unknown token', { authorization => 'Bearer unknown' }, look($user),
        16, 'TOKEN_INVALID', 'Token is invalid (AUTH-7fs1e)', 'AUTH-7fs1e'],
    ['no token, for an unknown method', {}, [NoSuchMethod => ''], 16, 'AUTH_HEADER_MISSING', 'auth header missing', undef],
    ['an unknown organisation', { %$auth, 'x-zitadel-orgid' => 'nowhere' }, look($user),
        7, 'ORG_NOT_FOUND', "Organisation doesn't exist (AUTH-Bs7Ds)", 'AUTH-Bs7Ds'],
    ['no membership', { %$auth, 'x-zitadel-orgid' => $foreign->{org} }, look($user),
        5, 'MEMBERSHIP_NOT_FOUND', 'membership not found (AUTHZ-cdgFk)', 'AUTHZ-cdgFk'],
    ['no permission to write', $reader, change($user),
        7, 'PERMISSION_DENIED', 'No matching permissions found (AUTH-5mWD2)', 'AUTH-5mWD2'],
    ['no permission at all', $nobody, look($user),
        7, 'PERMISSION_DENIED', 'No matching permissions found (AUTH-5mWD2)', 'AUTH-5mWD2'],
    ['an empty first name', $auth, change($user, firstName => ''),
        3, 'FIELD_INVALID', "invalid UpdateHumanProfileRequest.FirstName: $names_rule", undef],
    ['an empty id', $auth, change(''), 3, 'FIELD_INVALID', "invalid UpdateHumanProfileRequest.UserId: $names_rule", undef],
    ['an empty id to read', $auth, look(''), 3, 'FIELD_INVALID', "invalid GetHumanProfileRequest.UserId: $names_rule", undef],
    ['an undefined gender', $auth, change($user, gender => 4),
        3, 'FIELD_INVALID', 'invalid UpdateHumanProfileRequest.Gender: value must be one of the defined enum values', undef],
    ['an unknown user to change', $auth, change('nobody'),
        9, 'PROFILE_NOT_FOUND', 'Profile not found (COMMAND-3M9sd)', 'COMMAND-3M9sd'],
    ['an id with a control character', $auth, change("a\1b"),
        9, 'PROFILE_NOT_FOUND', 'Profile not found (COMMAND-3M9sd)', 'COMMAND-3M9sd'],
    ['unchanged values', $auth, change($user),
        9, 'PROFILE_NOT_CHANGED', 'Profile not changed (COMMAND-2M0fs)', 'COMMAND-2M0fs'],
    ['an unknown user to read', $auth, look('nobody'),
        5, 'USER_NOT_FOUND', 'User could not be found (QUERY-HNhb3)', 'QUERY-HNhb3'],
    ['a machine', $auth, look($machine), 9, 'USER_NOT_HUMAN', 'The User must be personal (QUERY-WLTce)', 'QUERY-WLTce'],
    ['another sequence', { %$auth, 'if-match' => '"7"' }, change($user, nickName => 'x'),
        10, 'SEQUENCE_MISMATCH', 'the stored sequence is 1', undef],
    ['a method of ZITADEL that we do not serve', $auth, [GetIAM => ''],
        12, 'UNIMPLEMENTED', 'unknown method GetIAM for service zitadel.management.v1.ManagementService', undef],
);

# That $answer is an error as gRPC has them.
sub is_error {
    my ($answer, $what, $code, $reason, $message, $id) = @_;
    is $answer->{http}, 200, "$what: HTTP 200";
    ok $answer->{alone}, "$what: one HEADERS frame that ends the stream";
    is $answer->{headers}{'content-type'}, 'application/grpc', 'Content-Type';
    is $answer->{headers}{'cache-control'}, 'no-store', 'Cache-Control';
    is $answer->{body}, '', "$what: no body";
    is code($answer), $code, "$what: grpc-status $code";
    is_deeply [@{ $answer->{status} }{qw(code message)}], [$code, $answer->{text} =~ s/%([0-9A-F]{2})/chr hex $1/ger],
        "$what: grpc-status-details-bin agrees with grpc-message";
    is_deeply $answer->{status}{ErrorInfo}, { reason => $reason, domain => 'userprofile' }, $reason;
    is $answer->{text}, $message, "$what: grpc-message" if defined $message;
    is_deeply $answer->{status}{ErrorDetail}, $id ? { id => $id, message => $message =~ s/ \(\Q$id\E\)$//r } : undef,
        'ErrorDetail';
    unlike $answer->{headers}{'grpc-status-details-bin'}, qr/=/, "$what: grpc-status-details-bin has no padding";
}

for my $case (@cases) {
    my ($what, $metadata, $call, @want) = @$case;
    is_error(call($call->[0], $metadata, $call->[1]), $what, @want);
}

# Every field at fault, in field order.
my $got = update($auth, $user, firstName => 'x' x 201, nickName => 'x' x 201, preferredLanguage => '12', gender => 9);
is_deeply [map { $_->[0] } @{ $got->{status}{BadRequest} }],
    [qw(firstName lastName nickName displayName preferredLanguage gender)], 'BadRequest names every field at fault';
is_deeply $got->{status}{order}, [qw(ErrorInfo BadRequest)], 'ErrorInfo comes before BadRequest';
is_deeply $got->{status}{BadRequest}[0], [firstName => $names_rule], 'BadRequest says which rule a field breaks';
is_deeply get($auth, 'nobody')->{status}{order}, [qw(ErrorDetail ErrorInfo)], 'ErrorDetail comes before ErrorInfo';

# What an unknown method says to a client that looks for another encoding.
is call(GetIAM => $auth, '')->{headers}{'grpc-accept-encoding'}, 'identity,gzip', 'an unknown method is answered with grpc-accept-encoding';

# A name that a header could not carry as it is.
$got = call('No%0d%0aMethod%C3%A9%25', $auth, '');
is_error($got, 'a method whose name no header may have', 12, 'UNIMPLEMENTED', undef, undef);
is $got->{text}, 'unknown method No%0D%0AMethod%C3%A9%25 for service zitadel.management.v1.ManagementService',
    'a method whose name no header may have is percent-encoded in grpc-message';

# Errors that other modules raise.
my $rpc = MANAGEMENT . '/GetHumanProfile';
my @foreign = (
    ['Require all denied',                                      "/refused$rpc",       $auth, 7,  'FORBIDDEN'],
    ['Require all denied with an ErrorDocument of text',        "/errordocument$rpc", $auth, 7,  'FORBIDDEN'],
    ['Require all denied with an ErrorDocument that is a page', "/page$rpc",          $auth, 7,  'FORBIDDEN'],
    ['Require all denied with an ErrorDocument elsewhere',      "/elsewhere$rpc",     $auth, 7,  'FORBIDDEN'],
    ['mod_auth_basic',                                          "/basic$rpc",         {},    16, 'UNAUTHENTICATED'],
    ['mod_auth_basic, a wrong password',                        "/basic$rpc", { authorization => 'Basic eDp5' }, 16, 'UNAUTHENTICATED'],
);
for my $case (@foreign) {
    my ($what, $path, $metadata, @want) = @$case;
    is_error(grpc(POST => $path, $metadata, frame(get_message($user))), $what, @want);
}
$got = grpc(POST => "/basic$rpc", {}, frame(get_message($user)));
is $got->{headers}{'www-authenticate'}, 'Basic realm="basic"', "WWW-Authenticate of mod_auth_basic stays";
$got = call(GetHumanProfile => {}, get_message($user));
is $got->{headers}{'www-authenticate'}, 'Bearer realm="profiles"', 'WWW-Authenticate of our own tokens is there';
$got = grpc(POST => "/limited$rpc", $auth, frame(get_message('x' x 150)));
is code($got), 8, 'LimitRequestBody: RESOURCE_EXHAUSTED';
is reason_of($got), 'BODY_TOO_LARGE', 'LimitRequestBody: BODY_TOO_LARGE';
$got = grpc(POST => "/basic$rpc", { (basic('stranger'))[0] => (basic('stranger'))[1] }, frame(get_message($user)));
is reason_of($got), 'ORG_NOT_FOUND', "the user of mod_auth_basic is the caller";

# No gRPC client sends another method: what does gets HTTP's answer.
for my $method (qw(GET PUT DELETE)) {
    $got = grpc($method => $rpc, $auth, frame(get_message($user)));
    is $got->{http}, 405, "$method on an RPC path is 405";
    is $got->{headers}{allow}, 'POST', "$method on an RPC path: Allow is POST";
}

# A store that is away.
my $server = OwnServer->start(<<'END' . 'AuthUserFile "' . UserProfile::top() . "/t/conf/htpasswd\"\n</Location>\n");
Protocols h2c http/1.1
UserProfileStore "lmdb:${FOLDER}/httpd.conf"
CustomLog "${FOLDER}/access.log" "%U user=%{userprofile-user}n reason=%{userprofile-reason}n"
Include "${CONF}/everywhere.conf"
<Location /grpc.health.v1.Health>
    Require all granted
</Location>
<Location /basic>
    AuthType Basic
    AuthName "basic"
END
my $origin = $server->url('');
is_error(call(GetHumanProfile => $auth, get_message($user), $origin), 'an unavailable store', 14, 'STORE_UNAVAILABLE',
    'the store is unavailable; nothing was changed', undef);
$got = call(GetHumanProfile => $auth, get_message($user), $origin);
is $got->{headers}{'retry-after'}, 1, 'an unavailable store: Retry-After';

# Whom a call was about is noted all the same.
sub access_log {
    my ($pattern) = @_;
    my $found;
    $server->wait_until(sub { ($found) = UserProfile::slurp($server->file('access.log')) =~ /^($pattern.*)\n/m });
    return $found;
}
$got = grpc(POST => "/basic$rpc", { lc((basic('admin'))[0]) => (basic('admin'))[1] }, frame(get_message($user)), $origin);
is reason_of($got), 'STORE_UNAVAILABLE', 'an unavailable store, for a caller of mod_auth_basic';
is access_log('/basic'), "/basic$rpc user=$user reason=STORE_UNAVAILABLE", 'an unavailable store: the access log has the user';

# Health.
sub health {
    my ($service, $origin) = @_;
    return grpc(POST => HEALTH, {}, frame(length $service ? text(1, $service) : ''), $origin);
}
for my $service ('', 'zitadel.management.v1.ManagementService') {
    $got = health($service);
    is code($got), 0, "the health of '$service': OK";
    is $got->{body}, frame(number(1, 1)), "the health of '$service': SERVING";
    is health($service, $origin)->{body}, frame(number(1, 2)), "the health of '$service' with an unavailable store: NOT_SERVING";
}
is access_log(HEALTH), HEALTH . ' user=- reason=STORE_UNAVAILABLE', 'NOT_SERVING: the access log has the reason';
like $server->log, qr/\] UP0010: POST \Q${\HEALTH}\E: STORE_UNAVAILABLE: .*httpd\.conf/, 'NOT_SERVING: the error log says why';
is_error(health('another.Service'), 'the health of an unknown service', 5, 'SERVICE_NOT_FOUND', undef, undef);
is code(grpc(POST => '/grpc.health.v1.Health/Watch', $auth, frame(''))), 12, 'Health/Watch is UNIMPLEMENTED';
is code(grpc(POST => HEALTH, {}, frame("\xff"))), 13, 'Health/Check with bytes that are no message is INTERNAL';

done_testing;
