# full_import.t -- an import that the map has no room for: what is said, what is
# kept, and that the store goes on.
use strict;
use warnings;

use Ctl;
use Test::More;

my $LINES = 10_000;

# The CRC-32C (RFC 3720) of $bytes.
sub crc32c {
    my ($bytes) = @_;
    my $crc = 0xffffffff;
    for my $byte (unpack 'C*', $bytes) {
        $crc ^= $byte;
        $crc = $crc >> 1 ^ ($crc & 1 ? 0x82f63b78 : 0) for 1 .. 8;
    }
    return $crc ^ 0xffffffff;
}

# A store of 1 MiB. The tool makes none so small: its new store's record is
# changed, where 16 GiB and 1 MiB are varints of five bytes both, and its
# checksum.
my $store = store();
my $file = $store =~ s{^lmdb:(.*)}{$1/data.mdb}r;
my $data = slurp($file);
my $record = "\x08\x02\x10\x80\x80\xc0\x80\x00";
$record .= "\x7d" . pack 'V', crc32c($record);
$data =~ s/store\x08\x02\x10\x80\x80\x80\x80\x40\x7d.{4}/store$record/gs
    or die "there is no size of the map in $file\n";
spew($file, $data);
like((ctl($store, 'stat'))[1], qr/^bytes at most +1048576$/m,
    'a store of 1 MiB is made');

my $lines = spew(folder() . '/lines', join '', qq({"org":{"id":"O1"}}\n),
    map { qq({"user":{"id":"U$_","orgId":"O1","type":"human","profile":)
        . qq({"firstName":"First$_","lastName":"Last$_"}}}\n) }
        2 .. $LINES);
my ($code, $out, $err) = ctl($store, 'import', $lines);
is($code, 1, 'an import that fills the store fails');
my ($stopped) = $err =~ m{\Auserprofilectl:\ the\ import\ stopped\ at\ line
    \ (\d+)\ of\ '\Q$lines\E';\ the\ lines\ before\ it\ are\ kept:
    \ [^\n]*MDB_MAP_FULL[^\n]*\n\z}x;
cmp_ok($stopped // 0, '>', 1, 'an import that fills the store says why and at which line it stopped') or diag($err);
my $kept = $stopped - 1;
like($out, qr/^imported $kept lines /, 'an import that fills the store counts the lines that were kept');
my @users = map { /"id":"U(\d+)"/ } lines_of($store);
is_deeply([sort { $a <=> $b } @users], [2 .. $kept],
    'an import that fills the store keeps the lines before, and no others');

is((ctl($store, qw(org add O2)))[0], 0, 'after a full import an organisation can be added');
is((ctl($store, qw(user remove O1 U2)))[0], 0, 'after a full import a user can be removed');
is(scalar lines_of($store), $kept + 1, 'after a full import the store can be read');

done_testing;
