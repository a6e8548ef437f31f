# restore.t -- a backup takes the place of a store: checked first, never while
# the store is in use, and in one step.
use strict;
use warnings;

use Ctl;
use Digest::SHA qw(sha256_hex);
use Fcntl qw(F_RDLCK F_SETLKW SEEK_SET);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $USERS = 3000;

# LeakSanitizer cannot run in a process that is traced.
$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS}, 'detect_leaks=0';

sub path_of {
    my ($store) = @_;
    return $store =~ s/^lmdb://r;
}

sub owner_and_mode {
    my ($path) = @_;
    my @stat = stat $path;
    return sprintf '%d:%d %04o', @stat[4, 5], $stat[2] & 07777;
}

# What the store has, events included: a digest, so that a failure is legible.
sub content {
    my ($store) = @_;
    return sha256_hex(map { (ctl($store, @$_))[1] } ['export'], [qw(events --json)]);
}

# A store with $org, and a backup of it.
sub store_of {
    my ($org) = @_;
    my $store = store(qq({"org":{"id":"$org"}}),
        map { qq({"user":{"id":"U$_","orgId":"$org","type":"human","profile":{"firstName":"First$_","lastName":"Last$_"}}}) } 1 .. $USERS);
    is((ctl($store, qw(user set), $org, qw(U1 --nick-name N)))[0], 0, 'a user is changed');
    return $store;
}

my $folder = folder();
my $store  = store_of('NEW');
my $path   = path_of($store);
my $old    = store_of('OLD');
is((ctl($old, 'backup', "$folder/b"))[0], 0, 'there is a backup');
my ($new_content, $old_content) = map { content($_) } $store, $old;

# In place of a store.
chmod 0640, "$path/data.mdb" or die;
my $owner = owner_and_mode("$path/data.mdb");
my $whose = owner_and_mode($path);
my ($code, $out, $err) = ctl($store, 'restore', "$folder/b");
is($code, 0, 'a restore succeeds');
is($err, '', 'a restore prints no error');
my ($kept) = $out =~ m{\Arestored \d+ records from '\Q$folder\E/b' to '\Q$store\E' in [\d.]+ s; now start the server
the store as it was is kept in '(\Q$path\E/replaced-\d{4}-\d\d-\d\d\.\w{6})'; remove that folder when it is no longer needed\n\z};
ok($kept, 'a restore says what it did, where the old store is, and what to do next') or diag($out);
is(content($store), $old_content, 'the store is what the backup is, events included');
is(content("lmdb:$kept"), $new_content, 'what was there before is kept as a store');
is(owner_and_mode("$path/data.mdb"), $owner, 'the data have the owner and mode that the old ones had');
is(owner_and_mode($path), $whose, 'the folder has those that it had');
is_deeply([sort map { s{.*/}{}r } glob "$kept/*"], [qw(data.mdb lock.mdb)], 'nothing else is in what is kept');
is((ctl($store, 'check'))[0], 0, 'the store passes the check');
is((ctl($store, qw(org add AFTER)))[0], 0, 'the store can be changed');

# And back again, from what was kept.
is((ctl($store, 'restore', $kept))[0], 0, 'what was kept can be restored');
is(content($store), $new_content, 'the store is as it was before');
run('', 'rm', '-rf', glob "$path/replaced-*");

# A store that does not exist yet; an empty folder.
($code, $out) = ctl("lmdb:$folder/new", 'restore', "$folder/b");
is($code, 0, 'a store that does not exist is restored');
is(content("lmdb:$folder/new"), $old_content, 'it is what the backup is');
is(sprintf('%04o', (stat "$folder/new")[2] & 07777), '0700', 'nobody else may enter its folder');
my $empty = folder();
is((ctl("lmdb:$empty", 'restore', "$folder/b"))[0], 0, 'a store is restored to an empty folder');
is_deeply([sort map { s{.*/}{}r } glob "$empty/*"], [qw(data.mdb lock.mdb)], 'nothing else is there');

