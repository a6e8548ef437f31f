# backup.t -- backups: whole, private, beside those who change the store; never
# half of one.
use strict;
use warnings;

use Ctl;
use File::Path qw(remove_tree);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $USERS = 3000;

# LeakSanitizer cannot run in a process that is traced.
$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS}, 'detect_leaks=0';

sub user_line {
    my ($i) = @_;
    return qq({"user":{"id":"U$i","orgId":"O1","type":"human","profile":)
        . qq({"firstName":"First$i","lastName":"Last$i"}}});
}

sub path_of {
    my ($store) = @_;
    return $store =~ s/^lmdb://r;
}

sub mode_of {
    my ($path) = @_;
    return sprintf '%04o', (stat $path)[2] & 07777;
}

my $store = store('{"org":{"id":"O1"}}', '{"member":{"orgId":"O1","userId":"U1","roles":["ORG_OWNER"]}}',
    map { user_line($_) } 1 .. $USERS);
is((ctl($store, qw(user set O1 U1 --nick-name), "N$_"))[0], 0, 'a user is changed') for 1 .. 3;
my $everything = join '', map { (ctl($store, @$_))[1] } ['export'], [qw(events --json)];
like($everything, qr/"number":"?3\b/, 'there are events');

my $folder = folder();
my ($code, $out, $err) = ctl($store, 'backup', "$folder/b1");
is($code, 0, 'a backup succeeds');
is($err, '', 'a backup prints no error');
like($out, qr{\Abacked up \d+ records to '\Q$folder\E/b1' in [\d.]+ s\n\z}, 'a backup says what it did');
is_deeply([glob "$folder/*"], ["$folder/b1"], 'a backup makes its folder and no other');
is(mode_of("$folder/b1"), '0700', 'nobody else may enter the folder of a backup');
is(mode_of("$folder/b1/data.mdb"), '0600', 'nobody else may read the file of a backup');
my $backup = "lmdb:$folder/b1";
is(join('', map { (ctl($backup, @$_))[1] } ['export'], [qw(events --json)]), $everything,
    'a backup has all that the store has, events included');
is((ctl($backup, 'check'))[0], 0, 'a backup passes the check');
is((ctl($store, 'check'))[0], 0, 'the store passes the check');

# A relative path, and one with a slash at its end.
($code) = run('', 'sh', '-c', 'cd "$1" && "$2" -s "$3" backup b2/', 'sh', $folder, tool(), $store);
is($code, 0, 'a backup into a folder named by a relative path succeeds');
ok(-f "$folder/b2/data.mdb", 'a relative path is one in the current folder');

# Where no backup can be.
my $file = spew("$folder/file", 'mine');
mkdir "$folder/empty" or die;
symlink 'nowhere', "$folder/link" or die;
my @refused = (
    ["$folder/b1",         1, qr/'\Q$folder\E\/b1' exists: a copy of a store is made in a folder that does not exist yet/],
    ["$folder/file",       1, qr/'\Q$folder\E\/file' exists: /],
    ["$folder/empty",      1, qr/'\Q$folder\E\/empty' exists: /],
    ["$folder/link",       1, qr/'\Q$folder\E\/link' exists: /],
    [path_of($store),      1, qr/ exists: /],
    ["$folder/no/parent",  1, qr/^userprofilectl: cannot make a folder for the copy, such as '\Q$folder\E\/no\/parent\.\w+': No such file/],
    ["$folder/file/below", 1, qr/: Not a directory$/],
    ['',                   2, qr/the name of the folder is empty/],
    ['/proc/backup',       1, qr/cannot make a folder for the copy/],
);
for my $row (@refused) {
    my ($to, $exit, $why) = @$row;
    ($code, $out, $err) = ctl($store, 'backup', $to);
    is($code, $exit, "a backup to '$to' is refused");
    is($out, '', "a backup to '$to' prints nothing");
    like($err, $why, "a backup to '$to' is refused with a reason");
}
is(slurp($file), 'mine', 'a file in the place of a backup is left alone');
is_deeply([sort glob "$folder/*"], [map { "$folder/$_" } qw(b1 b2 empty file link)],
    'a backup that is refused leaves nothing');

my $missing = folder() . '/missing';
($code, undef, $err) = ctl("lmdb:$missing", 'backup', "$folder/b3");
is($code, 1, 'there is no backup of a store that does not exist');
like($err, qr/cannot find the LMDB store '\Q$missing\E': No such file/, 'and the message says so');
ok(!-e "$folder/b3", 'there is no folder for it');
my $empty = folder();
($code, undef, $err) = ctl("lmdb:$empty", 'backup', "$folder/b3");
is($code, 1, 'there is no backup of an empty folder');
is_deeply([glob "$folder/b3*"], [], 'nothing is left of it');

# Faults of the disk: each call that writes the copy fails once.
for my $call (qw(pwrite64 pwritev fdatasync fsync renameat renameat2 mkdir fchmod)) {
    for my $when (1, 2) {
        my $trace = "$folder/trace";
        ($code, undef, $err) = run('', 'strace', '-f', '-o', $trace, '-e', "trace=$call",
            '-e', "inject=$call:error=ENOSPC:when=$when", traced_tool(), '-s', $store, 'backup', "$folder/b4");
        my $injected = slurp($trace) =~ /INJECTED/;
        unlink $trace;
        if ($code || $injected && $call !~ /fsync|fdatasync/) {
            is($code, 1, "a backup fails if $call number $when does");
            like($err, qr/\Auserprofilectl: [^\n]*No space left on device\n\z/, "a backup says why it fails if $call number $when does");
            is_deeply([glob "$folder/b4*"], [], "a backup leaves nothing if $call number $when fails");
        }
        else {
            is((ctl("lmdb:$folder/b4", 'check'))[0], 0, "$call number $when: the backup is whole");
            run('', 'rm', '-rf', "$folder/b4");
        }
    }
}

# A full disk: a file can have no more than so many bytes.
($code, undef, $err) = run('', 'sh', '-c', 'ulimit -f 300; trap "" XFSZ; exec "$@"', 'sh',
    tool(), '-s', $store, 'backup', "$folder/b5");
is($code, 1, 'a backup that there is no room for fails');
like($err, qr/\Auserprofilectl: cannot write the copy in the LMDB store '\Q$folder\E\/b5': /, 'and says why');
is_deeply([glob "$folder/b5*"], [], 'nothing is left of it');

# Kills. Each backup has its name, whole, or is not there. One that has ended
# before its moment came does not count.
my $whole = seconds_of('-s', $store, 'backup', "$folder/k0");
my $kills = 0;
for (my $turn = 1; $turn <= 200 && $kills < 10; $turn++) {
    my $to = "$folder/k$turn";
    $kills++ if killed(rand $whole, '-s', $store, 'backup', $to);
    is((ctl($store, 'check'))[0], 0, "kill $turn: the store is whole");
    if (-e $to) {
        is((ctl("lmdb:$to", 'export'))[1], (ctl($store, 'export'))[1], "kill $turn: the backup is whole");
    }
    ok(!-e "$_/data.mdb" || (ctl("lmdb:$_", 'check'))[0] == 0, "kill $turn: what is left aside cannot be taken for a backup")
        for glob "$to.*";
}
is($kills, 10, 'ten backups were killed');

# A signal that the tool can see leaves nothing at all; one that is ignored, as
# HUP is after nohup, does nothing.
for my $row (['INT'], ['TERM'], ['HUP'], ['HUP', 'nohup']) {
    my ($signal, @ignored) = @$row;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>', "$folder/err";
        open STDOUT, '>', '/dev/null';
        {
            no warnings 'exec';
            exec 'strace', '-qq', '-f', '-o', "$folder/trace", '-e', 'trace=fdatasync', '-e',
                'inject=fdatasync:delay_enter=3000000', @ignored, traced_tool(), '-s', $store, 'backup', "$folder/s";
        }
        POSIX::_exit(127);
    }
    my ($tool, $tries) = (undef, 0);
    until ($tool || $tries++ > 600) {
        sleep 0.02;
        ($tool) = split ' ', slurp("/proc/$pid/task/$pid/children") if glob "$folder/s.*";
    }
    kill $signal => $tool if $tool;
    kill $signal => split ' ', slurp("/proc/$tool/task/$tool/children") if $tool && @ignored;
    waitpid $pid, 0;
    if (@ignored) {
        is($? >> 8, 0, "$signal is ignored: the backup succeeds");
        is((ctl("lmdb:$folder/s", 'check'))[0], 0, "$signal is ignored: the backup is whole");
        next;
    }
    is($? >> 8, 1, "$signal: the backup fails");
    like(slurp("$folder/err"), qr/^userprofilectl: cannot back up the store: it was interrupted\n\z/m, "$signal: and says so");
    is_deeply([glob "$folder/s*"], [], "$signal: nothing is left of it");
}

