# UserProfileCaller, UserProfileCallerOrg and UserProfileCallerRoles: who calls,
# as modules of others authenticate and describe the caller.
use strict;
use warnings;

use Digest::SHA  qw(hmac_sha256 sha1_base64);
use JSON::PP     ();
use MIME::Base64 qw(encode_base64url);
use Test::More;
use FreePort;
use OwnServer;
use UserProfile;

my $json   = JSON::PP->new->utf8->canonical;
my $secret = 'a key that this server and the issuer share';
my $tls_port = free_port();
my ($modules) = UserProfile::slurp(UserProfile::top() . '/modules.conf') =~ m{(/\S+)/mod_auth_basic\.so};

# ZITADEL's claims; mod_auth_openidc hands them on with "-" for each ":".
my ($home, $roles) = ('urn:zitadel:iam:user:resourceowner:id', 'urn:zitadel:iam:org:project:roles');
my $server = OwnServer->prepare(<<"END");
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
LoadModule auth_openidc_module $modules/mod_auth_openidc.so
OIDCCryptoPassphrase "none is used"
OIDCOAuthVerifySharedKeys "plain#key#$secret"
RewriteEngine On
RewriteMap roles "txt:\${FOLDER}/roles"
<Location />
    AuthzSendForbiddenOnFailure On
</Location>

# OpenID Connect: ZITADEL's claims.
<Location /oidc>
    UserProfile On
    AuthType oauth20
    Require valid-user
    UserProfileCaller "%{reqenv:OIDC_CLAIM_sub}"
    UserProfileCallerOrg "%{reqenv:OIDC_CLAIM_urn-zitadel-iam-user-resourceowner-id}"
    UserProfileCallerRoles "%{reqenv:OIDC_CLAIM_urn-zitadel-iam-org-project-roles}"
</Location>
# The names of groups instead, some of them a role's.
<Location /oidc/groups>
    UserProfile On
    UserProfileCallerRoles "%{reqenv:OIDC_CLAIM_groups}"
    UserProfileRole staff user.read
</Location>
# Nothing of what they say but who calls.
<Location /oidc/plain>
    UserProfile On
    UserProfileCaller "%{REMOTE_USER}"
    UserProfileCallerOrg Off
    UserProfileCallerRoles off
</Location>

# Passwords: a group may have a role.
<Location /basic>
    UserProfile On
    AuthType Basic
    AuthName "basic"
    AuthUserFile "\${FOLDER}/passwords"
    AuthGroupFile "\${FOLDER}/groups"
    UserProfileCallerOrg O1
    Require group managers
    UserProfileCallerRoles ORG_USER_MANAGER
</Location>
# Passwords: a map has each user's roles.
<Location /map>
    UserProfile On
    AuthType Basic
    AuthName "basic"
    AuthUserFile "\${FOLDER}/passwords"
    Require valid-user
    RewriteEngine On
    RewriteRule ^ - [E=ROLES:\${roles:%{REMOTE_USER}}]
    UserProfileCallerOrg O1
    UserProfileCallerRoles "%{reqenv:ROLES}"
</Location>

# Certificates: the caller is a part of the subject's name.
Listen 127.0.0.1:$tls_port
<VirtualHost *:$tls_port>
    ServerName localhost
    SSLEngine On
    SSLCertificateFile "\${CONF}/tls.crt"
    SSLCertificateKeyFile "\${CONF}/tls.key"
    SSLCACertificateFile "\${FOLDER}/ca.crt"
    SSLVerifyClient require
    <Location /certificate>
        UserProfile On
        SSLUserName SSL_CLIENT_S_DN_CN
        Require ssl-verify-client
    </Location>
    <Location /certificate/subject>
        UserProfile On
        UserProfileCaller "%{SSL:SSL_CLIENT_S_DN_UID}"
        UserProfileCallerOrg "%{SSL:SSL_CLIENT_S_DN_O}"
        UserProfileCallerRoles "%{SSL:SSL_CLIENT_S_DN_OU}"
    </Location>
</VirtualHost>

# A header, because the site asks for it: a proxy in front sets it.
<Location /proxied>
    UserProfile On
    UserProfileCaller "%{req:X-User}"
    UserProfileCallerOrg "%{req:X-Org}"
    UserProfileCallerRoles "%{req:X-Roles}"
</Location>
<Location /denied>
    Require all denied
    ErrorDocument 403 /proxied/users/U1/profile
</Location>
END

sub spew {
    my ($name, $text) = @_;
    open my $out, '>', $server->file($name) or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
}

