# interrupted.t -- a test that is interrupted leaves no server behind.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

# Runs a test with two servers, sends it $signal, and waits for its end. Returns
# its status, and the process ids and folders of its servers.
sub interrupt {
    my ($signal) = @_;
    pipe my $from, my $to or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>&', $to or die;
        exec $^X, '-MOwnServer', '-e', <<'END';
my @servers = map { OwnServer->start("") } 1, 2;
$| = 1;
print join(" ", map { ($_->pid, $_->{folder}) } @servers), "\n";
sleep 60;
END
        die "cannot run $^X: $!";
    }
    close $to;
    my %folder = split ' ', <$from> // '';
    kill $signal => $pid;
    waitpid $pid, 0;
    return ($?, %folder);
}

for my $signal (qw(INT TERM HUP)) {
    my ($status, %folder) = interrupt($signal);
    is(scalar keys %folder, 2, "$signal: two servers ran");
    isnt($status, 0, "$signal: the test has not passed");
    for my $pid (keys %folder) {
        ok(!(kill 0, $pid), "$signal: a server of it has stopped");
        ok($ENV{KEEP} || !-e $folder{$pid}, "$signal: its folder is gone");
    }
}

{
    my $server = OwnServer->start('');
    my $pid = fork // die "fork: $!";
    exit 0 if !$pid;
    waitpid $pid, 0;
    ok((kill 0, $server->pid),
        'a process that the test made leaves the servers alone when it ends');
}

done_testing;
