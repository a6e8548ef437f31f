# One store that two virtual hosts spell differently, and that is away when the
# server starts, so that nobody can tell that it is one: put right, both have it.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use OwnServer;
use UserProfile;

my $server = OwnServer->prepare(<<'END');
UserProfileMapSize 64M
# One child, which has to help itself.
Include "${CONF}/one_child.conf"
UserProfileStore "lmdb:${FOLDER}/away/store"
<VirtualHost *:${PORT}>
    ServerName plain
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName slashed
    UserProfileStore "lmdb:${FOLDER}/away/store/"
    UserProfileSync off
</VirtualHost>
Include "${CONF}/everywhere.conf"
END
$server->launch;
my @hosts = qw(plain slashed);

# The status of a read by each host.
my ($site, $user) = ({ token => 'none' }, 'none');
sub statuses {
    my $url = $server->url("/users/$user/profile");
    return join ' ', map { request(GET => $url, { bearer($site), Host => $_ })->code } @hosts;
}

is statuses(), '503 503', 'a store that cannot be opened is 503 for both virtual hosts';
mkdir $server->file('away') or die "mkdir: $!";
local $UserProfile::store = 'lmdb:' . $server->file('away/store');
is +(ctl('init'))[0], 0, 'the store is made';
$site = site();
$user = human($site);

my $end = time + 10;
sleep 0.05 until statuses() eq '200 200' || time > $end;
is statuses(), '200 200', 'then both virtual hosts serve it';
my $change = { firstName => 'New', lastName => 'L', displayName => 'D' };
my $put    = request(PUT => $server->url("/users/$user/profile"), { bearer($site), Host => 'slashed' }, $change);
is $put->code, 200, 'one virtual host changes a profile';
my $get = request(GET => $server->url("/users/$user/profile"), { bearer($site), Host => 'plain' });
is decode($get)->{profile}{firstName}, 'New', 'the other virtual host reads the change';
my @warned = $server->log =~ /UP0002: lmdb:\S+: .*UserProfileSync/g;
is scalar @warned, 1, 'the log warns of the differing UserProfileSync';

done_testing;
