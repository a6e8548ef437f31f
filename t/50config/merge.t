# How values are inherited: from the server to virtual hosts and places, field
# by field, and how the nearest one counts.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
UserProfileMaxBody 300
UserProfileRole READER user.read
<Location />
    AuthType UserProfile
    Require valid-user
</Location>
<Location /on>
    UserProfile On
</Location>
<Location /on/off>
    UserProfile Off
</Location>
<Location /on/off/on>
    UserProfile On
</Location>
<Location /on/larger>
    UserProfile On
    UserProfileMaxBody 2K
</Location>
<Location /on/writer>
    UserProfile On
    UserProfileRole READER user.read user.write
</Location>
<Location /on/owner>
    UserProfile On
    UserProfileRole ORG_OWNER user.read
</Location>
<VirtualHost *:${PORT}>
    ServerName first
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName second
    UserProfileMaxBody 100
    UserProfile On
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName third
    UserProfileStore "lmdb:${FOLDER}/third"
</VirtualHost>
END
local $UserProfile::store = $server->store;
my $owner  = site();
my $reader = site('READER');

my $turn = 0;

# The status of one change, told from all others, by $site's administrator, of
# $bytes bytes.
sub change {
    my ($site, $path, $bytes, %header) = @_;
    my $body = sprintf '{"firstName":"%d","lastName":"L","displayName":"D"}',
        ++$turn;
    $body .= ' ' x ($bytes - length $body);
    return request(PUT => $server->url("$path/users/$site->{admin}/profile"),
        { bearer($site), %header }, $body)->code;
}

my @cases = (
    # what                                       who      where      bytes want
    ['UserProfile On in a <Location> serves its paths',              $owner,  '/on',         99, 200],
    # httpd's own answer to a PUT is 405.
    ['UserProfile is Off elsewhere',                            $owner,  '/elsewhere',  99, 405],
    ['an inner Off overrides an outer On',                      $owner,  '/on/off',     99, 405],
    ['a further inner On overrides that Off',                   $owner,  '/on/off/on',  99, 200],
    ["the server's UserProfileMaxBody applies in a <Location>", $owner,  '/on',        300, 200],
    ['the server\'s UserProfileMaxBody counts each byte',       $owner,  '/on',        301, 413],
    ["an inner UserProfileMaxBody overrides the server's",      $owner,  '/on/larger', 2048, 200],
    ['an inner UserProfileMaxBody counts each byte',            $owner,  '/on/larger', 2049, 413],
    ["the server's UserProfileRole applies in a <Location>",    $reader, '/on',         99, 403],
    ['an inner UserProfileRole overrides the server\'s',        $reader, '/on/writer',  99, 200],
    ['an inner UserProfileRole overrides a built-in role',      $owner,  '/on/owner',   99, 403],
    ["an inner UserProfileRole leaves other roles as they are", $reader, '/on/owner',   99, 403],
);
for my $case (@cases) {
    my ($what, $who, $where, $bytes, $want) = @$case;
    is(change($who, $where, $bytes), $want, $what);
}

my %second = (Host => 'second');
is(change($owner, '', 100, %second), 200, 'UserProfile On in a virtual host serves its paths');
is(change($owner, '', 101, %second), 413, 'a virtual host\'s UserProfileMaxBody overrides the server\'s');
is(change($owner, '/on/larger', 2048, %second),
    200, "a <Location>'s UserProfileMaxBody overrides a virtual host's");
is(change($reader, '', 100, %second),
    403, "the server's UserProfileRole applies in a virtual host");

my %third = (Host => 'third');
is(change($owner, '/on', 100, %third), 401, 'a virtual host\'s own store does not have the server\'s tokens');
{
    local $UserProfile::store = 'lmdb:' . $server->file('third');
    my $other = site();
    is(change($other, '/on', 100, %third), 200, 'a virtual host\'s own store has its tokens and users');
    is(change($other, '/on', 100), 401, 'the server\'s store does not have a virtual host\'s tokens');
}

done_testing;