# A process that begins to open the store during a restore shares LMDB's lock of
# the lock file after it, and does not set the file up: so it must not find there
# what was true of the old data. Another one that has the lock stands for that.
{
    my $made = store();
    is((ctl($made, 'restore', "$folder/b"))[0], 0, 'a store is restored in place of a new one');
    my $parent = $$;
    my $pid = open(my $from, '-|') // die "fork: $!\n";
    if (!$pid) {
        open my $lock, '<', path_of($made) . '/lock.mdb' or die "lock.mdb: $!\n";
        my $what = pack 's s x4 q q i x4', F_RDLCK, SEEK_SET, 0, 1, 0;
        fcntl $lock, F_SETLKW, $what or die "fcntl: $!\n";
        syswrite STDOUT, "locked\n";
        sleep 1 while getppid == $parent;
        POSIX::_exit(0);
    }
    is(readline $from, "locked\n", 'a process has the lock');
    ($code, $out, $err) = ctl($made, 'export');
    is($code, 1, 'a lock file that was set up for the old data is not gone by');
    like($err, qr/^userprofilectl: cannot open what is in the LMDB store '[^']+': MDB_INVALID/, '... as the error says');
    kill KILL => $pid;
    close $from;
    is(content($made), $old_content, 'the next process sets it up anew');
}

# By a symlink.
symlink $path, "$folder/link" or die;
is((ctl("lmdb:$folder/link", 'restore', "$folder/b"))[0], 0, 'a store that a symlink leads to is restored');
ok(-l "$folder/link", 'the symlink stays');
is(content($store), $old_content, 'the store that it leads to is restored');
is((ctl($store, 'restore', glob "$path/replaced-*"))[0], 0, 'and back');
run('', 'rm', '-rf', glob "$path/replaced-*");

