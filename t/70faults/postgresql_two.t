# Two Apache servers on one database change the same users at once: with If-Match
# each change is made on what its caller has read, and partial updates of other
# fields all hold. $UPDATES says how many changes each kind of writer makes.
use strict;
use warnings;

use Test::More;
use Background;
use OwnServer;
use PostgresServer;
use UserProfile;

my $UPDATES = $ENV{UPDATES} || 120;
my $USERS   = 2;

my $postgres = PostgresServer->start;
local $UserProfile::store = $postgres->store('site');
my @servers = map { OwnServer->start(<<"END") } 1 .. 2;
UserProfileStore "$UserProfile::store"
Include "\${CONF}/everywhere.conf"
END
my $site  = site();
my @users = map { human($site, nickName => '0') } 1 .. $USERS;

# Count the nickname of $id up by $server until there were $count changes. Returns
# how often another change was faster, and how many answers were of neither kind.
sub count_up {
    my ($server, $id, $count) = @_;
    my ($done, $overtaken, $odd) = (0, 0, 0);
    my $url = $server->url("/users/$id/profile");
    while ($done < $count && $odd < 10) {
        my $seen = request(GET => $url, { bearer($site) });
        my $profile = decode($seen)->{profile} || {};
        my $got = request(
            PUT => $url,
            { bearer($site), 'If-Match' => $seen->header('ETag') },
            { %$profile{qw(firstName lastName displayName)},
                nickName => '' . ($profile->{nickName} + 1) }
        );
        if    ($got->code == 200) { $done++ }
        elsif ($got->code == 412) { $overtaken++ }
        else                      { $odd++ }
    }
    return ($done, $overtaken, $odd);
}

# Set the display name of $id alone by $server, $count times. Returns how often
# that is not what is there then, and how many were not answered with 200.
sub set_field {
    my ($server, $id, $count) = @_;
    my ($lost, $odd) = (0, 0);
    for my $i (1 .. $count) {
        my $got = request(
            PATCH => $server->url("/v2/users/$id"), { bearer($site) },
            { human => { profile => { displayName => "D$i" } } });
        $odd++ if $got->code != 200;
        my $there = decode(request(
            GET => $server->url("/users/$id/profile"), { bearer($site) }));
        $lost++ if $there->{profile}{displayName} ne "D$i";
    }
    return ($lost, $odd);
}

my (@counters, @setters);
for my $id (@users) {
    for my $server (@servers) {
        push @counters, in_background(sub {
            count_up($server, $id, $UPDATES / @servers / $USERS) })
            for 1, 2;
    }
    push @setters, in_background(sub {
        set_field($servers[0], $id, $UPDATES / $USERS) });
}
my ($made, $overtaken) = (0, 0);
for my $counter (@counters) {
    my ($done, $behind, $odd) = $counter->();
    is $odd, 0, 'with If-Match each answer is 200 or 412';
    $made      += $done;
    $overtaken += $behind;
}
for my $setter (@setters) {
    my ($lost, $odd) = $setter->();
    is $odd,  0, 'each partial update is answered with 200';
    is $lost, 0, 'no partial update is lost';
}
my $counted = 0;
for my $id (@users) {
    my $user = decode(request(
        GET => $servers[1]->url("/users/$id/profile"), { bearer($site) }));
    $counted += $user->{profile}{nickName};
    is $postgres->sql('site', 'SELECT count(*) + 1 FROM userprofile.event '
            . "WHERE user_id = '$id'"), $user->{details}{sequence},
        'each change has one event';
}
is $counted, $made, 'no change with If-Match is lost';
cmp_ok $overtaken, '>', 0, 'some of them were overtaken';
diag "$made changes with If-Match, $overtaken overtaken" if $ENV{UPDATES};

done_testing;
