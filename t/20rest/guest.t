# A good guest: what the site's other modules and sections do to our paths, and
# that the rest of a Location stays theirs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my ($modules) = UserProfile::slurp(UserProfile::top() . '/modules.conf')
    =~ m{^LoadModule \w+ (/\S+)/mod_}m;

my $server = OwnServer->prepare(<<"END");
LoadModule include_module $modules/mod_include.so

# It would look into every file, and answers 500 for what it takes for a file
# that is none.
LoadModule mime_magic_module $modules/mod_mime_magic.so
MIMEMagicFile "\${FOLDER}/magic"

UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
LogFormat "%{X-Test}i %m %U %>s caller=%{userprofile-caller}n org=%{userprofile-org}n user=%{userprofile-user}n reason=%{userprofile-reason}n sequence=%{userprofile-sequence}n" notes
CustomLog "\${FOLDER}/access.log" notes
LogLevel notice userprofile:trace8
DocumentRoot "\${FOLDER}"
Include "\${CONF}/everywhere.conf"
<Location /page>
    UserProfile Off
    AuthType None
    Require all granted
</Location>

# None of these applies to what is no file.
<Directory "\${FOLDER}">
    Header set X-Directory yes
</Directory>
<Directory "\${FOLDER}/page">
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Directory>
<Directory "\${FOLDER}/broken">
    AllowOverride All
</Directory>
<Files "*">
    Header set X-Files yes
</Files>

RewriteEngine On
RewriteRule ^/nice/([^/]+)\$ /users/\$1/profile [PT]
RewriteRule ^/page/nice/([^/]+)\$ /gateway/users/\$1/profile [PT]
RewriteRule ^/page/if/([^/]+)\$ /proxied/if/users/\$1/profile [PT]
RewriteRule ^/off/([^/]+)\$ /page/users/\$1/profile [PT]
RewriteRule ^/(if|unless)/gone/ - [R=404]
RewriteRule ^/plain/([^/]+)\$ /users/\$1/profile
RewriteRule ^/moved/([^/]+)\$ /users/\$1/profile [R=307,L]
RewriteRule ^/forced/ - [H=server-status]
RewriteRule ^/users/away/profile\$ /page/else.txt [PT]
RewriteRule ^/users/far/profile\$ http://127.0.0.1:\${PORT}/page/else.txt [P]
ProxyPass /proxied http://127.0.0.1:\${PORT}/page
ProxyPassMatch ^/(gateway/.*)\$ http://127.0.0.1:\${PORT}/page/\$1
Alias /aliased "\${FOLDER}/page"
Alias /broken "\${FOLDER}/broken"
ScriptAlias /scripts "\${FOLDER}/page"
<Location /fallback>
    FallbackResource /page/else.txt
</Location>
<Location /handled>
    SetHandler server-status
</Location>
<Location /default-handler>
    SetHandler default-handler
</Location>
<LocationMatch "^/if/.*">
    UserProfile Off
    <If "req_novary('X-On') == 'yes'">
        UserProfile On
        UserProfileMaxBody 100
    </If>
</LocationMatch>
<Location /proxied/if>
    UserProfile Off
    <If "req_novary('X-On') == 'yes'">
        UserProfile On
    </If>
</Location>
<Location /unless>
    <If "req_novary('X-Off') == 'yes'">
        UserProfile Off
    </If>
</Location>
<LocationMatch "^/(?!match/[0-9]+/)match/">
    UserProfile Off
</LocationMatch>
<Location /page/lost>
    ErrorDocument 404 /auth/v1/users/me/profile
</Location>
<Location /headers>
    Header set X-Set yes
    Header set Cache-Control private
    Header unset ETag
    Header always set X-Always yes
</Location>
<Location /organisation>
    RequestHeader set X-Zitadel-Orgid elsewhere
</Location>
<Location /environment>
    SetEnvIf X-Missing "^\$" missing
    Header set X-Caller "expr=%{REMOTE_USER}"
</Location>
<Location /denied>
    AuthMerging Off
    Require all denied
</Location>
<VirtualHost *:\${PORT}>
    ServerName first
    RewriteOptions Inherit
    RewriteEngine On
</VirtualHost>
END
spew('magic', "0 string something text/x-something\n");
$server->launch;
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};

sub spew {
    my ($name, $text) = @_;
    open my $out, '>', $server->file($name) or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
}

