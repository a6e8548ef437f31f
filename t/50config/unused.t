# LoadModule alone touches nothing; serving makes the store.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

sub mode {
    my ($path) = @_;
    return sprintf '%04o', (stat $path)[2] & 07777;
}

{
    my $server = OwnServer->start(<<'END');
UserProfileMapSize 1G
<Location /private>
    AuthType UserProfile
    Require valid-user
</Location>
END
    # The log would have it, whether a store could be made or not.
    unlike($server->log, qr/UP000\d/, 'without UserProfile On and UserProfileStore no store is made');
    is(request(GET => $server->url('/users/1/profile'))->code,
        404, 'without UserProfile On our path is Apache\'s');
    is(request(GET => $server->url('/private'), { bearer('token') })->code,
        500, 'AuthType UserProfile without a store is 500');
    like($server->log, qr/UP0010: .* this server has no store; 'UserProfileS/,
        'AuthType UserProfile without a store: the log says why');
}

{
    my $server = OwnServer->start('UserProfileStore lmdb:${FOLDER}/store');
    my $store  = $server->file('store');
    is(mode($store), '0700', 'UserProfileStore makes the store\'s folder, for its owner alone');
    is(mode("$store/$_"), '0600', "UserProfileStore makes $_, for its owner alone") for qw(data.mdb lock.mdb);

    # How often the log says that a store was made.
    my $news = sub {
        my @said = $server->log =~ /:notice\] .*UP0006: .*'lmdb:\Q$store\E'/g;
        return scalar @said;
    };
    is($news->(), 1, 'the log says that the store is new');
    $server->reload;
    is($news->(), 1, 'a reload finds the store and does not log it as new');
    $server->stop;
    unlink glob "$store/*.mdb" or die "unlink: $!";
    $server->launch;
    is($news->(), 2, 'where only the folder is left a new store is made and logged');
}

done_testing;
