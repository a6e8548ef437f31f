# Two Apache servers on one database change the same users at once: with If-Match
# each change is made on what its caller has read, and partial updates of other
# fields all hold. $UPDATES says how many changes each kind of writer makes.
use strict;
use warnings;

use Test::More;
use Background;
use KeptConnection;
use OwnServer;
use PostgresServer;
use UserProfile;

my $UPDATES = $ENV{UPDATES} || 120;
my $USERS   = 2;

my $postgres = PostgresServer->start;
local $UserProfile::store = $postgres->store('site');
my @servers = map { OwnServer->start(<<"END") } 1 .. 2;
UserProfileStore "$UserProfile::store"
MaxKeepAliveRequests 0
Include "\${CONF}/everywhere.conf"
END
my $site  = site();
my @users = map { human($site, nickName => '0') } 1 .. $USERS;

sub connection {
    my ($server) = @_;
    return KeptConnection->new($server->{port}, bearer($site));
}

# The user's sequence that $got says, or 0.
sub sequence {
    my ($got) = @_;
    return $got->{body} =~ /"sequence":"(\d+)"/ ? $1 : 0;
}

# Count the nickname of $id up by $server until there were $count changes. Returns
# how often another change was faster, how many answers were of neither kind, and
# the sequences that the changes got.
sub count_up {
    my ($server, $id, $count) = @_;
    my ($overtaken, $odd, @sequences) = (0, 0);
    my $connection = connection($server);
    my $path = "/users/$id/profile";
    while (@sequences < $count && $odd < 10) {
        my $seen = $connection->ask(GET => $path);
        my ($display) = $seen->{body} =~ /"displayName":"([^"]+)"/;
        my ($name)    = $seen->{body} =~ /"nickName":"(\d+)"/;
        if (!defined $name) {
            $odd++;
            next;
        }
        # What its own change has made, it need not read.
        while (@sequences < $count) {
            my $got = $connection->ask(
                PUT => $path,
                {
                    firstName   => 'Gigi',
                    lastName    => 'Giraffe',
                    displayName => $display,
                    nickName    => '' . ($name + 1)
                },
                'If-Match' => $seen->{header}{etag}
            );
            if ($got->{status} == 200) {
                push @sequences, sequence($got);
                $name++;
                $seen = $got;
                next if $got->{header}{etag};
            }
            elsif ($got->{status} == 412) { $overtaken++ }
            else                          { $odd++ }
            last;
        }
    }
    return ($overtaken, $odd, @sequences);
}

# Set the display name of $id alone by $server, $count times. Returns how often
# that is not what $other reads then, how many were not answered with 200, and
# how many were.
sub set_field {
    my ($server, $other, $id, $count) = @_;
    my ($lost, $odd, $done) = (0, 0, 0);
    my ($to, $from) = map { connection($_) } $server, $other;
    for my $i (1 .. $count) {
        my $got = $to->ask(PATCH => "/v2/users/$id",
            { human => { profile => { displayName => "D$i" } } });
        if ($got->{status} != 200) {
            $odd++;
            next;
        }
        $done++;
        my $read = $from->ask(GET => "/users/$id/profile");
        $lost++ if $read->{body} !~ /"displayName":"D$i"/;
    }
    return ($lost, $odd, $done);
}

my (%counters, %setters);
for my $id (@users) {
    for my $server (@servers) {
        push @{ $counters{$id} }, map {
            in_background(sub {
                count_up($server, $id, $UPDATES / @servers / $USERS / 2) })
        } 1, 2;
    }
    $setters{$id} =
        in_background(sub { set_field(@servers, $id, $UPDATES / $USERS) });
}
my %sum = map { $_ => 0 } qw(made overtaken partial lost twice);
for my $id (@users) {
    my ($made, %times) = (0);
    for my $counter (@{ $counters{$id} }) {
        my ($overtaken, $odd, @sequences) = $counter->();
        is $odd, 0, 'with If-Match each answer is 200 or 412';
        $made += @sequences;
        $sum{overtaken} += $overtaken;
        $times{$_}++ for @sequences;
    }
    my ($lost, $odd, $partial) = $setters{$id}->();
    is $odd,  0, 'each partial update is answered with 200';
    is $lost, 0, 'no partial update is lost, as the other server sees it';
    my $twice = grep { $_ > 1 } values %times;
    is $twice, 0, 'no two changes have one sequence';

    my $user = decode(request(
        GET => $servers[1]->url("/users/$id/profile"), { bearer($site) }));
    is $user->{profile}{nickName}, $made,
        'no change with If-Match is lost';
    is $user->{details}{sequence}, 1 + $made + $partial,
        'each change that was acknowledged was made once';
    is $postgres->sql('site', 'SELECT count(*) + 1, count(DISTINCT sequence) '
            . "+ 1 FROM userprofile.event WHERE user_id = '$id'"),
        "$user->{details}{sequence}|$user->{details}{sequence}",
        'each change has one event';
    $sum{made}    += $made;
    $sum{partial} += $partial;
    $sum{lost}    += $lost + $made - $user->{profile}{nickName};
    $sum{twice}   += $twice;
}
cmp_ok $sum{overtaken}, '>', 0, 'some changes with If-Match were overtaken';
diag join ', ', "$sum{made} changes with If-Match acknowledged",
    "$sum{overtaken} overtaken", "$sum{partial} partial updates acknowledged",
    "$sum{lost} lost", "$sum{twice} sequences twice"
    if $ENV{UPDATES};

done_testing;