# A certificate with $subject as $name.crt, by the authority of ca.crt.
sub certify {
    my ($name, $subject) = @_;
    my ($ca, $files) = map { $server->file($_) } 'ca', $name;
    system("openssl req -x509 -newkey rsa:2048 -noenc -days 2 -subj '$subject'"
            . ($name eq 'ca' ? '' : " -CA $ca.crt -CAkey $ca.key")
            . " -keyout $files.key -out $files.crt 2>/dev/null") == 0
        or die "openssl failed\n";
}

spew('roles',     "alice ORG_OWNER_VIEWER,ORG_SETTINGS_MANAGER\ncarol IAM_OWNER\n");
spew('groups',    "managers: alice bob\n");
spew('passwords', join '', map { "$_:{SHA}" . sha1_base64("$_-password") . "=\n" } qw(alice bob carol));
certify('ca',      '/CN=ca');
certify('device',  '/CN=device');
certify('subject', '/O=O1/OU=ORG_OWNER/UID=device-7/CN=Device 7');
$server->launch;

local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
fill(
    (map { { org => { id => $_ } } } qw(O1 O2)),
    UserProfile::user('O1', 'U1'),
    UserProfile::user('O2', 'U2'),
    UserProfile::user('O2', 'stored'),
    { user   => { id => 'device', orgId => 'O1', type => 'machine' } },
    { user   => { %{ UserProfile::user('O1', 'locked')->{user} }, state => 'locked' } },
    { member => { userId => 'stored', orgId => 'O2', roles => ['ORG_OWNER'] } },
    { member => { userId => 'device', orgId => 'O1', roles => ['ORG_OWNER'] } },
);

# A JWT that %claims are in.
sub token {
    my (%claims) = @_;
    my $key    = delete $claims{key} // $secret;
    my $signed = join '.', map { encode_base64url($json->encode($_)) }
        { alg => 'HS256', kid => 'key', typ => 'JWT' },
        { iss => 'https://issuer.example', iat => time, exp => time + 600, %claims };
    return "$signed." . encode_base64url(hmac_sha256($signed, $key));
}

my $turn = 0;

# What a GET and a PUT of the profile of $id come to: '' or a reason.
sub both {
    my ($place, $id, %header) = @_;
    my %change = (firstName => 'N' . ++$turn, lastName => 'L', displayName => 'D');
    return [map { $_->code == 200 ? '' : reason($_) }
        request(GET => "$place/users/$id/profile", {%header}),
        request(PUT => "$place/users/$id/profile", {%header}, \%change)];
}

my ($denied, $no_member, $no_org, $missing) =
    (['', 'PERMISSION_DENIED'], [('MEMBERSHIP_NOT_FOUND') x 2], [('ORG_NOT_FOUND') x 2], ['USER_NOT_FOUND', 'PROFILE_NOT_FOUND']);
my ($all, $unknown) = (['', ''], [('AUTH_HEADER_MISSING') x 2]);
my $owner  = { ORG_OWNER        => { O1 => 'a.example' } };
my $viewer = { ORG_OWNER_VIEWER => { O1 => 'a.example' } };
my @in     = ($home => 'O1');

