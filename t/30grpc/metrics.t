# metrics.t -- calls over HTTP/2 are counted, each once, also where many share
# a connection.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Grpc;
use OwnServer;
use UserProfile;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
UserProfileSync off
Protocols h2c http/1.1
Include "${CONF}/everywhere.conf"
<Location /metrics>
    UserProfile Off
    AuthType None
    Require all granted
    SetHandler userprofile-metrics
</Location>
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
my %auth = (authorization => "Bearer $site->{token}");

sub counted {
    return { request(GET => '/metrics')->content =~ /^userprofile_calls_total\{(.*)\} (\d+)$/mg };
}

sub labels {
    my ($service, $method, $protocol, $reason) = @_;
    return qq(service="$service",method="$method",protocol="$protocol",reason="$reason");
}

my $MANAGEMENT = MANAGEMENT =~ s{^/}{}r;
my @calls = (
    [4, HEALTH, {%auth}, 'grpc.health.v1.Health', 'Check', 'OK'],
    [3, HEALTH, {}, 'grpc.health.v1.Health', 'Check', 'AUTH_HEADER_MISSING'],
    [2, MANAGEMENT . '/NoSuch', {%auth}, $MANAGEMENT, 'unknown', 'UNIMPLEMENTED'],
    [5, MANAGEMENT . '/GetHumanProfile', {%auth}, $MANAGEMENT, 'GetHumanProfile', 'FIELD_INVALID'],
    [1, MANAGEMENT . '/GetHumanProfile', { %auth, 'x-zitadel-orgid' => 'none' }, $MANAGEMENT, 'GetHumanProfile', 'ORG_NOT_FOUND'],
);
my %expected;
for my $call (@calls) {
    my ($count, $path, $headers, $service, $method, $reason) = @$call;
    grpc(POST => $path, $headers, frame(''), $server->url('')) for 1 .. $count;
    $expected{ labels($service, $method, 'grpc', $reason) } = $count;
}
h2(GET => '/auth/v1/users/me/profile', {%auth}, '', $server->url(''));
$expected{ labels('zitadel.auth.v1.AuthService', 'GetMyProfile', 'rest', 'OK') } = 1;
my $counted;
my $calls = 0;
$calls += $_ for values %expected;
$server->wait_until(sub {
    $counted = counted();
    my $sum = 0;
    $sum += $_ for values %$counted;
    return $sum >= $calls;
});
is_deeply $counted, \%expected, 'calls over HTTP/2 are counted by their method, protocol and reason';

done_testing;
