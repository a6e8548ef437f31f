# A process that has LMDB's writer lock and stands still: changes are refused in
# time, reads go on, the log names the process, and no refused change is made
# later.
use strict;
use warnings;

use Test::More;
use Time::HiRes qw(sleep time);
use Background;
use OwnServer;
use UserProfile;

my $WRITERS = 6;

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
UserProfileStoreTimeout 2
StartServers 2
<IfModule mpm_prefork_module>
    StartServers 10
</IfModule>
Include "${CONF}/everywhere.conf"
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site    = site();
my $user    = human($site);
my %auth    = bearer($site);
my $path    = "/users/$user/profile";
my $refused = '{"code":14,"message":"the store is unavailable; nothing was changed","details":'
    . '[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"STORE_UNAVAILABLE",'
    . '"domain":"userprofile"}]}';

sub change {
    my ($name) = @_;
    return request(PUT => $path, {%auth}, { firstName => $name, lastName => 'L', displayName => 'D' });
}

sub status_of {
    my ($pid) = @_;
    return UserProfile::slurp("/proc/$pid/status") =~ /^State:\t(\w)/m ? $1 : '';
}

my $tool;

# Do not leave it behind, if the test ends early.
END {
    local $?;
    kill KILL => $tool if $tool;
}

# Run the tool until it stands still: a signal stops it in the flush of its
# transaction. Returns its process id.
sub start_stuck_tool {
    my ($org) = @_;
    my $trace = $server->file("trace-$org");
    my $pid   = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', $server->file('tool.out');
        # LeakSanitizer cannot run in a process that is traced.
        $ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS}, 'detect_leaks=0';
        exec qw(strace -D -f -o), $trace, qw(-e trace=fdatasync -e inject=fdatasync:signal=STOP:when=1),
            UserProfile::top() . '/build/userprofilectl', '-s', $server->store, qw(org add), $org;
        die "cannot run strace: $!";
    }
    $server->wait_until(sub { status_of($pid) =~ /[Tt]/ && UserProfile::slurp($trace) =~ /SIGSTOP/ });
    return $pid;
}

sub is_serving {
    my $got = request(POST => '/grpc.health.v1.Health/Check', {%auth}, {});
    return decode($got)->{status};
}

# Ask for the health until all of 20 calls get $status: a child that no call
# has reached before finds out by the first one. Returns the last answer.
sub health_in_the_end {
    my ($status) = @_;
    my $seen;
    $server->wait_until(sub { ($seen = statuses(\&is_serving)) eq $status });
    return $seen;
}

# The statuses of 20 calls of &$call, each different one once.
sub statuses {
    my ($call) = @_;
    my %seen = map { $call->() => 1 } 1 .. 20;
    return join ' ', sort keys %seen;
}

is change('First')->code, 200, 'a change is made before the store is locked';
$tool = start_stuck_tool('Other');

my $begin   = time;
my @writers = map {
    my $n = $_;
    in_background(sub { my $got = change("Refused$n"); ($got->code, $got->content) })
} 1 .. $WRITERS;
is statuses(sub { request(GET => $path, {%auth})->code }), '200', 'reads go on while changes wait';
for my $writer (@writers) {
    my ($code, $content) = $writer->();
    is $code,    503,      'a change that waited in vain gets 503';
    is $content, $refused, 'the answer to it says that nothing was changed';
}
cmp_ok time - $begin, '<', 30, 'changes do not wait for much longer than UserProfileStoreTimeout';

is health_in_the_end('NOT_SERVING'), 'NOT_SERVING', 'the health call of each child says NOT_SERVING';
is request(GET => '/management/v1/healthz', {%auth})->code, 503, 'healthz is 503';
is change('Refused')->code, 503, 'a later change gets 503 too';
is statuses(sub { request(GET => $path, {%auth})->code }), '200', 'reads go on after changes were refused';
my @lines = grep { /process \Q$tool\E\b/ } split /\n/, $server->log;
is scalar @lines, 1, 'one line of the log names the process that has the lock';
like $lines[0], qr/:error\].*UP0011: the LMDB store '\S+' has been locked for \d+ s by process $tool \(\S+, which is stopped\)/,
    'that line is an error that says what the process is and does';

my ($status, undef, $said) = ctl('--wait', 1, qw(org add Third));
is $status, 1, 'the tool fails after --wait';
like $said, qr/^userprofilectl: the LMDB store '\S+' was locked for longer than 1 s by process $tool \(/,
    'the tool says which process has the lock';

my %old = map { $_ => 1 } $server->children;
$server->reload;
is change('Refused')->code, 503, 'a change after a graceful restart gets 503';
is statuses(sub { request(GET => $path, {%auth})->code }), '200', 'reads go on after a graceful restart';
$server->wait_until(sub { !grep { $old{$_} } $server->children });
pass 'the children of before the graceful restart end while the store is locked';

is decode(request(GET => $path, {%auth}))->{details}{sequence}, 2, 'nothing was changed meanwhile';
kill CONT => $tool;
waitpid $tool, 0;
undef $tool;
is $?, 0, 'the stopped process, continued, does its work';
$server->wait_until(sub { change('Second')->code == 200 });
my $after = decode(request(GET => $path, {%auth}));
is $after->{profile}{firstName}, 'Second', 'changes are made again';
is $after->{details}{sequence}, 3, 'no refused change was made later';
is health_in_the_end('SERVING'), 'SERVING', 'the health call says SERVING again';

# Another time, and that process dies.
$tool = start_stuck_tool('Fourth');
is change('Refused')->code, 503, 'a change gets 503 when another process has the lock';
$server->wait_until(sub { $server->log =~ /process $tool\b/ });
kill KILL => $tool;
waitpid $tool, 0;
undef $tool;
$server->wait_until(sub { change('Third')->code == 200 });
is decode(request(GET => $path, {%auth}))->{details}{sequence}, 4,
    'when the process dies, changes are made again, and no refused one';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
