# UserProfileSelf: how it is inherited, and how the nearest one counts.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
<Location />
    AuthType UserProfile
    Require valid-user
</Location>
<VirtualHost *:${PORT}>
    ServerName default
    UserProfile On
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName off
    UserProfileSelf Off
    UserProfile On
    <Location /here>
        UserProfile On
    </Location>
    <Location /read>
        UserProfile On
        UserProfileSelf Read
    </Location>
    <Location /read/write>
        UserProfile On
        UserProfileSelf wRITE
    </Location>
    <Location /read/more>
        UserProfile On
        UserProfileMaxBody 1K
    </Location>
    <Location /twice>
        UserProfile On
        UserProfileSelf Write
        UserProfileSelf Read
    </Location>
    <Location /if>
        UserProfile On
        <If "-n req('X-Trusted')">
            UserProfileSelf Write
        </If>
    </Location>
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName read
    UserProfileSelf Read
    UserProfile On
</VirtualHost>
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
my $id   = human($site);
fill({ token => { userId => $id, token => $id } });

my $turn = 0;

# What a caller may do to itself: the statuses of the five calls.
sub statuses {
    my ($host, $place, %header) = @_;
    my %auth = (bearer($id), Host => $host, %header);
    my $new  = sub { 'turn ' . ++$turn };
    return join ' ', map { $_->code }
        request(GET => "$place/auth/v1/users/me/profile", {%auth}),
        request(GET => "$place/v2/users/$id", {%auth}),
        request(PUT => "$place/auth/v1/users/me/profile", {%auth}, { firstName => 'F', lastName => 'L', displayName => 'D', nickName => $new->() }),
        request(PUT => "$place/v2/users/human/$id", {%auth}, { profile => { givenName => 'F', familyName => 'L', nickName => $new->() } }),
        request(PATCH => "$place/v2/users/$id", {%auth}, { human => { profile => { nickName => $new->() } } });
}

my ($off, $read, $write) = ('403 403 403 403 403', '200 200 403 403 403', '200 200 200 200 200');
for my $case (
    ['default', '',            $write, 'by default one may change oneself'],
    ['off',     '',            $off,   'Off on a virtual host'],
    ['read',    '',            $read,  'Read on a virtual host'],
    ['off',     '/here',       $off,   'a place has what its virtual host says'],
    ['off',     '/read',       $read,  'or what it says itself'],
    ['off',     '/read/write', $write, 'and one inside what that says'],
    ['off',     '/read/more',  $read,  'unless that says nothing of it'],
    ['off',     '/twice',      $read,  'the last line of a place counts'],
    ['off',     '/if',         $off,   'an <If> that does not apply'],
    ['off',     '/if',         $write, 'an <If> that does', 'X-Trusted' => 1],
    )
{
    my ($host, $place, $want, $what, @header) = @$case;
    is statuses($host, $place, @header), $want, "$what: $want";
}

# The management calls know no exception for oneself.
is request(GET => "/management/v1/users/$id/profile", { bearer($id), Host => 'default' })->code, 404,
    'the management calls make no exception for oneself';

done_testing;
