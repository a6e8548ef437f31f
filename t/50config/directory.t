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
    ['',                    200, 'UserProfile On in a <Directory> serves profiles'],
    ['/alias',              200, 'an Alias leads to such a <Directory>'],
    ['/alias/broken',       500, 'a broken .htaccess counts in such a <Directory>'],
    ['/place',              200, 'UserProfile On in a <Location> serves profiles'],
    ['/place/alias/broken', 200, 'neither Alias nor .htaccess reach a path of a <Location>'],
    ['/place/proxy',        200, 'a ProxyPass does not get a path of a <Location>'],
    ['/place/proxy-first',  503, 'a ProxyPass with mapping=encoded does'],
    ['/place/proxy-first2', 503, 'a ProxyPass with mapping=servlet does'],
    )
{
    my ($where, $status, $what) = @$case;
    is(request(GET => $server->url("$where/users/$site->{admin}/profile"), { bearer($site) })->code,
        $status, $what);
}

done_testing;
