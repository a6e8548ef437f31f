# What else Apache does to our paths: nothing in a <Location>, all that it does
# to files in a <Directory>.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $server = OwnServer->prepare(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
DocumentRoot "${FOLDER}/files"
Alias /alias "${FOLDER}/files"
Alias /place/alias "${FOLDER}/files"
<Directory "${FOLDER}/files">
    UserProfile On
    AuthType UserProfile
    AllowOverride All
    Require valid-user
</Directory>
<Location /place>
    UserProfile On
    AuthType UserProfile
    Require valid-user
</Location>
ProxyPass /place/proxy        http://127.0.0.1:1/
ProxyPass /place/proxy-first  http://127.0.0.1:1/ mapping=encoded
ProxyPass /place/proxy-first2 http://127.0.0.1:1/ mapping=servlet
END
mkdir $server->file($_) or die "mkdir: $!" for qw(files files/broken);
open my $out, '>', $server->file('files/broken/.htaccess') or die ".htaccess: $!";
print $out "Nonsense\n";
close $out or die ".htaccess: $!";
$server->launch;
local $UserProfile::store = $server->store;
my $site = site();

for my $case (
    # where                   status what
    ['',                      200, 'a <Directory> may serve profiles'],
    ['/alias',                200, 'an alias leads there'],
    ['/alias/broken',         500, '... and .htaccess counts'],
    ['/place',                200, 'a <Location> serves them'],
    ['/place/alias/broken',   200, '... whatever alias and .htaccess say'],
    ['/place/proxy',          200, '... before a proxy'],
    ['/place/proxy-first',    503, '... but for one that maps encoded paths'],
    ['/place/proxy-first2',   503, '... or those of servlets'],
    )
{
    my ($where, $status, $what) = @$case;
    is(request(GET => $server->url("$where/users/$site->{admin}/profile"), { bearer($site) })->code,
        $status, $what);
}

done_testing;
