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
    ['a place that says On serves',              $owner,  '/on',         99, 200],
    # httpd's own answer to a PUT is 405.
    ['another place does not',                   $owner,  '/elsewhere',  99, 405],
    ['an inner Off turns an outer On off',       $owner,  '/on/off',     99, 405],
    ['an On inside that turns it on again',      $owner,  '/on/off/on',  99, 200],
    ["the server's limit holds in a place",      $owner,  '/on',        300, 200],
    ['to the byte',                              $owner,  '/on',        301, 413],
    ["a place's own limit is the nearer one",    $owner,  '/on/larger', 2048, 200],
    ['and is a limit',                           $owner,  '/on/larger', 2049, 413],
    ["the server's role reads only",             $reader, '/on',         99, 403],
    ['a place may let the same role write',      $reader, '/on/writer',  99, 200],
    ['a place may take a built-in role less',    $owner,  '/on/owner',   99, 403],
    ["and the server's role is known there too", $reader, '/on/owner',   99, 403],
);
for my $case (@cases) {
    my ($what, $who, $where, $bytes, $want) = @$case;
    is(change($who, $where, $bytes), $want, $what);
}

my %second = (Host => 'second');
is(change($owner, '', 100, %second), 200, 'a virtual host may say On');
is(change($owner, '', 101, %second), 413, 'with its own limit');
is(change($owner, '/on/larger', 2048, %second),
    200, "a place's limit is nearer than a virtual host's");
is(change($reader, '', 100, %second),
    403, "it has the server's roles");

my %third = (Host => 'third');
is(change($owner, '/on', 100, %third), 401, 'another store, other tokens');
{
    local $UserProfile::store = 'lmdb:' . $server->file('third');
    my $other = site();
    is(change($other, '/on', 100, %third), 200, 'its own tokens and users');
    is(change($other, '/on', 100), 401, 'which the others do not have');
}

done_testing;
