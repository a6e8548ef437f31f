# What the logs say: what is served at a start, and a trouble that all requests
# have; and the format for access logs in conf/userprofile.conf.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $top = UserProfile::top();
my ($version) = UserProfile::slurp("$top/Makefile") =~ /^VERSION += (\S+)/m;

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
Protocols h2c http/1.1
Include "${CONF}/../../conf/userprofile.conf"
CustomLog "${FOLDER}/access.log" userprofile
<Location /api>
    UserProfile On
    AuthType UserProfile
    Require valid-user
</Location>
<LocationMatch "^/(one|two)">
    UserProfile On
    AuthType UserProfile
    Require valid-user
</LocationMatch>
<VirtualHost *:${PORT}>
    ServerName default
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName other
    UserProfileStore "lmdb:${FOLDER}/other"
    <Location /here>
        UserProfile On
        AuthType UserProfile
        Require valid-user
    </Location>
</VirtualHost>
END
my $server = OwnServer->start($config);
my $folder = $server->file('');
my @starts = map { s/.*UP0033: //r } grep { /UP0033/ } split /\n/, $server->log;
is_deeply \@starts,
    [
    qq(mod_userprofile/$version serves the store 'lmdb:${folder}store' in <Location /api>, <LocationMatch "^/(one|two)">),
    qq(mod_userprofile/$version serves the store 'lmdb:${folder}other' in <Location /here>),
    ],
    'a start says the version, and which store is served where, for each host that says so';
like $server->log, qr/:notice\] .*UP0033/, 'it says so as a notice';

local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
my $user = human($site);
request(GET => "/api/v2/users/$user", { bearer($site) });
request(GET => '/api/v2/users/nobody', { bearer($site) });
my @lines = sub {
    my @lines;
    $server->wait_until(sub { @lines = split /\n/, UserProfile::slurp($server->file('access.log')); @lines == 2 });
    return @lines;
}->();
like $lines[0], qr/"GET \S+ HTTP\/1\.1" 200 \d+ \d+ caller=$site->{admin} org=$site->{org} user=$user method=GetUserByID reason=- sequence=1$/,
    'the format of conf/userprofile.conf has all notes';
like $lines[1], qr/ 404 \d+ \d+ caller=$site->{admin} .*user=nobody method=GetUserByID reason=USER_NOT_FOUND sequence=-$/,
    'the format of conf/userprofile.conf has the reason of an error';
$server->stop;

# A trouble that all requests have.
my $away = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/no/store"
LogLevel notice userprofile:info
Include "${CONF}/one_child.conf"
Include "${CONF}/everywhere.conf"
END
my $REQUESTS = 60;
my $began    = time;
my %status;
$status{ request(GET => $away->url('/v2/users/1'), { bearer('token') })->code }++ for 1 .. $REQUESTS;
# The child's seconds begin when they do by its own clock.
my $seconds = time - $began + 2;
is $status{503}, $REQUESTS, 'without its store each request is answered with 503';
my $said = () = $away->log =~ /UP0010: /g;
cmp_ok $said, '>=', 1, 'an outage is logged';
cmp_ok $said, '<=', $seconds, 'an outage is logged once a second, not for each request';
is scalar(() = $away->log =~ /:error\] .*UP0010: /g), $said, 'as an error each time';

done_testing;