# What is no backup, or a bad one.
my $bad = folder();
spew("$bad/data.mdb", slurp("$folder/b/data.mdb") =~ s/First77\b/FIRST77/gr);
my $cut = folder();
spew("$cut/data.mdb", substr slurp("$folder/b/data.mdb"), 0, 40960);
my $text = folder();
spew("$text/data.mdb", 'x' x 65536);
my @refused = (
    [$bad,          1, qr/^userprofilectl: faults in the backup '\Q$bad\E': \d+; it is not restored$/, qr/^the LMDB store '\Q$bad\E' is damaged: user 'U77' of organisation 'OLD' does not have its checksum$/m],
    [$cut,          1, qr/is damaged: it has 40960 bytes/],
    [$text,         1, qr/cannot open what is in the LMDB store '\Q$text\E'/],
    [folder(),      1, qr/cannot find an LMDB store in/],
    ["$folder/no",  1, qr/cannot find the LMDB store '\Q$folder\E\/no': No such file/],
    ["$folder/b/data.mdb", 1, qr/: Not a directory$|is not a folder/],
    [$path,         1, qr/'\Q$path\E' is the store itself, and no backup of it/],
    ['',            2, qr/the name of the folder is empty/],
);
for my $row (@refused) {
    my ($from, $exit, $why, $said) = @$row;
    ($code, $out, $err) = ctl($store, 'restore', $from);
    is($code, $exit, "a restore from '$from' is refused");
    like($err, $why, "a restore from '$from' is refused with a reason");
    like($out, $said || qr/\A\z/, "a restore from '$from' prints the faults");
    is(content($store), $new_content, "after a restore from '$from' the store is as it was");
    is_deeply([glob "$path/replaced-*"], [], "a restore from '$from' leaves nothing");
}
($code, undef, $err) = ctl($store, 'restore', "$folder/b", '--owner', scalar getpwuid $>);
is($code, 1, '--owner is refused where there is a store');
like($err, qr/^userprofilectl: the store is user \S+'s, and stays so: --owner is for a store that does not exist yet$/, 'and the message says why');
($code, undef, $err) = ctl("lmdb:$folder/x", 'restore', "$folder/b", '--owner', 'no.such.user');
is($code, 1, 'an --owner that does not exist is refused');
like($err, qr/there is no user 'no.such.user' on this machine/, 'and named');

# A store in use. The tool that has it open waits for its input.
{
    my $pid = open(my $in, '|-', tool(), '-s', $store, 'import', '-') // die "cannot start the tool: $!\n";
    my $tries = 0;
    sleep 0.02 until $tries++ > 1000 || grep { m{^\Q$path\E/data\.mdb} } map { readlink($_) // '' } glob "/proc/$pid/fd/*";
    ($code, $out, $err) = ctl($store, 'restore', "$folder/b");
    is($code, 1, 'a store in use is not replaced');
    is($err, "userprofilectl: the LMDB store '$path' is in use by process $pid (userprofilectl): stop the server, and all else that has it open, before a backup takes its place\n",
        'the message names the process');
    is_deeply([glob "$path/replaced-*"], [], 'nothing is left of it');
    close $in;
    is(content($store), $new_content, 'the store is as it was');
    is((ctl($store, 'backup', "$folder/beside"))[0], 0, 'a backup does not mind');
}

# Faults of the disk: each call that puts the new store in its place fails once.
my %whole = map { $_ => 1 } $new_content, $old_content;
for my $call (qw(pwrite64 fdatasync fsync renameat linkat mkdir fchmod)) {
    for my $when (1 .. 3) {
        my $trace = "$folder/trace";
        ($code, undef, $err) = run('', 'strace', '-f', '-o', $trace, '-e', "trace=$call",
            '-e', "inject=$call:error=ENOSPC:when=$when", traced_tool(), '-s', $store, 'restore', "$folder/b");
        my $injected = slurp($trace) =~ /INJECTED/;
        unlink $trace;
        like($err, qr/\Auserprofilectl: [^\n]*No space left on device\n\z/, "$call number $when fails: a restore says why it fails") if $code;
        my $now = content($store);
        ok($whole{$now}, "$call number $when fails: the store is the old or the new one, whole");
        is($now, $err =~ /flush the new data|rename 'old/ ? $old_content : $new_content,
            "$call number $when fails: it is the old one unless the message says that the new one is there") if $code;
        is((ctl($store, 'check'))[0], 0, "$call number $when fails: the store passes the check");
        if ($now eq $old_content) {
            my ($back) = glob "$path/replaced-*/*.mdb";
            ok($back, "$call number $when fails: the old store is kept") or last;
            rename $back, "$path/data.mdb" or die;
        }
        run('', 'rm', '-rf', glob "$path/replaced-*");
    }
}
is(content($store), $new_content, 'the store is as it was');

# Kills: the store is the old one or the new one. One that has ended before its
# moment came does not count.
my $duration = seconds_of('-s', $store, 'restore', "$folder/b");
my $kills = 0;
for (my $turn = 1; $turn <= 200 && $kills < 10; $turn++) {
    $kills++ if killed(rand $duration, '-s', $store, 'restore', "$folder/b");
    is((ctl($store, 'check'))[0], 0, "kill $turn: the store passes the check");
    ok($whole{ content($store) }, "kill $turn: the store is the old or the new one, whole");
}
is($kills, 10, 'ten restores were killed');

# At the moments that matter: before and after each step of the exchange.
for my $step (map { my $call = $_; map { [$call, $_] } 1, 2 } qw(linkat renameat fsync)) {
    my ($call, $when) = @$step;
    run('', 'strace', '-f', '-o', "$folder/trace", '-e', "trace=$call", '-e', "inject=$call:signal=KILL:when=$when",
        traced_tool(), '-s', $store, 'restore', "$folder/b");
    is((ctl($store, 'check'))[0], 0, "killed at $call number $when: the store passes the check");
    ok($whole{ content($store) }, "killed at $call number $when: the store is the old or the new one, whole");
    for my $left (glob "$path/replaced-*") {
        ok(!-e "$left/data.mdb" || $whole{ content("lmdb:$left") }, "killed at $call number $when: what is left aside is whole, or no store");
        # One that was killed a little earlier may have left the old data another
        # name, by which nothing opens them.
        my $inode = (stat "$path/data.mdb")[1];
        ok(!grep({ (stat)[1] == $inode } glob "$left/data.mdb"), "killed at $call number $when: the store has no second name by which it could be opened");
    }
    run('', 'rm', '-rf', glob "$path/replaced-*");
}

done_testing;
