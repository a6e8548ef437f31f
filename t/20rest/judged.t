# What Apache's own means of access control see of a path of ours, and who
# counts as the caller when httpd comes to us by way of another request.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my ($modules) = UserProfile::slurp(UserProfile::top() . '/modules.conf')
    =~ m{^LoadModule \w+ (/\S+)/mod_}m;
my $htpasswd = UserProfile::top() . '/t/conf/htpasswd';
my $server = OwnServer->prepare(<<"END");
LoadModule access_compat_module $modules/mod_access_compat.so
LoadModule include_module $modules/mod_include.so
LoadModule actions_module $modules/mod_actions.so
LoadModule cgi_module $modules/mod_cgi.so
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
DocumentRoot "\${FOLDER}/files"
MergeTrailers On
RewriteEngine On

# Each section asks another module about the same path.
<Location /rewrite>
    UserProfile On
    AuthType UserProfile
    Require valid-user
    RewriteEngine On
    RewriteRule users/L/ - [F]
    RewriteRule users/elsewhere/ /else.txt
</Location>
<Location /cond>
    UserProfile On
    AuthType UserProfile
    Require valid-user
    RewriteEngine On
    RewriteCond %{REQUEST_FILENAME} users/L/
    RewriteRule ^ - [F]
</Location>
<Location /if>
    UserProfile On
    AuthType UserProfile
    Require valid-user
    <If "%{REQUEST_URI} =~ m#/users/L/#">
        Require all denied
    </If>
</Location>
<Location /limit>
    UserProfile On
    AuthType UserProfile
    <Limit GET>
        Require valid-user
    </Limit>
    <Limit PUT>
        Require user somebody-else
    </Limit>
</Location>
<Location /limitexcept>
    UserProfile On
    AuthType UserProfile
    <Limit GET>
        Require valid-user
    </Limit>
    <LimitExcept GET>
        Require user somebody-else
    </LimitExcept>
</Location>
<Location /expr>
    UserProfile On
    AuthType UserProfile
    <RequireAll>
        Require valid-user
        Require expr "%{REQUEST_URI} !~ m#/users/L/#"
        Require expr "%{SCRIPT_FILENAME} !~ m#/users/M/#"
    </RequireAll>
</Location>
<Location /satisfy>
    UserProfile On
    AuthType UserProfile
    Require valid-user
    Order allow,deny
    Deny from all
    Satisfy any
</Location>
<Location /denied>
    UserProfile On
    Require all denied
</Location>

# A wrong password leads to a path of ours in the same section.
<Location /basic>
    UserProfile On
    AuthType Basic
    AuthName basic
    AuthUserFile "$htpasswd"
    Require valid-user
    ErrorDocument 401 /basic/users/victim/profile
    ErrorDocument 403 /basic/users/victim/profile
</Location>
<Location /basic/forbidden>
    AuthMerging Off
    AuthzSendForbiddenOnFailure On
    Require all denied
</Location>
# ... or to a page that includes one.
<Location /page>
    UserProfile On
    AuthType Basic
    AuthName basic
    AuthUserFile "$htpasswd"
    Require valid-user
    ErrorDocument 401 /page/part.shtml
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
<Location /open>
    Require all granted
    Options +Includes
    AddOutputFilter INCLUDES .shtml
</Location>
<Directory "\${FOLDER}/files">
    Options +Includes +ExecCGI
    AddOutputFilter INCLUDES .shtml
    Require all granted
</Directory>
END
mkdir $server->file($_) or die "mkdir $_: $!" for qw(files files/page);

sub spew {
    my ($name, $text) = @_;
    open my $out, '>', $server->file("files/$name") or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
}
spew('else.txt', 'something else');
spew('page/part.shtml', '<p><!--#include virtual="/page/users/victim/profile" --></p>');
$server->launch;
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};

my $site = site();
fill(UserProfile::user($site->{org}, $_)) for qw(L M U victim);
fill({ member => { userId => 'admin', roles => ['IAM_OWNER'] } });
my %auth = bearer($site);

