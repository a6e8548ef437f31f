# How a store is opened: what servers that share a store say of it, and what
# the log warns of.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

# How large the map of $store is.
sub map_size {
    my ($store) = @_;
    local $UserProfile::store = $store;
    my ($size) = (ctl('stat', '--json'))[1] =~ /"bytesMax":(\d+)/;
    return $size;
}

my $server = OwnServer->start(<<'END');
UserProfileMapSize 64M
UserProfileSync off
UserProfileStore "lmdb:${FOLDER}/store"
<VirtualHost *:${PORT}>
    ServerName inherits
    UserProfile On
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName same
    UserProfileStore "lmdb:${FOLDER}/store/"
    UserProfileMapSize 65536K
    UserProfileSync Off
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName one-differs
    UserProfileStore "lmdb:${FOLDER}/./store"
    UserProfileMapSize 128M
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName both-differ
    UserProfileStore "lmdb:${FOLDER}/store/."
    UserProfileMapSize 128M
    UserProfileSync full
</VirtualHost>
<VirtualHost *:${PORT}>
    ServerName another
    UserProfileStore "lmdb:${FOLDER}/another"
    UserProfileMapSize 32M
</VirtualHost>
END

is map_size($server->store), 64 << 20, 'the options of the first server that names a store apply';
is map_size('lmdb:' . $server->file('another')), 32 << 20, '... and to another store its own server\'s';

my %warning = $server->log =~ /UP0002: lmdb:\S+?\/(\.?\/?store\/?\.?): (.*)/g;
my $says = sub { "another server uses this store with another $_[0]; that server's apply to both" };
is $warning{'store/'}, undef, 'options that mean the same are no reason to warn';
is $warning{'./store'}, $says->('UserProfileMapSize'), 'a difference is warned of by the directive\'s name';
is $warning{'store/.'}, $says->('UserProfileMapSize or UserProfileSync'), '... two by both';
is scalar keys %warning, 2, 'that is all';
unlike $server->log, qr/UP0003/, 'few threads find room in a store';

# Never so many at once: that there may be, counts.
$server = OwnServer->start(<<'END');
<IfModule mpm_prefork_module>
    ServerLimit 7500
</IfModule>
<IfModule !mpm_prefork_module>
    ServerLimit 300
    ThreadsPerChild 25
</IfModule>
MaxRequestWorkers 7500
UserProfileMapSize 64M
UserProfileStore "lmdb:${FOLDER}/store"
<VirtualHost *:${PORT}>
    UserProfileStore "lmdb:${FOLDER}/another"
</VirtualHost>
END
my @warned = $server->log =~ /UP0003: (.*)/g;
is scalar @warned, 1, 'more threads than a store can serve are warned of, once';
like $warned[0],
    qr/^(?:300 children of 25 threads|7500 children of 1 threads) each may need more than the 16384 readers that an LMDB store has; lower MaxRequestWorkers or ThreadsPerChild$/,
    '... by what there is too little of, and what to do';

done_testing;
