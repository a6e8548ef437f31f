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
    unlike($server->log, qr/UP\d{4}/, 'no store is made for nothing');
    is(request(GET => $server->url('/users/1/profile'))->code,
        404, 'the path is Apache\'s');
    is(request(GET => $server->url('/private'), { bearer('token') })->code,
        500, 'there is nowhere to look for a token');
    like($server->log, qr/UP0010: .* this server has no store; 'UserProfileS/,
        '... as the log says');
}

{
    my $server = OwnServer->start('UserProfileStore lmdb:${FOLDER}/store');
    my $store  = $server->file('store');
    is(mode($store), '0700', 'a UserProfileStore makes its folder');
    is(mode("$store/$_"), '0600', "and $_") for qw(data.mdb lock.mdb);

    # How often the log says that a store was made.
    my $news = sub {
        my @said = $server->log =~ /:notice\] .*UP0006: .*'lmdb:\Q$store\E'/g;
        return scalar @said;
    };
    is($news->(), 1, 'and the log says that it is new');
    $server->reload;
    is($news->(), 1, 'a reload finds it');
    $server->stop;
    unlink glob "$store/*.mdb" or die "unlink: $!";
    $server->launch;
    is($news->(), 2, 'its folder alone is no store; a new one is news again');
}

done_testing;
