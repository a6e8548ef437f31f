# A full store: 507, nothing changed, reads go on; more room, and writes do too.
use strict;
use warnings;
use utf8;

use Test::More;
use OwnServer;
use UserProfile;

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize SIZE
UserProfileSync off
Include "${CONF}/everywhere.conf"
END
my $server = OwnServer->start($config =~ s/SIZE/1M/r);
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
my $user = human($site);
my %auth = bearer($site);
my $path = "/users/$user/profile";

# The largest change that can be, told from others by $turn.
sub change {
    my ($turn) = @_;
    my $text = '😀' x 190;
    return { map { $_ => "$turn$text" } qw(firstName lastName nickName displayName) };
}

sub stored {
    my $user = decode(request(GET => $path, {%auth}));
    return ($user->{profile}{firstName} =~ /^(\d+)/)[0] . " $user->{details}{sequence}";
}

sub events {
    my (undef, $events) = ctl('--json', 'events');
    return scalar(() = $events =~ /"type":"profile\.changed"/g);
}

my ($got, $turn) = (undef, 0);
for (1 .. 1000) {
    $got = request(PUT => $path, {%auth}, change($turn + 1));
    last if $got->code != 200;
    $turn++;
}
cmp_ok $turn, '>', 10, 'a small store takes some changes';
my $full =
    '{"code":8,"message":"the store is full; nothing was changed","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"STORE_FULL","domain":"userprofile"}]}';
is $got->code, 507, 'a change that a full store has no room for is 507';
is $got->content, $full, 'a full store: the body, to the byte';
my @about = grep { /\bUP0010: .*STORE_FULL/ } split /\n/, $server->log;
is scalar @about, 1, 'the first change that a full store refuses is logged once';
like $about[0], qr/:error\].*MDB_MAP_FULL.*; set UserProfileMapSize to more than 1M, and restart Apache gracefully /,
    'a full store is logged as an error that says why, and what to do';

# As the log has said before.
$server->wait_until(sub { request(GET => $path, {%auth}); $server->log =~ /UP0012/ });
my @filling = grep { /UP0012/ } split /\n/, $server->log;
like $filling[0], qr/:warn\].*UP0012: the LMDB store '\S+' uses [\d.]+[KM] of at most 1\.0M/,
    'the log warns when half of the room is used';

my $before = $turn . ' ' . ($turn + 1);
my $events = events();
is $events, $turn, 'each change has an event, the refused one none';
for (1 .. 5) {
    is request(PUT => $path, {%auth}, change(9999))->code, 507, 'further changes are 507';
    is stored(), $before, 'a full store still has the last acknowledged change';
}
is events(), $events, 'refused changes write no event';
is reason(request(PUT => $path, {%auth}, change($turn))), 'PROFILE_NOT_CHANGED',
    'a PUT that changes nothing is not 507';
is request(GET => '/users/nobody/profile', {%auth})->code, 404, 'a full store can be read';
ok !eval { human($site, %{ change(9999) }) for 1 .. 50; 1 }, 'an import into a full store fails';
like $@, qr/MDB_MAP_FULL/, 'an import into a full store says why';

# More room.
$server->configure($config =~ s/SIZE/16M/r);
$server->reload;
$got = undef;
$server->wait_until(sub {
    $got = request(PUT => $path, {%auth}, change(10_000));
    return $got->code == 200;
});
is $got->code, 200, 'after a reload with a larger UserProfileMapSize changes are made again';
is stored(), '10000 ' . ($turn + 2), 'the first change after that is stored';
is events(), $events + 1, 'the first change after that has its event';

done_testing;
