# Tables of another version, and tables that are dropped and made anew under a
# server that has them in use: nothing is served from the wrong ones, the log says
# what to do, and a restart does the rest.
use strict;
use warnings;

use Test::More;
use OwnServer;
use PostgresServer;
use UserProfile;

my $postgres = PostgresServer->start;
local $UserProfile::store = $postgres->store('site');
my $site   = site();
my $user   = human($site);
my $server = OwnServer->prepare(<<"END");
UserProfileStore "$UserProfile::store"
Include "\${CONF}/one_child.conf"
Include "\${CONF}/everywhere.conf"
END

sub status {
    my ($method) = @_;
    return request($method => $server->url("/users/$user/profile"),
        { bearer($site) },
        $method eq 'PUT'
        ? { firstName => 'N', lastName => 'L', displayName => 'D' . rand }
        : undef)->code;
}

sub version {
    $postgres->sql('site', "UPDATE userprofile.store SET version = $_[0]");
}

sub exported {
    return (ctl('export'))[1];
}

# Of another version when the server starts.
version(0);
$server->launch;
is status('GET'), 503, 'older tables: 503';
like $server->log,
    qr/UP0005: the tables of the store '\S+' are older than version 1, .*'userprofilectl upgrade' brings them up/,
    '... and the log says what brings them up';
version(2);
$server->wait_until(sub {
    status('GET') != 503
        || $server->log =~ /of version 2, which is newer than 1, this program's: use a newer one/;
});
is status('GET'), 503, 'newer tables: 503, and the log says so';
version(1);
$server->wait_until(sub { status('GET') == 200 });
is status('PUT'), 200, 'tables of its version are served without a restart';

# Dropped and made anew, with the same users and tokens.
my $items = exported();
$postgres->sql('site', 'SET client_min_messages = warning',
    'DROP SCHEMA userprofile CASCADE');
is status($_), 503, "without tables: $_ is 503" for qw(GET PUT);
is +(ctl('init'))[0], 0, 'other tables are made';
is +(ctl(\$items, 'import', '-'))[0], 0, '... and have the same in them';
my $stored = exported();
is status($_), 503, "other tables: $_ is 503" for qw(GET PUT);
is exported(), $stored, 'nothing was changed in them';
$server->wait_until(sub {
    status('GET');
    $server->log =~ /UP0020: .* is not the one that was opened: a graceful restart opens what is there now/;
});
pass 'the log says what opens them';
$server->reload;
$server->wait_until(sub { status('GET') == 200 });
is status('PUT'), 200, 'after a graceful restart they are served';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
