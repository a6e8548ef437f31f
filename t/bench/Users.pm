# Users.pm -- the data of the benchmark: users with ids as long as ZITADEL's
# (18 digits), all in one organisation, and a caller with a token.
package Users;

use strict;
use warnings;

use Exporter qw(import);
use List::Util qw(shuffle);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(write_users import_lines);

our $ORG    = '100000000000000001';
our $CALLER = '200000000000000001';
our $TOKEN  = 'benchmark-token-of-the-only-caller-0123456789';

my $NAMES = '{"firstName":"Ada","lastName":"Admin"}';
my $HEAD  = <<"END";
{"org":{"id":"$ORG","name":"Example"}}
{"user":{"id":"$CALLER","orgId":"$ORG","type":"human","profile":$NAMES}}
{"member":{"orgId":"$ORG","userId":"$CALLER","roles":["ORG_OWNER"]}}
{"token":{"userId":"$CALLER","token":"$TOKEN"}}
END

# A line as export writes it; load.lua knows the same profile.
sub user_line {
    my ($i) = @_;
    my $date = '2025-03-25T10:28:47.405123Z';
    return sprintf '{"user":{"id":"3%017d","orgId":"%s","type":"human",'
        . '"state":"active","sequence":"1","creationDate":"%s",'
        . '"changeDate":"%s","profile":{"firstName":"First%07d",'
        . '"lastName":"Last%07d","nickName":"N%09d",'
        . '"displayName":"First%07d Last%07d","preferredLanguage":"en",'
        . '"gender":"GENDER_FEMALE"}}}' . "\n",
        $i, $ORG, $date, $date, ($i) x 5;
}

# Write $count users to $path, in the order of export or at random.
sub write_users {
    my ($path, $count, $random) = @_;
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out $HEAD;
    if ($random) {
        print $out user_line($_) for shuffle(0 .. $count - 1);
    }
    else {
        for (my $i = 0; $i < $count; $i++) { print $out user_line($i) }
    }
    close $out or die "cannot write $path: $!\n";
}

# The kibibytes of memory that are the process's own; LMDB's map is not.
sub own_memory {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/status" or return 0;
    my ($kib) = join('', <$in>) =~ /^RssAnon:\s+(\d+) kB/m;
    return $kib || 0;
}

# Run @command with standard output to $path: the seconds that it took, and the
# most memory of its own that was seen.
sub timed {
    my ($path, @command) = @_;
    my ($start, $peak, $ended) = (time, 0, 0);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', $path or die "cannot write $path: $!\n";
        exec @command;
        die "cannot run $command[0]: $!\n";
    }
    until ($ended) {
        my $memory = own_memory($pid);
        $peak  = $memory if $peak < $memory;
        $ended = waitpid $pid, 1;
        sleep 0.01 unless $ended;
    }
    die "failed: @command\n" if $?;
    return { seconds => time - $start, kib => $peak };
}

1;