my $site = site();
my $user = human($site);
my %auth = bearer($site);
my $ours = "users/$user/profile";
mkdir $server->file($_) or die "mkdir $_: $!" for qw(page page/users page/users/file broken);
spew('page/else.txt', 'something else');
spew('page/users/file/profile', 'something else');
spew('broken/.htaccess', "Nonsense\n");
spew('broken/else.txt', 'something else');
spew('page/part.shtml', "<p><!--#include virtual=\"/$ours\" --></p>");
spew('page/error.shtml', '<p><!--#include virtual="/users/nobody/profile" --></p>');

# What: method and path, headers, body; status; what the answer's body is like:
# a profile, JSON, or a text.
my $profile = qr/^\{"details":\{"sequence":"\d+",.*"profile":\{"firstName":"Gigi"/;
my $else    = qr/^something else$/;
my @cases = (
    ['[PT] onto our path',                                      GET => "/nice/$user",            {},                200, $profile],
    ['[PT] onto an unknown user',                               GET => '/nice/nobody',           {},                404, qr/"USER_NOT_FOUND"/],
    ['[PT] onto our path needs a token',                        GET => "/nice/$user",            { Authorization => undef }, 401, qr/"AUTH_HEADER_MISSING"/],
    ['[PT] onto our path refuses another method',               POST => "/nice/$user",           {},                405, qr/"METHOD_NOT_ALLOWED"/],
    ['a rewrite without [PT] is to a file',                     GET => "/plain/$user",           {},                404, qr/<title>404 /],
    ['[PT] from where UserProfile is Off',                      GET => "/page/nice/$user",       {},                200, $profile],
    ['[PT] to where UserProfile is Off',                        GET => '/off/file',              {},                200, $else],
    ['[PT] to where <If> turns UserProfile on',                 GET => "/page/if/$user",         { 'X-On' => 'yes' }, 200, $profile],
    ['[PT] to where <If> does not turn UserProfile on',         GET => "/page/if/$user",         {},                404, qr/<title>404 /],
    ['a redirect to our path',                                  GET => "/moved/$user",           {},                307, qr/$ours/],
    ['[PT] away from our path',                                 GET => '/users/away/profile',    {},                200, $else],
    ['[P] away from our path',                                  GET => '/users/far/profile',     {},                200, $else],
    ['[H] away from our path',                                  GET => "/forced/$ours",          {},                200, qr/Server Status/],
    ['ProxyPass of another path',                               GET => '/proxied/else.txt',      {},                200, $else],
    ['ProxyPass does not get our path',                         GET => "/proxied/$ours",         {},                200, $profile],
    ['ProxyPass does not get what we refuse',                   POST => "/proxied/$ours",        {},                405, qr/"METHOD_NOT_ALLOWED"/],
    ['ProxyPassMatch does not get our path',                    GET => "/gateway/$ours",         {},                200, $profile],
    ['ProxyPassMatch gets another path',                        GET => '/gateway/else',          {},                404, qr/<title>404 /],
    ['Alias of another path',                                   GET => '/aliased/else.txt',      {},                200, $else],
    ['Alias does not get our path',                             GET => "/aliased/$ours",         {},                200, $profile],
    ['ScriptAlias does not get our path',                       GET => "/scripts/$ours",         {},                200, $profile],
    ['a broken .htaccess of another path',                      GET => '/broken/else.txt',       {},                500, qr/<title>500 /],
    ['a broken .htaccess is not read for our path',             GET => "/broken/$ours",          {},                200, $profile],
    ['FallbackResource of another path',                        GET => '/fallback/x',            {},                200, $else],
    ['FallbackResource does not get our path',                  GET => "/fallback/$ours",        {},                200, $profile],
    ['FallbackResource does not get our errors',                GET => '/fallback/users/x/profile', {},             404, qr/"USER_NOT_FOUND"/],
    ['SetHandler of another path',                              GET => '/handled/x',             {},                200, qr/Server Status/],
    ['SetHandler does not get our path',                        GET => "/handled/$ours",         {},                200, $profile],
    ['SetHandler default-handler does not get our path',        GET => "/default-handler/$ours", {},                200, $profile],
    ['<If> that is false does not turn UserProfile on',         GET => "/if/$ours",              {},                404, qr/<title>404 /],
    ['<If> that is true turns UserProfile on',                  GET => "/if/$ours",              { 'X-On' => 'yes' }, 200, $profile],
    ['<If> that is true sets UserProfileMaxBody',               PUT => "/if/$ours",              { 'X-On' => 'yes' }, 413, qr/limit of 100 bytes/, ' ' x 101],
    ['<If> that is true turns UserProfile off',                 GET => "/unless/$ours",          { 'X-Off' => 'yes' }, 404, qr/<title>404 /],
    ['<If> that is false does not turn UserProfile off',        GET => "/unless/$ours",          {},                200, $profile],
    ['refused early, where <If> does not turn UserProfile on',  GET => "/if/gone/$ours",         {},                404, qr/<title>404 /],
    ['refused early, where <If> turns UserProfile on',          GET => "/if/gone/$ours",         { 'X-On' => 'yes' }, 404, qr/"NOT_FOUND"/],
    ['refused early, where <If> turns UserProfile off',         GET => "/unless/gone/$ours",    { 'X-Off' => 'yes' }, 404, qr/<title>404 /],
    ['refused early, where <If> does not turn UserProfile off', GET => "/unless/gone/$ours",     {},                404, qr/"NOT_FOUND"/],
    ['<LocationMatch> that matches turns UserProfile off',      GET => "/match/x/$ours",         {},                404, qr/<title>404 /],
    ['<LocationMatch> that does not match changes nothing',     GET => "/match/12/$ours",        {},                200, $profile],
    ['RequestHeader chooses the organisation',                  GET => "/organisation/$ours", {},            403, qr/"ORG_NOT_FOUND"/],
    ['mod_include includes our answer',                         GET => '/page/part.shtml',       {},                200, qr/^<p>\{"details":.*"Gigi".*\}<\/p>$/],
    ['mod_include includes our answer, though the client has it', GET => '/page/part.shtml', { 'If-None-Match' => '*' }, 200, qr/^<p>\{"details":.*"Gigi".*\}<\/p>$/],
    ['mod_include includes our answer, whatever the page must match', GET => '/page/part.shtml', { 'If-Match' => '"7"' }, 200, qr/^<p>\{"details":.*"Gigi".*\}<\/p>$/],
    ['an ErrorDocument that is ours keeps the status',          GET => '/page/lost/x',           {},                404, $profile],
    ['an ErrorDocument that is ours, though the client has it', GET => '/page/lost/x',           { 'If-None-Match' => '*' }, 404, $profile],
    ['mod_include without a token gets no profile',             GET => '/page/part.shtml',       { Authorization => undef }, 200, qr/^<p>(?!.*Gigi)/],
    ['mod_include of an unknown user gets no profile',          GET => '/page/error.shtml',      {},                200, qr/^<p>(?!.*Gigi)/],
);
for my $case (@cases) {
    my ($what, $method, $path, $header, $status, $body, $content) = @$case;
    my $got = request($method => $path, { %auth, %$header }, $content);
    is $got->code, $status, "$what: $status";
    like $got->content || $got->header('Location') || '', $body, "$what: the body";
}

# mod_headers has the last word.
my $got = request(GET => "/headers/$ours", {%auth});
is $got->header('X-Set'),         'yes',     'Header set';
is $got->header('X-Always'),      'yes',     'Header always set';
is $got->header('Cache-Control'), 'private', 'Header set replaces a header of ours';
is $got->header('ETag'),          undef,     'Header unset removes a header of ours';
is $got->header('X-Content-Type-Options'), 'nosniff', 'our other headers stay';
$got = request(GET => "/headers/$ours");
is $got->code, 401, 'Header always set: an error of ours';
is $got->header('X-Always'), 'yes', 'Header always set applies to an error of ours';
is request(GET => "/environment/$ours", {%auth})->header('X-Caller'), $site->{admin},
    'REMOTE_USER is the caller';

# Sections for files apply to files.
$got = request(GET => '/aliased/else.txt', {%auth});
is $got->header("X-$_"), 'yes', "<$_> applies to a file" for qw(Directory Files);
for my $path ("/$ours", "/aliased/$ours", "/broken/$ours") {
    $got = request(GET => $path, {%auth});
    is $got->header("X-$_"), undef, "<$_> does not apply to $path" for qw(Directory Files);
}

# The notes for the access log, line by line. A request is logged after it is
# answered, by whichever child had it, so each says which one it is.
my ($org, $admin) = @$site{qw(org admin)};
my $other = site('NONE_OF_OURS');
my $names = { firstName => 'N', lastName => 'L', displayName => 'D' };
my @noted = (
    # method, path, headers, body, then status, caller, org, user, reason, sequence
    [GET    => "/$ours",               {%auth},           undef,  200, $admin, $org, $user, '-', 1],
    [HEAD   => "/$ours",               {%auth},           undef,  200, $admin, $org, $user, '-', 1],
    [GET    => "/$ours",               { %auth, 'If-None-Match' => '*' }, undef, 304, $admin, $org, $user, '-', 1],
    [PUT    => "/$ours",               {%auth},           $names, 200, $admin, $org, $user, '-', 2],
    [PUT    => "/$ours",               {%auth},           $names, 400, $admin, $org, $user, 'PROFILE_NOT_CHANGED', '-'],
    [PUT    => "/$ours",               {%auth},           {},     400, $admin, $org, $user, 'FIELD_INVALID', '-'],
    [GET    => '/users/nobody/profile', {%auth},          undef,  404, $admin, $org, 'nobody', 'USER_NOT_FOUND', '-'],
    [GET    => "/$ours",               { bearer($other) }, undef, 403, $other->{admin}, $other->{org}, $user, 'PERMISSION_DENIED', '-'],
    [GET    => "/$ours",               { %auth, 'x-zitadel-orgid' => 'none' }, undef, 403, $admin, '-', $user, 'ORG_NOT_FOUND', '-'],
    [GET    => "/$ours",               { bearer('x') },   undef,  401, '-',    '-',  $user, 'TOKEN_INVALID', '-'],
    [DELETE => "/$ours",               {},                undef,  405, '-',    '-',  $user, 'METHOD_NOT_ALLOWED', '-'],
    [GET    => "/denied/$ours",        {%auth},           undef,  403, '-',    '-',  $user, 'FORBIDDEN', '-'],
    [GET    => '/denied/x',            {%auth},           undef,  403, '-',    '-',  '-',   '-', '-'],
    [GET    => '/page/else.txt',       {},                undef,  200, '-',    '-',  '-',   '-', '-'],
);
my @want;
for my $case (@noted) {
    my ($method, $path, $header, $body, $status, @notes) = @$case;
    request($method => $path, { %$header, 'X-Test' => scalar @want }, $body);
    push @want, "$method $path $status "
        . join ' ', map { "$_=" . shift @notes } qw(caller org user reason sequence);
}
my %logged;
$server->wait_until(sub {
    my $log = UserProfile::slurp($server->file('access.log'));
    %logged = $log =~ /^(\d+) (.*)\n/mg;
    return @want == keys %logged;
});
is $logged{$_}, $want[$_], "notes in the access log: $want[$_]" for 0 .. $#want;

# No log, however talkative, holds a value, a token or a body.
my @secrets = map { "secret$_-$$" } 1 .. 9;
my %put = (%auth, 'Content-Type' => 'application/json');
request(PUT => "/$ours", {%put}, qq({"firstName":"$secrets[0]","lastName":"$secrets[1]","nickName":"$secrets[2]","displayName":"$secrets[3]"}));
is decode(request(GET => "/$ours", {%auth}))->{profile}{nickName}, $secrets[2], 'values are stored that no log may hold';
request(PUT => "/$ours", {%put}, $_) for
    qq({"firstName":"$secrets[4]"}),
    qq({"firstName":"$secrets[4]",),
    qq({"$secrets[4]":1,"$secrets[4]":2}),
    qq({"gender":"$secrets[4]"}),
    qq({"preferredLanguage":"$secrets[4]"}),
    $secrets[4];
request(PUT => "/$ours", { %put, 'Content-Type' => $secrets[5] }, 'x');
request(GET => "/$ours", { bearer($secrets[6]) });
request(GET => "/$ours", { Authorization => "$secrets[7] x" });
request(GET => "/$ours", { %auth, 'If-Match' => $secrets[8] });
my $logs = $server->log . UserProfile::slurp($server->file('access.log'));
like $logs, qr/UP0010: PUT .*BODY_INVALID/, 'the error log has the refused requests';
unlike $logs, qr/\Q$_\E/, "no log holds $_" for @secrets, $site->{token};
unlike $logs, qr/exit signal/, 'no child died';

done_testing;
