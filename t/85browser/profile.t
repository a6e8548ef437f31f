# profile.t -- see profile.mjs. Its server has the page and the calls as the
# examples in conf/userprofile.conf do, and again below other paths, with other
# logins.
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/../lib";
use FreePort;
use OwnServer;
use UserProfile;

my $top  = UserProfile::top();
my $conf = UserProfile::slurp("$top/conf/userprofile.conf");

# The example that begins with $line.
sub example {
    my ($line) = @_;
    my ($text) = $conf =~ m{^#(\Q$line\E.*?^#</\w+>\n)}ms
        or die "userprofile.conf has no example that begins with $line\n";
    return $text =~ s/^#//mgr;
}

my $calls = example('<LocationMatch "^/(management');
my $page  = example('Alias "/profile"') =~ s{/usr/share/userprofile}{$top/conf}r;

# The page below $prefix.
sub page {
    my ($prefix) = @_;
    return $page =~ s{"(?=/profile")}{"$prefix}gr;
}

# The calls and the page below $prefix, by a name and a password.
sub by_password {
    my ($prefix) = @_;
    return <<"END" . page($prefix);
<Location $prefix>
    UserProfile On
    AuthType Basic
    AuthName "people"
    AuthUserFile "\${FOLDER}/passwords"
    Require valid-user
</Location>
END
}

# The same, by a token, with $directive.
sub by_token {
    my ($prefix, $directive) = @_;
    return <<"END" . page($prefix);
<Location $prefix>
    UserProfile On
    AuthType UserProfile
    AuthName "profiles"
    Require valid-user
    $directive
</Location>
END
}

# The calls and the page below $prefix, by a cookie that a form at $prefix-login
# gives; $unsigned says what becomes of a request without it.
sub by_cookie {
    my ($prefix, $unsigned) = @_;
    my $name    = $prefix =~ s{/}{}gr;
    my $session = <<"END";
    AuthType form
    AuthName "people"
    AuthFormProvider file
    AuthUserFile "\${FOLDER}/passwords"
    Session On
    SessionCookieName $name path=/;HttpOnly;SameSite=Strict
    SessionCryptoPassphrase secret
END
    my $login = $session . <<"END";
    Require valid-user
    $unsigned
END
    my $open = "    AuthType None\n    Require all granted\n";
    return <<"END" . page($prefix) =~ s{\Q$open\E}{$login}r;
<Location $prefix>
    UserProfile On
$login
</Location>
<Location $prefix-login>
    SetHandler form-login-handler
    AuthFormLoginRequiredLocation /login/$name.html
    AuthFormLoginSuccessLocation $prefix/profile/
    Require all granted
$session
</Location>
END
}

# A form to sign in by.
sub login_page {
    my ($name) = @_;
    return <<"END";
<!DOCTYPE html><title>Sign in</title>
<form method="post" action="/$name-login">
<input name="httpd_username"><input name="httpd_password"><button>Go</button>
</form>
END
}

my $elsewhere = free_port();
my $server;

sub spew {
    my ($name, $text) = @_;
    open my $out, '>', $server->file($name) or die "$name: $!";
    print $out $text;
    close $out or die "$name: $!";
}

$server = OwnServer->prepare(join "\n",
    'UserProfileStore "lmdb:${FOLDER}/store"',
    "Listen 127.0.0.1:$elsewhere",
    'Alias /login ${FOLDER}/login',
    "<Location /login>\n    Require all granted\n</Location>",
    'CustomLog ${FOLDER}/access.log "%{local}p %m %U%q %u %>s"',
    "AddType text/javascript .js\nAddType text/css .css",
    $calls, $page, by_password('/basic'),
    by_token('/read', 'UserProfileSelf Read'),
    by_token('/few', 'UserProfileLanguages de en'),
    by_cookie('/cookie',   'ErrorDocument 401 /login/cookie.html'),
    by_cookie('/redirect', 'AuthFormLoginRequiredLocation /login/redirect.html'));
mkdir $server->file('login') or die "login: $!";
spew("login/$_.html", login_page($_)) for qw(cookie redirect);
$server->launch;

local $UserProfile::store = $server->store;
my $site = site();
my @people = qw(by-basic by-cookie by-redirect);
fill(map { UserProfile::user($site->{org}, $_) } @people);
spew('passwords', join '',
    map { "$_:{SHA}" . sha1_base64('secret') . "=\n" } @people);

$ENV{UP_SETUP} = JSON::PP->new->utf8->encode({
    url   => $server->url(''),
    org   => $site->{org},
    tool  => ($ENV{UP_BUILD} || "$top/build") . '/userprofilectl',
    store => $server->store,
    page  => "$top/conf/profile",
    elsewhere => "http://127.0.0.1:$elsewhere",
    log   => $server->file('access.log'),
});
system 'node', "$FindBin::Bin/profile.mjs";
my $status = $?;
$server->stop;
exit($status ? 1 : 0);
