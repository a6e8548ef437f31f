# root_owner.t -- what root does to a store of another user leaves nothing of
# root's in it. Only root can find out.
use strict;
use warnings;

use Ctl;
use Test::More;

$> == 0 or die "this test must run as root\n";
my ($name, $uid, $gid) = (getpwnam 'nobody')[0, 2, 3];
die "there is no user nobody\n" unless defined $uid;

sub owners {
    my ($path) = @_;
    my %owner = map { join(':', (stat)[4, 5]) => 1 } $path, glob "$path/*";
    return join ' ', sort keys %owner;
}

# Stores that init makes.
my $path = folder() . '/store';
my ($code, $out, $err) = ctl("lmdb:$path", 'init', '--owner', $name);
is($code, 0, 'root\'s init --owner succeeds');
is($err, '', "root's init --owner prints no error");
is(owners($path), "$uid:$gid", 'root\'s init --owner gives the new store to that user');
ok(glob("$path/*.mdb"), 'root\'s init --owner makes the files');

my $given = folder();
chown $uid, $gid, $given;
($code, undef, $err) = ctl("lmdb:$given", 'init');
is($code, 0, 'root\'s init in a folder of a user succeeds');
is($err, '', "root's init in a folder of a user prints no error");
is(owners($given), "$uid:$gid", 'root\'s init in a folder of a user makes the store for that user');

my $own = folder() . '/store';
($code, undef, $err) = ctl("lmdb:$own", 'init');
is($code, 0, 'root\'s init without --owner succeeds');
like($err, qr/\Auserprofilectl: the new store is root's; .*--owner USER\n\z/,
    "root's init without --owner says that the store is root's");
is(owners($own), '0:0', "root's init without --owner makes the store root's");
is((ctl("lmdb:$own", qw(org add O1)))[0], 0, 'root\'s store can be used by root');

($code, undef, $err) = ctl("lmdb:$path", 'init', '--owner', 'no.such.user');
is($code, 1, 'init --owner with an unknown user fails');
like($err, qr/\Auserprofilectl: there is no user 'no.such.user'/, 'init --owner with an unknown user names the user');

# Folders in which others could have put a file. What root did there, it would
# do to the file that a symlink leads to.

my $shared = folder();
chmod 0777, $shared;
for my $owner (0, $uid) {
    chown $owner, -1, $shared;
    ($code, undef, $err) = ctl("lmdb:$shared", 'init');
    is($code, 1, "root's init in a folder that all may write to fails");
    like($err, qr/\Auserprofilectl: the folder '\Q$shared\E' of the LMDB store may be written to by others than its owner; 'chmod go-w' ends that\n\z/,
        "root's init in a folder that all may write to says why");
    is_deeply([glob "$shared/*"], [], "root's init in a folder that all may write to makes no file");
}

for my $file (qw(lock.mdb data.mdb)) {
    my $trap   = folder();
    my $target = spew(folder() . '/target', "root's\n");
    is((ctl("lmdb:$trap", 'init'))[0], 0, 'a store of root\'s is made');
    rename "$trap/$file", "$trap/before" or die "rename: $!\n";
    symlink $target, "$trap/$file" or die "symlink: $!\n";
    for my $command (['init'], [qw(org add O1)], ['export']) {
        ($code, undef, $err) = ctl("lmdb:$trap", @$command);
        is($code, 1, "root's @$command with a symlink as $file fails");
        like($err, qr/\Auserprofilectl: the file '\Q$trap\/$file\E' of the LMDB store is no plain file\n\z/,
            "root's @$command with a symlink as $file says why");
        is(slurp($target), "root's\n", "root's @$command with a symlink as $file does not follow it");
    }
}

my $loose = folder() . '/store';
is((ctl("lmdb:$loose", 'init'))[0], 0, 'another store of root\'s is made');
chmod 0770, $loose;
($code, undef, $err) = ctl("lmdb:$loose", qw(org add O1));
is($code, 1, 'root uses no store whose folder a group may write to');
like($err, qr/written to by others/, 'root is told why');

# What commands leave behind.
my $file = spew(folder() . '/import', qq({"org":{"id":"O1"}}\n));
chmod 0600, $file;
for my $command (
    ['import', $file], [qw(org add O2)],
    [qw(user add O1 U1 --machine)], [qw(token add U1)],
    ['export'],        ['stat'],
    ['init'],          [qw(user remove O1 U1)]
    )
{
    unlink glob("$path/lock.mdb");
    ($code, undef, $err) = ctl("lmdb:$path", @$command);
    is($code, 0, "root does '$command->[0]' in that user's store");
    is($err, '', "root's $command->[0] in a store of another user prints no error");
    is(owners($path), "$uid:$gid", "root's $command->[0] in a store of another user leaves no file of root's");
}

done_testing;
