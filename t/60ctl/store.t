# store.t -- stores that cannot be used.
use strict;
use warnings;

use Ctl;
use Test::More;

# Root's tool becomes the owner of the folder, whom modes concern.
sub give_away {
    my ($folder) = @_;
    return if $> != 0;
    chown 65534, 65534, $folder, glob "$folder/*";
}

sub path_of {
    my ($store) = @_;
    return $store =~ s/^lmdb://r;
}

# No store.
my $missing = folder() . '/missing';
my ($code, $out, $err) = ctl("lmdb:$missing", qw(org list));
is($code, 1, 'a store that does not exist is an error');
like($err, qr/\Auserprofilectl: .*\Q$missing\E.*\n\z/, 'a store that does not exist is named');
ok(!-e $missing, 'a store that does not exist is not made by a read');

($code, undef, $err) = ctl("lmdb:$missing/deeper", 'init');
is($code, 1, 'init does not make the parent of a store\'s folder');
like($err, qr/\Auserprofilectl: .*\Q$missing\E.*No such file/, 'init without the parent folder says why it fails');

my $folder = folder();
($code) = ctl("lmdb:$folder", 'init');
is($code, 0, 'init makes a store in an empty folder');

my $file = spew(folder() . '/file', 'x');
for my $command ('init', 'stat') {
    ($code, undef, $err) = ctl("lmdb:$file", $command);
    is($code, 1, "$command: a file in place of a store is an error");
    like($err, qr/\Auserprofilectl: .*\Q$file\E/, "$command: a file in place of a store is named");
}

# The environment's store.
{
    my ($given, $other) = map { store(qq({"org":{"id":"$_"}})) } qw(E1 E2);
    local $ENV{USERPROFILE_STORE} = $given;
    is((run('', tool(), qw(org list)))[1], "ID  NAME\nE1  \n", 'without -s the store is that of USERPROFILE_STORE');
    is((ctl($other, qw(org list)))[1], "ID  NAME\nE2  \n", '-s goes before USERPROFILE_STORE');
    $ENV{USERPROFILE_STORE} = 'nonsense';
    ($code, undef, $err) = run('', tool(), qw(org list));
    is($code, 2, 'a USERPROFILE_STORE that is no store is misuse');
    like($err, qr/\Auserprofilectl: USERPROFILE_STORE: .*nonsense/, 'and is named');
    $ENV{USERPROFILE_STORE} = '';
    unlike((run('', tool(), qw(org list)))[2], qr/USERPROFILE_STORE/, 'an empty USERPROFILE_STORE is none');
}

# A store that may only be read.
my $store = store('{"org":{"id":"O1"}}');
my $path = path_of($store);
is((stat $path)[2] & 07777, 0700, 'the folder of a store is its owner\'s alone');
is((stat "$path/data.mdb")[2] & 07777, 0600, 'the files of a store are its owner\'s alone');
give_away($path);
chmod 0400, glob "$path/*.mdb";
chmod 0500, $path;
($code, $out, $err) = ctl($store, qw(org add O2));
is($code, 1, 'a change to a store that may only be read fails');
like($err, qr/\Auserprofilectl: .*\Q$path\E.*Permission denied(?:; the tool, run by root, acts as \S+, who owns the store)?\n\z/,
    'a change to a store that may only be read says why it fails');
chmod 0700, $path;
chmod 0600, glob "$path/*.mdb";
is((ctl($store, qw(org list)))[1], "ID  NAME\nO1  \n", 'a store that could not be changed is as before');

# A store that nobody may enter.
chmod 0000, $path;
($code, undef, $err) = ctl($store, 'stat');
is($code, 1, 'a store that may not be entered is an error');
like($err, qr/\Auserprofilectl: .*\Q$path\E.*Permission denied(?:; the tool, run by root, acts as \S+, who owns the store)?\n\z/,
    'a store that may not be entered: the message says why');
chmod 0700, $path;

# An LMDB environment that is none of ours: here, a store whose first database
# has another name.
my $foreign = path_of(store('{"org":{"id":"O1"}}'));
my $theirs  = slurp("$foreign/data.mdb") =~ s/meta/metb/gr;
spew("$foreign/data.mdb", $theirs);
for my $command (['init'], [qw(org list)], [qw(org add O2)]) {
    ($code, undef, $err) = ctl("lmdb:$foreign", @$command);
    is($code, 1, "@$command: what others keep in LMDB is no store");
    like($err, qr/\Auserprofilectl: .*\Q$foreign\E.*not of a store.*\n\z/,
        "@$command: a foreign LMDB environment is named");
    ok(slurp("$foreign/data.mdb") eq $theirs, "@$command: a foreign LMDB environment is left as it is");
}

# One that is damaged.
spew("$path/data.mdb", 'x' x 65536);
($code, undef, $err) = ctl($store, 'stat');
is($code, 1, 'a damaged store is an error');
like($err, qr/\Auserprofilectl: .*\Q$path\E/, 'a damaged store is named');

# Damaged files: an error, and never an empty export.
{
    my $store = store('{"org":{"id":"O1"}}', '{"user":{"id":"U1","orgId":"O1","type":"machine"}}');
    my $data  = path_of($store) . '/data.mdb';
    my $whole = slurp($data);
    for my $length (0, 100, 8192, length($whole) - 4096) {
        spew($data, substr $whole, 0, $length);
        for my $command (qw(export init stat)) {
            my ($code, $out, $err) = ctl($store, $command);
            is($code, 1, "$command of a store cut off after $length bytes is an error");
            is($out, '', "$command of a store cut off after $length bytes prints nothing");
            like($err, qr/\Auserprofilectl: .*\Q@{[path_of($store)]}\E.*\n\z/,
                "$command of a store cut off after $length bytes says why it fails");
        }
        is(-s $data, $length, "a store cut off after $length bytes is left as it is");
    }
    spew($data, $whole);
    like((ctl($store, 'export'))[1], qr/"U1"/, 'a whole copy in its place is read');
}

# A new store has today's format.
{
    my ($code, $out, $err) = ctl(store('{"org":{"id":"O1"}}'), 'upgrade');
    is($code, 0, 'upgrade of a new store succeeds');
    is($out, '', 'upgrade of a new store prints nothing');
    is($err, "userprofilectl: the store has today's format\n", 'upgrade of a new store says that there is nothing to do');
}

done_testing;