# One that comes while the folder is made waits for the copy, and one that comes
# when that is done comes too late.
for my $row (['mkdir,mkdirat', 1], ['renameat2', 0]) {
    my ($call, $code) = @$row;
    for my $signal (qw(INT TERM HUP)) {
        remove_tree("$folder/s");
        my ($rc, undef, $err) = run('', 'strace', '-qq', '-f', '-o', "$folder/trace", '-e', "trace=$call", '-e',
            "inject=$call:signal=$signal", traced_tool(), '-s', $store, 'backup', "$folder/s");
        is($rc, $code, "$signal in $call: the backup " . ($code ? 'fails' : 'is made')) or diag $err;
        is_deeply([glob "$folder/s*"], [$code ? () : "$folder/s"],
            "$signal in $call: there is " . ($code ? 'nothing of it' : 'nothing but that'));
    }
}

# Someone who was erased is in no backup made afterwards: no byte in the file.
{
    my @values = qw(Zyxwvutsr Qponmlkj Ihgfedcba Tsrqponm);
    my $store  = store('{"org":{"id":"O1"}}');
    my @option = qw(--first-name --last-name --nick-name --display-name);
    my $long   = 'x' x 190;
    is((ctl($store, qw(user add O1 other --first-name F --last-name L --nick-name), $long))[0], 0, 'another user is added');
    is((ctl($store, qw(user add O1 E), map { ($option[$_], $values[$_]) } 0 .. 3))[0], 0, 'a user is added');
    for my $i (0 .. 3) {
        is((ctl($store, qw(user set O1 E), $option[$i], substr "$values[$i]$long", 0, 190))[0], 0, 'and changed');
        is((ctl($store, qw(user set O1 other --nick-name), "other$i"))[0], 0, 'so is another');
    }
    is((ctl($store, 'backup', "$folder/before"))[0], 0, 'a backup before');
    is((ctl($store, qw(user remove O1 E --erase)))[0], 0, 'the user is erased');
    is((ctl($store, 'backup', "$folder/after"))[0], 0, 'a backup after');
    my ($before, $after) = map { slurp("$folder/$_/data.mdb") } qw(before after);
    for my $value (@values) {
        cmp_ok(index($before, $value), '>=', 0, 'the backup from before has a value of the erased user');
        is(index($after, $value), -1, 'the backup from after has no byte of it');
    }
    for my $command (['export'], [qw(events --json)]) {
        my ($code, $out) = ctl($store, @$command);
        is($code, 0, "@$command succeeds");
        unlike($out, qr/Zyxw|Qponm|Ihgfe/, "@$command has nothing of the erased user");
    }
    is((ctl("lmdb:$folder/after", 'check'))[0], 0, 'the backup from after passes the check');
}

