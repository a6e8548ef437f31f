# All that can happen to a server and its store, again and again, beside clients
# that know what must be stored: nothing that was acknowledged is lost, no answer
# is wrong, and a change whose outcome is unknown was made or was not.
#
# It goes on for $SOAK_SECONDS, and not before each fault happened once: make soak.
use strict;
use warnings;
use utf8;
use feature 'state';

use Fcntl      qw(:flock);
use List::Util qw(max shuffle sum0);
use Test::More;
use Time::HiRes qw(sleep time);
use Background;
use OwnServer;
use SoakClient;
use UserProfile;

my $CLIENTS  = 4;
my $USERS    = 3;      # of each client
my $IMPORTED = 200;
my $SECONDS  = $ENV{SOAK_SECONDS} || 15;

# Seconds between two reports of a long run.
my $REPORT = 300;

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize SIZE
UserProfileStoreTimeout 2
StartServers 3
ServerLimit 6
ThreadsPerChild 8
MaxRequestWorkers 32
MinSpareThreads 16
MaxSpareThreads 32
Include "${CONF}/everywhere.conf"
END
my $size   = '4G';
my $server = OwnServer->start($config =~ s/SIZE/$size/r);
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $store  = $server->file('store');
my $site   = site();
my @users  = map { [map { human($site) } 1 .. $USERS] } 1 .. $CLIENTS;
my $filler = human($site);
my %happened;

# Each fault: make it, and end it.

sub a_child {
    my @children = $server->children;
    return @children ? $children[rand @children] : undef;
}

sub kill_child {
    my $child = a_child() or return;
    $happened{kills} += kill KILL => $child;
}

# The parent and all of its children, as the system does at a loss of power;
# then a start.
sub kill_server {
    my $parent = $server->pid;
    kill STOP => $parent;    # no further child
    my @all = ($parent, $server->children);
    $happened{kills} += kill KILL => @all;
    $server->wait_until(sub { !grep { is_alive($_) } @all });
    unlink $server->file('httpd.pid');
    $server->launch;
    $happened{restarts}++;
}

sub is_alive {
    my ($pid) = @_;
    return UserProfile::slurp("/proc/$pid/stat") =~ /\) [^ZX]/;
}

# Each longer or shorter than UserProfileStoreTimeout.
sub stop_for_a_while {
    my (@pids) = @_;
    $happened{stops} += kill STOP => @pids;
    sleep 0.2 + rand 3;
    kill CONT => @pids;
}

sub stop_child {
    my $child = a_child() or return;
    stop_for_a_while($child);
}

sub stop_parent { stop_for_a_while($server->pid) }

# The import or the export that runs, if one does soon.
sub the_tool {
    my $end = time + 5;
    until (time > $end) {
        my $pid = UserProfile::slurp($server->file('tool'));
        return $pid if $pid =~ /^\d+$/ && is_alive($pid);
        sleep 0.01;
    }
    return;
}

sub stop_tool {
    my $tool = the_tool() or return;
    stop_for_a_while($tool);
}

sub kill_tool {
    my $tool = the_tool() or return;
    sleep rand 0.05;
    $happened{kills} += kill KILL => $tool;
}

sub reload {
    $server->reload;
    $happened{'graceful restarts'}++;
}

# &$break in the store, &$mend after a while. Nobody starts the tool meanwhile,
# which would find another store.
sub replace {
    my ($break, $mend) = @_;
    open my $quiet, '>', $server->file('quiet') or die "quiet: $!";
    flock $quiet, LOCK_EX or die "quiet: $!";
    $break->();
    $happened{'replaced files'}++;
    sleep 0.3 + rand 1;
    kill_child();
    sleep 1.1;    # each child has looked at the files
    $mend->();
    reload();
}

sub run_or_die { system(@_) == 0 or die "failed: @_\n" }

sub move {
    my ($from, $to) = @_;
    rename $from, $to or die "rename $from: $!\n";
}

sub replace_folder {
    replace(
        sub { move($store, "$store.away"); run_or_die('cp', '-R', "$store.away", $store) },
        sub { run_or_die('rm', '-rf', $store); move("$store.away", $store) }
    );
}

sub replace_data {
    replace(
        sub { move("$store/data.mdb", "$store/away"); run_or_die('cp', "$store/away", "$store/data.mdb") },
        sub { move("$store/away", "$store/data.mdb") }
    );
}

sub move_folder {
    replace(sub { move($store, "$store.away") }, sub { move("$store.away", $store) });
}

sub remove_lock { replace(sub { unlink "$store/lock.mdb" }, sub { }) }

# A store that has no room, then more. Large changes fill it, of a user that no
# client knows.
sub fill_map {
    my (undef, $stat) = ctl('--json', 'stat');
    my ($used) = $stat =~ /"bytesUsed":(\d+)/ or die "stat: $stat\n";
    my $little = max(1024, int($used / 1024) + 256) . 'K';
    $server->configure($config =~ s/SIZE/$little/r);
    reload();
    $server->wait_until(sub {
        state $turn = time;
        my %names = map { $_ => ++$turn . '😀' x 180 } qw(firstName lastName nickName displayName);
        return request(PUT => "/users/$filler/profile", { bearer($site) }, \%names)->code == 507;
    });
    $happened{'full maps'}++;
    sleep 1 + rand 2;
    $server->configure($config =~ s/SIZE/$size/r);
    reload();
}

