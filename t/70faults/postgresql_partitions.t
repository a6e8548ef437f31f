# The tables of users and events can be partitioned as the manual says.
use strict;
use warnings;

use Test::More;
use Ctl ();
use OwnServer;
use PostgresServer;
use UserProfile;

my $manual = Ctl::slurp('conf/mod_userprofile.5');
my @texts  = $manual =~ /^(BEGIN;\n.*? PARTITION BY .*?^COMMIT;)$/msg;
is(scalar @texts, 2, 'the manual makes partitions of two tables');

my $postgres = PostgresServer->start;
local $UserProfile::store = $postgres->store('site');
my $site    = site();
my @users   = map { human($site, nickName => "N$_") } 1 .. 20;
my $ctl     = sub { return (Ctl::ctl($UserProfile::store, @_))[1] };
my $before  = $ctl->('export');
my $numbers = 'SELECT string_agg(number::text, \' \' ORDER BY number) '
    . 'FROM userprofile.event';
my $events = $postgres->sql('site', $numbers);

$postgres->sql('site', $_) for @texts;
is($ctl->('export'), $before, 'nothing is lost');
is($postgres->sql('site', $numbers), $events, 'nor is an event');
is(
    $postgres->sql(
        'site', 'SELECT count(DISTINCT tableoid) FROM userprofile.profile'),
    2,
    'users are in both partitions'
);

# By a role that has the server's rights and no others.
$postgres->sql('site', 'CREATE ROLE www LOGIN IN ROLE userprofile_server');
my $uri    = $UserProfile::store =~ s/tester\@/www\@/r;
my $server = OwnServer->start(<<"END");
UserProfileStore "$uri"
Include "\${CONF}/everywhere.conf"
END
my $url = $server->url("/users/$users[3]/profile");
my $got = request(GET => $url, { bearer($site) });
is(decode($got)->{profile}{nickName}, 'N4', 'a user is found');
my %profile = (
    firstName   => 'A',
    lastName    => 'B',
    displayName => 'C',
    nickName    => 'new'
);
is(request(PUT => $url, { bearer($site) }, \%profile)->code, 200,
    'and is changed');
is(decode(request(GET => $url, { bearer($site) }))->{profile}{nickName},
    'new', 'as it was said');
$server->stop;

my @numbers = split ' ', $postgres->sql('site', $numbers);
is($numbers[-1], (split ' ', $events)[-1] + 1,
    'the event of it has the next number');

my @import = ($ctl->('export'), Ctl::tool(), '-s', $UserProfile::store, 'import',
    '-');
like(join('', Ctl::run(@import)), qr/ 0 added, 0 changed/,
    'an import finds the users that are there');
like($ctl->('stat'), qr/^bytes of users +[1-9]/m, 'their bytes are counted');
like($ctl->('stat'), qr/^bytes of events +[1-9]/m, 'and those of events');
like($ctl->('check'), qr/^found no fault/, 'and no fault is found');

done_testing;
