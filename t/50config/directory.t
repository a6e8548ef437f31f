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
Alias /management "${FOLDER}/files"
Alias /auth "${FOLDER}/files/broken"
Alias /place/management "${FOLDER}/files/broken"
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
# It holds until a path is found to be ours, which then has a file name.
<Location "${FOLDER}">
    Require all granted
    <If "-z %{REQUEST_FILENAME}">
        UserProfile On
    </If>
</Location>
<Directory />
    Require all denied
</Directory>
ProxyPass /place/users http://127.0.0.1:1/
ProxyPass /place/auth  http://127.0.0.1:1/ mapping=encoded
ProxyPass /place/v2    http://127.0.0.1:1/ mapping=servlet
END
mkdir $server->file($_) or die "mkdir: $!" for qw(files files/broken users users/U);
open my $out, '>', $server->file('files/broken/.htaccess') or die ".htaccess: $!";
print $out "Nonsense\n";
close $out or die ".htaccess: $!";
open $out, '>', $server->file('users/U/profile') or die "profile: $!";
print $out "a file\n";
close $out or die "profile: $!";
$server->launch;
local $UserProfile::store = $server->store;
my $site = site();

for my $case (
    # path                                   status what
    ['/users/U/profile',                     200, 'UserProfile On in a <Directory> serves profiles'],
    ['/management/v1/users/U/profile',       200, 'an Alias leads to such a <Directory>'],
    ['/deeper/users/U/profile',              404, 'such a <Directory> serves no profiles below a prefix'],
    ['/auth/v1/users/me/profile',            500, 'a broken .htaccess counts in such a <Directory>'],
    ['/place/users/U/profile',               200, 'UserProfile On in a <Location> serves profiles, and a ProxyPass does not get its paths'],
    ['/place/management/v1/users/U/profile', 200, 'neither Alias nor .htaccess reach a path of a <Location>'],
    ['/place/auth/v1/users/me/profile',      503, 'a ProxyPass with mapping=encoded gets a path of a <Location>'],
    ['/place/v2/users/U',                    503, 'a ProxyPass with mapping=servlet gets a path of a <Location>'],
    )
{
    my ($path, $status, $what) = @$case;
    $path =~ s{/U\b}{/$site->{admin}};
    is(request(GET => $server->url($path), { bearer($site) })->code, $status, $what);
}

is(request(GET => $server->url($server->file('users/U/profile')))->code, 404,
    'no file is served where UserProfile is Off by the time the section is known for sure');

done_testing;