my @cases = (
    # section       user  method status what
    ['/rewrite',     'U', 'GET', 200, 'a RewriteRule of the section that does not match lets the call through'],
    ['/rewrite',     'L', 'GET', 403, 'a RewriteRule of the section sees the path, and forbids it'],
    ['/rewrite',     'L', 'PUT', 403, 'a RewriteRule of the section forbids the change too'],
    ['/cond',        'U', 'GET', 200, 'a RewriteCond on REQUEST_FILENAME that does not match lets the call through'],
    ['/cond',        'L', 'GET', 403, 'a RewriteCond on REQUEST_FILENAME sees the path'],
    ['/if',          'U', 'GET', 200, '<If> on another path lets the call through'],
    ['/if',          'L', 'GET', 403, '<If> sees the path, and its Require applies'],
    ['/limit',       'U', 'GET', 200, '<Limit PUT> leaves GET alone'],
    ['/limit',       'U', 'PUT', 401, '<Limit PUT> sees the method'],
    ['/limitexcept', 'U', 'GET', 200, '<LimitExcept GET> leaves GET alone'],
    ['/limitexcept', 'U', 'PUT', 401, '<LimitExcept GET> sees the method'],
    ['/expr',        'U', 'GET', 200, 'Require expr on another path lets the call through'],
    ['/expr',        'L', 'GET', 403, 'Require expr sees the path'],
    ['/expr',        'M', 'GET', 403, 'Require expr sees the path as SCRIPT_FILENAME too'],
    ['/satisfy',     'U', 'GET', 200, 'Satisfy any lets a caller with a token in'],
    ['/denied',      'U', 'GET', 403, 'Require all denied denies'],
);
for my $case (@cases) {
    my ($section, $user, $method, $status, $what) = @$case;
    my $got = request($method => "$section/users/$user/profile", {%auth},
        $method eq 'PUT' ? { firstName => 'X', lastName => 'X', displayName => 'X' } : undef);
    is $got->code, $status, $what;
}
is request(GET => '/satisfy/users/U/profile')->code, 401, 'Satisfy any lets nobody in without a token';
like $server->log, qr{AH01630: client denied by server configuration: /denied/users/U/profile},
    "httpd's own line names the path that it denied";

# Who is authenticated.
sub basic_call {
    my ($path, $password) = @_;
    return request(GET => $path, { basic('admin', $password), 'x-zitadel-orgid' => $site->{org} });
}
is basic_call('/basic/users/victim/profile', 'admin-password')->code, 200, 'the right password reads';
for my $case (
    ['/basic/users/victim/profile', 'wrong', 401, 'a wrong password, whose ErrorDocument is a path of ours'],
    ['/basic/x',                    'wrong', 401, 'a wrong password for another path, with the same ErrorDocument'],
    ['/page/users/victim/profile',  'wrong', 401, 'a wrong password, whose ErrorDocument includes a path of ours'],
    ['/page/x',                     'wrong', 401, 'a wrong password for another path, whose ErrorDocument includes a path of ours'],
    ['/basic/forbidden/x',          'admin-password', 401, 'a request that is forbidden, whose ErrorDocument is a path of ours'],
    )
{
    my ($path, $password, $status, $what) = @$case;
    my $got = basic_call($path, $password);
    is $got->code, $status, "$what: the answer is that nobody is authenticated";
    unlike $got->content, qr/Gigi/, "$what: no profile is read";
}

# Trailers.
my $body = '{"firstName":"T","lastName":"T","displayName":"T"}';
my $other = site();
sub chunked_put {
    my ($trailer) = @_;
    return raw("PUT /satisfy/users/U/profile HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            . "Authorization: $auth{Authorization}\r\nTransfer-Encoding: chunked\r\n\r\n"
            . sprintf("%x\r\n%s\r\n0\r\n%s\r\n", length $body, $body, $trailer));
}
like chunked_put("x-zitadel-orgid: $other->{org}\r\n"), qr/^HTTP.1\.1 200 /,
    'a trailer does not set x-zitadel-orgid, even with MergeTrailers';
$body =~ s/T/V/g;
like chunked_put("If-Match: \"77\"\r\n"), qr/^HTTP.1\.1 200 /, 'a trailer does not set If-Match';
$body =~ s/V/W/g;
like chunked_put("Content-Encoding: br\r\n"), qr/^HTTP.1\.1 200 /, 'a trailer does not set Content-Encoding';

# The log.
request(GET => q{/denied/users/a'b"c/profile});
request(GET => q{/satisfy/users/a'b"c/profile});
like $server->log, qr{\[userprofile:info\][^\n]*UP0010: GET /satisfy/users/a'b\\+"c/profile: AUTH_HEADER_MISSING},
    'a request without credentials is logged at info, a quote in its path escaped';
fill({ token => { userId => q{a' (caller 'b}, token => 'quoted' } });
request(GET => '/satisfy/users/U/profile', { bearer('quoted') });
like $server->log, qr{ORG_NOT_FOUND: .* \(caller 'a\\+' \(caller \\+'b', user 'U', organisation none\)},
    'the log names caller, user and organisation, quotes in them escaped';
unlike $server->log, qr{\(caller 'b}, 'so no caller passes for another in the log';

done_testing;