# mod_auth_openidc: what is asked, whom, the claims, other headers, what is
# answered.
for my $case (
    ['the claims of an organisation and a role suffice',           '/oidc', 'U1', { @in, $roles => $owner }, {}, $all],
    ['a role of ZITADEL permits what it does in the store',         '/oidc', 'U1', { @in, $roles => $viewer }, {}, $denied],
    ['several roles add up',                                        '/oidc', 'U1', { @in, $roles => { %$viewer, %$owner } }, {}, $all],
    ['a role that is unknown permits nothing',                      '/oidc', 'U1', { @in, $roles => { other => {} } }, {}, [('PERMISSION_DENIED') x 2]],
    ['a role counts in the caller\'s organisation alone',           '/oidc', 'U2', { @in, $roles => $owner }, { 'x-zitadel-orgid' => 'O2' }, $no_member],
    ['a role of the instance counts in any organisation',           '/oidc', 'U2', { @in, $roles => { IAM_OWNER => {} } }, { 'x-zitadel-orgid' => 'O2' }, $all],
    ['a role of the instance needs no organisation of its own',     '/oidc', 'U2', { $roles => { IAM_OWNER => {} } }, { 'x-zitadel-orgid' => 'O2' }, $all],
    ['a role needs an organisation, by a claim or in the store',    '/oidc', 'U1', { $roles => $owner }, { 'x-zitadel-orgid' => 'O1' }, $no_member],
    ['with neither record nor header nor claim, none is known',     '/oidc', 'U1', { $roles => $owner }, {}, $no_org],
    ['a claimed organisation must exist',                           '/oidc', 'U1', { $home => 'O3', $roles => $owner }, {}, $no_org],
    ['without roles the organisation gives no rights',              '/oidc', 'U1', { @in }, {}, $no_member],
    ['a stored caller with a claimed role has it at home',          '/oidc', 'U2', { sub => 'stored', $roles => $viewer }, {}, $denied],
    ['a stored caller without claims has its membership',           '/oidc', 'U2', { sub => 'stored' }, {}, $all],
    ['a claimed organisation goes before the stored one',           '/oidc', 'U1', { sub => 'stored', @in, $roles => $owner }, {}, $all],
    ['no roles in the claim leave those of the store',              '/oidc', 'U2', { sub => 'stored', $roles => {} }, {}, $all],
    ['a locked user is refused, whatever the claims say',           '/oidc', 'U1', { sub => 'locked', @in, $roles => $owner }, {}, $no_member],
    ['roles as an array of names',                                  '/oidc/groups', 'U1', { @in, groups => ['sales', 'ORG_OWNER'] }, {}, $all],
    ['a group that UserProfileRole made a role',                    '/oidc/groups', 'U1', { @in, groups => ['sales', 'staff'] }, {}, $denied],
    ['names in a text',                                             '/oidc/groups', 'U1', { @in, groups => "sales\tX,, ORG_OWNER " }, {}, $all],
    ['a name is compared in full',                                  '/oidc/groups', 'U1', { @in, groups => 'ORG_OWNERS' }, {}, [('PERMISSION_DENIED') x 2]],
    ['a JSON array in a text',                                      '/oidc/groups', 'U1', { @in, groups => ' ["sales","ORG_OWNER"]' }, {}, $all],
    ['a JSON array of other things is the site\'s fault',           '/oidc/groups', 'U1', { @in, groups => '["ORG_OWNER",1]' }, {}, [('INTERNAL') x 2]],
    ['broken JSON is the site\'s fault',                            '/oidc/groups', 'U1', { @in, groups => '["ORG_OWNER"' }, {}, [('INTERNAL') x 2]],
    ['two values are the site\'s fault',                            '/oidc/groups', 'U1', { @in, groups => '["x"],"y":["ORG_OWNER"]' }, {}, [('INTERNAL') x 2]],
    ['an inner section may turn claims off',                        '/oidc/plain', 'U1', { @in, $roles => $owner }, {}, $no_org],
    ['... where the caller is REMOTE_USER',                         '/oidc/plain', 'U2', { sub => 'stored' }, {}, $all],
    )
{
    my ($what, $place, $id, $claims, $header, $want) = @$case;
    my %header = (bearer(token(sub => 'x', %$claims)), %$header);
    is_deeply both($place . '/management/v1', $id, %header), $want, "OpenID Connect: $what";
}
my $calls = sub { my ($claims) = @_; (bearer(token(sub => 'x', %$claims))) };
for my $case (
    ['reads a user of the claimed organisation',                   'U1', [], 200],
    ['finds no user of another',                                   'U2', [], 404],
    ['finds none by naming the other either', 'U2', ['x-zitadel-orgid' => 'O2'], 404],
    )
{
    my ($what, $id, $header, $status) = @$case;
    is request(GET => "/oidc/v2/users/$id", { $calls->({ @in, $roles => $owner }), @$header })->code, $status, "OpenID Connect: the v2 user service $what";
}
is request(GET => '/oidc/auth/v1/users/me/profile', { $calls->({ sub => 'U1' }) })->code, 200,
    'OpenID Connect: one\'s own profile is that of the claimed user';

# A token that is not the issuer's: the other module's 401.
is request(GET => '/oidc/management/v1/users/U1/profile', { bearer(token(sub => 'x', @in, $roles => $owner, key => 'another key of 32 bytes or more!')) })->code,
    401, 'OpenID Connect: a token of another key is refused';

# What a client sends as a header is none of these.
my @posing = map { my $name = $_; map { ($_ => $name =~ /resource/ ? 'O1' : $name =~ /role|group/i ? 'ORG_OWNER' : 'stored') } $name, $name =~ tr/_/-/r }
    'OIDC_CLAIM_sub', 'OIDC_CLAIM_urn-zitadel-iam-user-resourceowner-id', 'OIDC_CLAIM_urn-zitadel-iam-org-project-roles',
    'OIDC_CLAIM_groups', 'REMOTE_USER', 'ROLES';
is_deeply both('/oidc/management/v1', 'U1', bearer(token(sub => 'x')), @posing), $no_org,
    'a header gives no claim';
