# profile.t -- see profile.mjs. Its server has the page and the calls as the
# examples in conf/userprofile.conf do, and again below other paths, with other
# logins.
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use FindBin;
use JSON::PP ();
use lib "$FindBin::Bin/../lib";
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

my $server = OwnServer->prepare(join "\n",
    'UserProfileStore "lmdb:${FOLDER}/store"',
    "AddType text/javascript .js\nAddType text/css .css",
    $calls, $page, by_password('/basic'),
    by_token('/read', 'UserProfileSelf Read'),
    by_token('/few', 'UserProfileLanguages de en'));
$server->launch;

local $UserProfile::store = $server->store;
my $site = site();
fill(UserProfile::user($site->{org}, 'by-basic'));
open my $out, '>', $server->file('passwords') or die "passwords: $!";
print $out 'by-basic:{SHA}', sha1_base64('secret'), "=\n";
close $out or die "passwords: $!";

$ENV{UP_SETUP} = JSON::PP->new->utf8->encode({
    url   => $server->url(''),
    org   => $site->{org},
    tool  => ($ENV{UP_BUILD} || "$top/build") . '/userprofilectl',
    store => $server->store,
    page  => "$top/conf/profile",
});
system 'node', "$FindBin::Bin/profile.mjs";
my $status = $?;
$server->stop;
exit($status ? 1 : 0);
