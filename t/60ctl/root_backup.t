# root_backup.t -- root's backups are root's, and what root restores is the
# owner's of the store. Only root can find out.
use strict;
use warnings;

use Ctl;
use Test::More;

$> == 0 or die "this test must run as root\n";
my ($name, $uid, $gid) = (getpwnam 'nobody')[0, 2, 3];
die "there is no user nobody\n" unless defined $uid;

sub owners {
    my (@paths) = @_;
    my %owner = map { join(':', (lstat)[4, 5]) => 1 } @paths;
    return join ' ', sort keys %owner;
}

sub mode_of {
    my ($path) = @_;
    return sprintf '%04o', (stat $path)[2] & 07777;
}

# A store of another user's, and a folder where only root may write.
my $path = folder() . '/store';
is((ctl("lmdb:$path", 'init', '--owner', $name))[0], 0, 'a store of another user is made');
is((ctl("lmdb:$path", qw(org add O1)))[0], 0, 'and filled');
my $safe = folder();
my ($code, $out, $err) = ctl("lmdb:$path", 'backup', "$safe/b");
is($code, 0, 'root backs it up to a folder where its owner may not write');
is($err, '', 'without an error');
is(owners("$safe/b", "$safe/b/data.mdb"), '0:0', 'the backup is root\'s');
is(mode_of("$safe/b"), '0700', 'its folder is for root alone');
is(mode_of("$safe/b/data.mdb"), '0600', 'and so is its file');
is(owners($path, glob "$path/*"), "$uid:$gid", 'nothing in the store is root\'s');
is((ctl("lmdb:$safe/b", 'check'))[0], 0, 'root checks the backup');

# Restored.
is((ctl("lmdb:$path", qw(org add O2)))[0], 0, 'the store is changed');
($code, $out, $err) = ctl("lmdb:$path", 'restore', "$safe/b");
is($code, 0, 'root restores the backup');
is($err, '', 'without an error');
is(owners($path, glob("$path/*"), glob "$path/*/*"), "$uid:$gid", 'all of the store is its owner\'s, with what is kept of the old one');
is((ctl("lmdb:$path", qw(org list)))[1], "ID  NAME\nO1  \n", 'the store is as it was');
my ($kept) = glob "$path/replaced-*";
is((ctl("lmdb:$kept", qw(org list)))[1], "ID  NAME\nO1  \nO2  \n", 'the old one is kept');
is(owners(glob "$kept/*"), "$uid:$gid", 'and stays its owner\'s when root looks at it');

# To a new place, for a user.
($code, $out, $err) = ctl("lmdb:$safe/new", 'restore', "$safe/b", '--owner', $name);
is($code, 0, 'root restores a store that does not exist for a user');
is($err, '', 'without an error');
is(owners("$safe/new", "$safe/new/data.mdb"), "$uid:$gid", 'it is that user\'s');
($code, $out, $err) = ctl("lmdb:$safe/own", 'restore', "$safe/b");
is($code, 0, 'without --owner a new store is made too');
like($err, qr/\Auserprofilectl: the new store is root's; .*--owner USER\n\z/, 'and root is told whose it is');

# In a folder that others may write to, a name could lead root elsewhere.
my $loose = folder() . '/store';
is((ctl("lmdb:$loose", 'init'))[0], 0, 'a store of root\'s is made');
chmod 0770, $loose;
for my $command ([ 'backup', "$safe/c" ], [ 'restore', "$safe/b" ]) {
    ($code, undef, $err) = ctl("lmdb:$loose", @$command);
    is($code, 1, "$command->[0]: a store whose folder a group may write to is refused");
    like($err, qr/may be written to by others/, "$command->[0]: and root is told why");
}
chmod 0700, $loose;
my $target = spew("$safe/target", "root's\n");
for my $file (qw(lock.mdb data.mdb)) {
    rename "$loose/$file", "$loose/before" or die;
    symlink $target, "$loose/$file" or die;
    ($code, undef, $err) = ctl("lmdb:$loose", 'restore', "$safe/b");
    is($code, 1, "a symlink as $file is not restored through");
    is(slurp($target), "root's\n", "a symlink as $file is not followed");
    rename "$loose/before", "$loose/$file" or die;
}

# What the owner may not do is said with the owner's name.
chmod 0400, "$path/data.mdb";
($code, undef, $err) = ctl("lmdb:$path", qw(org add O3));
is($code, 1, 'root\'s change of a store that its owner may only read fails');
like($err, qr/Permission denied; the tool, run by root, acts as $name, who owns the store\n\z/, 'the message says as whom it was tried');

done_testing;