is_deeply both('/oidc/management/v1', 'U1', @posing), [('UNAUTHENTICATED') x 2], '... and makes no caller';
is_deeply both('/map/management/v1', 'U1', basic('bob'), @posing), $no_member,
    '... where a variable of that name is looked for';

# Passwords.
for my $case (
    ['a member of the group has the section\'s role', '/basic', 'alice', 'U1', {}, $all],
    ['who is not in the group is refused',            '/basic', 'carol', 'U1', {}, [('FORBIDDEN') x 2]],
    ['the role is one in the section\'s organisation', '/basic', 'alice', 'U2', { 'x-zitadel-orgid' => 'O2' }, $no_member],
    ['a user\'s roles by a map',                      '/map',   'alice', 'U1', {}, $denied],
    ['a user whom the map does not have',             '/map',   'bob',   'U1', {}, $no_member],
    ['a role of the instance by the map',             '/map',   'carol', 'U2', { 'x-zitadel-orgid' => 'O2' }, $all],
    )
{
    my ($what, $place, $user, $id, $header, $want) = @$case;
    is_deeply both("$place/management/v1", $id, basic($user), %$header), $want, "passwords: $what";
}

# Certificates: what curl is answered with that of $name.
sub by_certificate {
    my ($place, $name) = @_;
    my @certificate = $name ? map { ("--$_->[0]", $server->file("$name.$_->[1]")) } ['cert', 'crt'], ['key', 'key'] : ();
    open my $curl, '-|', 'curl', '-sS', '--cacert', UserProfile::top() . '/t/conf/tls.crt', @certificate,
        '-o', '/dev/null', '-w', '%{http_code}', '--stderr', $server->file('curl'),
        "https://localhost:$tls_port$place/users/U1/profile" or die "curl: $!";
    return scalar <$curl>;
}
is by_certificate('/certificate/management/v1', 'device'), 200, 'certificates: SSLUserName says who calls';
is by_certificate('/certificate/management/v1', 'subject'), 403, '... another name is another caller';
is by_certificate('/certificate/subject/management/v1', 'subject'), 200, 'certificates: the subject has organisation and role';
is by_certificate('/certificate/subject/management/v1', 'device'), 401, '... without the part that names the caller there is none';
is by_certificate('/certificate/management/v1'), '000', '... without a certificate there is no connection';

# Headers, where the site asks for them.
is reason(request(GET => '/denied', { 'X-User' => 'x', 'X-Org' => 'O1', 'X-Roles' => 'ORG_OWNER' })), 'AUTH_HEADER_MISSING',
    'who was refused is no caller of the path that an ErrorDocument leads to';
is_deeply both('/proxied/management/v1', 'U1', 'X-User' => 'x', 'X-Org' => 'O1', 'X-Roles' => 'ORG_OWNER'), $all,
    'headers, where the site asks for them';
is_deeply both('/proxied/management/v1', 'U1', 'X-Org' => 'O1', 'X-Roles' => 'ORG_OWNER'), $unknown,
    '... without the one that names the caller there is none';
is_deeply both('/proxied/management/v1', 'U1', 'X-User' => "x\xff", 'X-Org' => 'O1', 'X-Roles' => 'ORG_OWNER'), $no_member,
    '... a caller whom no event could name has no rights';
is_deeply both('/proxied/management/v1', 'U1', 'X-User' => 'x', 'X-Org' => "O\xff", 'X-Roles' => 'IAM_OWNER'), $no_org,
    '... an organisation that is not UTF-8 does not exist';
my $trailer = raw(join "\r\n", 'PUT /proxied/management/v1/users/U1/profile HTTP/1.1', 'Host: x', 'Connection: close',
    'Content-Type: application/json', 'X-User: x', 'X-Org: O1', 'Transfer-Encoding: chunked', 'Trailer: X-Roles', '',
    '2', '{}', '0', 'X-Roles: ORG_OWNER', '', '');
like $trailer, qr/MEMBERSHIP_NOT_FOUND/, '... a trailer gives no roles';

# Who made a change, and whom the log names.
my %author = map { $_ => 1 } (ctl('events', '--json'))[1] =~ /"type":"profile\.changed",.*"by":"([^"]+)"/g;
is join(' ', sort keys %author), 'alice carol stored x', 'the author of a change is the caller';
like $server->log, qr/ORG_NOT_FOUND: the caller has no organisation: it is no user in the store, x-zitadel-orgid names none, and UserProfileCallerOrg gives none \(caller 'x', user \S+, organisation none\)/,
    'the log says which organisation is missing';
like $server->log, qr/INTERNAL: UserProfileCallerRoles gives JSON that names no roles: the JSON ends too early \(line 1, column 13\)/, 'the log says what is wrong with roles';

done_testing;