# A damaged record comes along, and is said.
{
    my $data = path_of($store) . '/data.mdb';
    my $bad  = slurp($data) =~ s/First77\b(?=.{0,3}Last77)/FIRST77/gsr;
    my $copy = folder();
    spew("$copy/data.mdb", $bad);
    ($code, $out, $err) = ctl("lmdb:$copy", 'backup', "$folder/damaged");
    is($code, 1, 'a backup of a store with a damaged record fails');
    like($err, qr{\Auserprofilectl: the backup '\Q$folder\E/damaged' is made, but 1 of its records are damaged, as they are in the store: check names them\n\z},
        'and says that it is there all the same');
    like((ctl("lmdb:$folder/damaged", 'check'))[1], qr/user 'U77' of organisation 'O1' does not have its checksum/,
        'its check names the record');
}

# A backup that takes too long is given up.
my $trace = "$folder/trace";
($code, $out, $err) = run('', 'strace', '-qq', '-f', '-o', $trace, '-e', 'trace=pwrite64', '-e',
    'inject=pwrite64:delay_enter=1500000:when=1', traced_tool(), '-s', $store, qw(backup --timeout 1), "$folder/slow");
is($code, 1, 'a backup that takes longer than --timeout fails');
like($err, qr/^userprofilectl: the backup was given up after 1 s: .*; --timeout allows more\n\z/m, 'and says why');
is_deeply([glob "$folder/slow*"], [], 'nothing is left of it');

done_testing;
