# Ctl.pm -- what the tests of userprofilectl share: running it, temporary
# stores.
package Ctl;

use strict;
use warnings;

use Exporter   qw(import);
use File::Basename qw(basename dirname);
use File::Spec ();
use File::Temp qw(tempdir);
use POSIX       ();
use Time::HiRes ();

our @EXPORT = qw(tool traced_tool run ctl seconds_of killed folder store slurp
    spew export_of lines_of);

# Start the tool with @arguments, and kill it with SIGKILL after $seconds, unless
# it has ended. Returns whether it was killed.
sub killed {
    my ($seconds, @arguments) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null' or POSIX::_exit(126);
        { no warnings 'exec'; exec tool(), @arguments; }
        POSIX::_exit(127);
    }
    Time::HiRes::sleep($seconds);
    kill KILL => $pid;
    waitpid $pid, 0;
    return ($? & 127) != 0;
}

# How many seconds the tool takes with @arguments, here and now.
sub seconds_of {
    my (@arguments) = @_;
    my $begun = Time::HiRes::time();
    run('', tool(), @arguments);
    return Time::HiRes::time() - $begun;
}

# The built tool, by an absolute path.
sub tool {
    return File::Spec->rel2abs(($ENV{UP_BUILD} || 'build') . '/userprofilectl');
}

# The built tool for strace, which would count valgrind's system calls as well.
sub traced_tool {
    my $bare = dirname(tool()) . '/valgrind/userprofilectl';
    return -e $bare ? $bare : tool();
}

sub slurp {
    my ($path) = @_;
    open my $in, '<:raw', $path or die "cannot read $path: $!\n";
    local $/;
    return scalar(<$in>) // '';
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>:raw', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";
    return $path;
}

# The running test, as folders are named after it: "commands".
sub test_name {
    return basename($0) =~ s/\.t$//r;
}

# A folder that everybody may enter. It is removed at the end unless $KEEP is
# set.
sub folder {
    my $folder = tempdir(
        test_name() . '-XXXXXX',
        TMPDIR  => 1,
        CLEANUP => !$ENV{KEEP}
    );
    chmod 0755, $folder or die "chmod $folder: $!\n";
    return $folder;
}

# Run @command with $input: its exit code (or "signal N"), and what it printed
# on the standard output and the standard error.
sub run {
    my ($input, @command) = @_;
    my $folder = File::Temp->newdir('userprofilectl-XXXXXX', TMPDIR => 1);
    spew("$folder/in", $input);

    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<', "$folder/in"  or POSIX::_exit(126);
        open STDOUT, '>', "$folder/out" or POSIX::_exit(126);
        open STDERR, '>', "$folder/err" or POSIX::_exit(126);
        { no warnings 'exec'; exec { $command[0] } @command; }
        POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
    return ($code, slurp("$folder/out"), slurp("$folder/err"));
}

# Run the tool on the store $uri with @arguments.
sub ctl {
    my ($uri, @arguments) = @_;
    return run('', tool(), '-s', $uri, @arguments);
}

# The URI of a new store that has what @lines say.
sub store {
    my (@lines) = @_;
    my $uri = 'lmdb:' . folder() . '/store';
    my ($code, undef, $err) = ctl($uri, 'init');
    die "init: $err" if $code;
    return $uri unless @lines;
    ($code, undef, $err) =
        run(join('', map { "$_\n" } @lines), tool(), '-s', $uri, 'import', '-');
    die "import: $err" if $code;
    return $uri;
}

# All that export prints of the store $uri.
sub export_of {
    my ($uri, @options) = @_;
    my ($code, $out, $err) = ctl($uri, 'export', @options);
    die "export: $err" if $code;
    return $out;
}

# The lines of that, without those of events.
sub lines_of {
    my ($uri) = @_;
    return split /\n/, export_of($uri, '--no-events');
}

1;
