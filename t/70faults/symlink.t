# One store that two virtual hosts name, one of them through a symbolic link:
# opened once, shared by both.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

my $server = OwnServer->prepare(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
<VirtualHost *:${PORT}>
    ServerName straight
    UserProfileStore "lmdb:${FOLDER}/store"
    UserProfileMapSize 64M
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName linked
    UserProfileStore "lmdb:${FOLDER}/link"
    UserProfileMapSize 64M
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName spelt
    UserProfileStore "lmdb:${FOLDER}/./store/"
    UserProfileMapSize 32M
</VirtualHost>
Include "${CONF}/everywhere.conf"
END
symlink 'store', $server->file('link') or die "symlink: $!";
local $UserProfile::store = $server->store;
my ($status) = ctl('init');
is $status, 0, 'the store is made';
$server->launch;
my $site = site();
my $user = human($site);

my @hosts = qw(straight linked spelt);
my $turn  = 0;
for my $round (1 .. 3) {
    for my $host (@hosts) {
        $turn++;
        my %header = (bearer($site), Host => $host);
        my $url = $server->url("/users/$user/profile");
        is request(PUT => $url, {%header}, { firstName => "N$turn", lastName => 'L', displayName => 'D' })->code,
            200, "round $round: virtual host $host changes the profile";
        is_deeply [map { decode(request(GET => $url, { %header, Host => $_ }))->{profile}{firstName} } @hosts],
            [("N$turn") x @hosts], "round $round: all virtual hosts read the change of $host";
    }
}

# How often the process $child has the store's files open: file => count.
sub open_files {
    my ($child) = @_;
    my %open;
    for my $descriptor (glob "/proc/$child/fd/*") {
        my $file = readlink $descriptor // next;
        $open{$1}++ if $file =~ m{/store/(\w+\.mdb)$};
    }
    return \%open;
}

# Each child has its files open once; the last may only be starting.
my @children = $server->children;
$server->wait_until(sub { !grep { !open_files($_)->{'lock.mdb'} } @children });
for my $child (@children) {
    is open_files($child)->{'lock.mdb'}, 1, "child $child has lock.mdb open once";
    my $maps = () = UserProfile::slurp("/proc/$child/maps") =~ m{/store/data\.mdb$}mg;
    is $maps, 1, "child $child has data.mdb mapped once";
}
my @warned = $server->log =~ /UP0002: lmdb:(\S+): .*UserProfileMapSize/g;
is_deeply \@warned, [$server->file('./store/')], 'the log names the store with another UserProfileMapSize';
unlike $server->log, qr/UP0005|:error\]/, 'the log has no error';

done_testing;
