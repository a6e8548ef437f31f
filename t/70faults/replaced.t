# Files of a store that are cut off, replaced, moved or removed: before the
# server starts, and while it runs.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep);
use OwnServer;
use UserProfile;

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
Include "${CONF}/one_child.conf"
<LocationMatch "^/(?!other)">
    UserProfile On
    AuthType UserProfile
    Require valid-user
</LocationMatch>
Alias "/other" "${FOLDER}"
<Directory "${FOLDER}">
    Require all granted
</Directory>
END

my $names = { firstName => 'N', lastName => 'L', displayName => 'D' };

# A store with one user, for a server of its own that is not started yet.
sub prepare {
    my $server = OwnServer->prepare($config);
    local $UserProfile::store = $server->store;
    is +(ctl('init'))[0], 0, 'a store is made';
    my $site = site();
    my $user = human($site);
    return ($server, $site, $user);
}

sub status {
    my ($server, $site, $user, $method) = @_;
    $names->{firstName}++;
    return request(
        $method => $server->url("/management/v1/users/$user/profile"),
        { bearer($site) }, $method eq 'PUT' ? $names : undef
    )->code;
}

# Cut off before the start.
for my $length (0, 100, 8192, 30_000) {
    my ($server, $site, $user) = prepare();
    truncate $server->file('store/data.mdb'), $length or die "truncate: $!";
    $server->launch;
    $server->wait_until(sub { $server->log =~ /UP0005: / });
    like $server->log, qr/UP0005: .*\Q@{[$server->file('store')]}\E/, "a store cut off after $length bytes: the log names it";
    is status($server, $site, $user, $_), 503, "a store cut off after $length bytes: $_ is 503" for qw(GET PUT);
    is request(GET => $server->url('/other/httpd.conf'), {})->code, 200,
        "a store cut off after $length bytes: the rest of the server is served";
    is -s $server->file('store/data.mdb'), $length, "a store cut off after $length bytes: it is left as it is";
    unlike $server->log, qr/exit signal/, "a store cut off after $length bytes: no child died";
}

sub run_or_die {
    system(@_) == 0 or die "failed: @_\n";
}

my @cases = (
    ['data.mdb replaced', sub { run_or_die('cp', "$_[0]/data.mdb", "$_[0]/copy"); rename "$_[0]/copy", "$_[0]/data.mdb" }],
    ['data.mdb removed and put back', sub { rename "$_[0]/data.mdb", "$_[0]/away" }, sub { rename "$_[0]/away", "$_[0]/data.mdb" }],
    ['lock.mdb removed', sub { unlink "$_[0]/lock.mdb" }],
    ['the folder replaced', sub { rename $_[0], "$_[0].old"; run_or_die('cp', '-R', "$_[0].old", $_[0]) }],
    ['the folder moved and moved back', sub { rename $_[0], "$_[0].old" }, sub { rename "$_[0].old", $_[0] }],
);

# All of them at once, since each has to wait.
my @sites = map { [prepare()] } @cases;
for my $i (0 .. $#cases) {
    my ($what, $break) = @{ $cases[$i] };
    my ($server, $site, $user) = @{ $sites[$i] };
    $server->launch;
    is status($server, $site, $user, $_), 200, "$what: before, $_ is served" for qw(GET PUT);
    $break->($server->file('store'));
    is status($server, $site, $user, 'PUT'), 503, "$what: the next change is 503";
}
sleep 1.1; # reads look at the files each second
for my $i (0 .. $#cases) {
    my ($what, undef, $mend) = @{ $cases[$i] };
    my ($server, $site, $user) = @{ $sites[$i] };
    is status($server, $site, $user, $_), 503, "$what: a second later $_ is 503" for qw(GET PUT);
    like $server->log, qr/:crit\] .*UP0020: .*graceful restart/, "$what: the log says loudly what to do";
    if ($mend) {
        $mend->($server->file('store'));
    }
    else {
        $server->reload;
    }
}
for my $i (0 .. $#cases) {
    my ($what, undef, $mend) = @{ $cases[$i] };
    my ($server, $site, $user) = @{ $sites[$i] };
    $server->wait_until(sub { status($server, $site, $user, 'GET') == 200 });
    is status($server, $site, $user, 'PUT'), 200, "$what: " . ($mend ? 'put back' : 'after a graceful restart') . ', changes are stored';
    unlike $server->log, qr/exit signal/, "$what: no child died";
}
undef @sites;

# A child that starts after the store was replaced.
{
    my ($server, $site, $user) = prepare();
    $server->launch;
    is status($server, $site, $user, 'PUT'), 200, 'a later child: before, a change is stored';
    my ($child) = $server->children;
    my $store   = $server->file('store');
    rename $store, "$store.old" or die "rename: $!";
    run_or_die('cp', '-R', "$store.old", $store);
    kill KILL => $child;
    $server->wait_until(sub { grep { $_ != $child } $server->children });
    $server->wait_until(sub { !grep { $_ == $child } $server->children });
    is status($server, $site, $user, $_), 503, "a later child does not open another store: $_ is 503" for qw(GET PUT);
    like $server->log, qr/UP00(?:05|20): .*graceful restart/, 'a later child says loudly what to do';
    $server->reload;
    $server->wait_until(sub { status($server, $site, $user, 'GET') == 200 });
    is status($server, $site, $user, 'PUT'), 200, 'a later child: after a graceful restart changes are stored';
}

done_testing;
