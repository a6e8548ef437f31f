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
is($code, 1, 'a store that is not there');
like($err, qr/\Auserprofilectl: .*\Q$missing\E.*\n\z/, '... is named');
ok(!-e $missing, '... and not made');

($code, undef, $err) = ctl("lmdb:$missing/deeper", 'init');
is($code, 1, 'init makes one folder, not two');
like($err, qr/\Auserprofilectl: .*\Q$missing\E.*No such file/, '... says so');

my $folder = folder();
($code) = ctl("lmdb:$folder", 'init');
is($code, 0, 'init takes an empty folder');

my $file = spew(folder() . '/file', 'x');
for my $command ('init', 'stat') {
    ($code, undef, $err) = ctl("lmdb:$file", $command);
    is($code, 1, "$command: a file is no store");
    like($err, qr/\Auserprofilectl: .*\Q$file\E/, '... and is named');
}

# A store that may only be read.
my $store = store('{"org":{"id":"O1"}}');
my $path = path_of($store);
is((stat $path)[2] & 07777, 0700, 'the folder of a store is its owner\'s');
is((stat "$path/data.mdb")[2] & 07777, 0600, '... and so are its files');
give_away($path);
chmod 0400, glob "$path/*.mdb";
chmod 0500, $path;
($code, $out, $err) = ctl($store, qw(org add O2));
is($code, 1, 'a store that may only be read takes nothing');
like($err, qr/\Auserprofilectl: .*\Q$path\E.*Permission denied\n\z/,
    '... and says why');
chmod 0700, $path;
chmod 0600, glob "$path/*.mdb";
is((ctl($store, qw(org list)))[1], "ID  NAME\nO1  \n", '... and loses nothing');

# A store that nobody may enter.
chmod 0000, $path;
($code, undef, $err) = ctl($store, 'stat');
is($code, 1, 'a store that may not be read');
like($err, qr/\Auserprofilectl: .*\Q$path\E.*Permission denied\n\z/,
    '... says so');
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
        '... is named');
    ok(slurp("$foreign/data.mdb") eq $theirs, '... and left as it is');
}

# One that is damaged.
spew("$path/data.mdb", 'x' x 65536);
($code, undef, $err) = ctl($store, 'stat');
is($code, 1, 'a store that is none');
like($err, qr/\Auserprofilectl: .*\Q$path\E/, '... is named');

done_testing;