# A disk that has no room after some writes of each child.
sub fill_disk {
    my $script = $server->file('httpd-on-a-full-disk');
    my $first  = 2 + int rand 20;
    SoakClient::write_file($script, "#!/bin/sh\nexec strace -D -f -o /dev/null -e trace=pwrite64,pwritev"
            . " -e inject=pwrite64,pwritev:error=ENOSPC:when=$first+ $ENV{UP_HTTPD} \"\$@\"\n");
    chmod 0755, $script;
    {
        local $ENV{UP_HTTPD} = $script;
        kill_server();
    }
    $happened{'full disks'}++;
    sleep 2 + rand 2;
    kill_server();
}

my %faults = (
    'a child is killed'         => \&kill_child,
    'the server is killed'      => \&kill_server,
    'a child stands still'      => \&stop_child,
    'the parent stands still'   => \&stop_parent,
    'the tool stands still'     => \&stop_tool,
    'the tool is killed'        => \&kill_tool,
    'a graceful restart'        => \&reload,
    'the folder is replaced'    => \&replace_folder,
    'data.mdb is replaced'      => \&replace_data,
    'the folder is moved'       => \&move_folder,
    'lock.mdb is removed'       => \&remove_lock,
    'the map is full'           => \&fill_map,
    'the disk is full'          => \&fill_disk,
);

sub is_wrong { return -s $server->file('wrong') }

my @clients = map { SoakClient::profiles($server, $site, @$_) } @users;
push @clients, SoakClient::imports($server, $site->{org}, [map { "imported-$_" } 1 .. $IMPORTED]);

my ($begin, $reported, %going_on) = (time, time);
my @round;
while (time - $begin < $SECONDS || grep { !$going_on{$_} } keys %faults) {
    @round = shuffle keys %faults unless @round;
    my $fault = shift @round;
    my $went = eval { $faults{$fault}->(); 1 } && !is_wrong()
        && all_change($server, $site->{org}, map { $_->[0] } @users);
    ok 0, "after '$fault' the server goes on: " . ($@ || UserProfile::slurp($server->file('wrong'))) unless $went;
    last unless $went;
    $going_on{$fault}++;
    next if time - $reported < $REPORT;
    $reported = time;
    diag sprintf '%d s: %s', $reported - $begin, join ', ', map { "$happened{$_} $_" } sort keys %happened;
}
ok $going_on{$_}, "$_: every client goes on" for sort keys %faults;
my $seconds = time - $begin;
SoakClient::write_file($server->file('stop'), '');

my (%figures, %user, @wrong);
for my $client (@clients) {
    my $said = $client->();
    $figures{$_} += $said->{figures}{$_} for keys %{ $said->{figures} };
    %user = (%user, %{ $said->{user} || {} });
    push @wrong, @{ $said->{wrong} || [] };
}
is "@wrong", '', 'no client lost an acknowledged change, or got a wrong answer';

# In the end.
my ($status, $export, $errors) = ctl('export');
is $status, 0, "the store can be exported in the end: $errors";
my %exported = map { /^\{"user":\{"id":"([^"]+)".*"sequence":"(\d+)".*"firstName":"([^"]*)"/ ? ($1 => "$3 $2") : () }
    split /\n/, $export;
is_deeply { map { $_ => $exported{$_} } keys %user }, { map { $_ => "@{ $user{$_} }" } keys %user },
    'the export has each user as its client knows it';

my %last;
my @gaps;
open my $events, '-|', UserProfile::top() . '/build/userprofilectl', '-s', store(), qw(--json events) or die "events: $!";
while (<$events>) {
    my ($id) = /"userId":"([^"]+)"/ or next;
    next unless $user{$id};
    my ($sequence) = /"sequence":"(\d+)"/;
    my $expected = ($last{$id} // 1) + 1;
    push @gaps, "$id: $sequence, not $expected" if $sequence != $expected && @gaps < 5;
    $last{$id} = $sequence;
}
ok close $events, 'the events can be listed in the end';
is "@gaps", '', 'each change has its event, once and in order';
is_deeply \%last, { map { $_ => $user{$_}[1] } keys %user }, 'each user has as many events as changes';
is_deeply [grep { !/exit signal Kill/ } $server->log =~ /(.*exit signal.*)/g], [],
    'no child died of anything but the kills';
is_deeply [$server->log =~ /(.*UP0010.*INTERNAL.*)/g], [], 'no request had an internal error';

my $show = $ENV{SOAK_SECONDS} ? \&diag : \&note;
$show->(sprintf "%d s, %d faults\n", $seconds, sum0 values %going_on);
$show->(join '', map { sprintf "%-24s %d\n", $_, $happened{$_} } sort keys %happened);
$show->(join '', map { sprintf "%-24s %d\n", $_, $figures{$_} } sort keys %figures);
$show->(sprintf "lost or wrong            %d\n", scalar @wrong + @gaps);

done_testing;
