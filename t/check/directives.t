# directives.t -- what the table of directives has is in conf/userprofile.conf
# and in the README, is kept in a field, and is inherited.
use strict;
use warnings;

use Test::More;
use SourceTree;

my ($header, $source) = map { slurp("src/httpd/up_config.$_") } qw(h c);

my @table = sort $source =~ /\bAP_INIT_\w+\(\s*"(\w+)"/g;
ok(@table, 'there are directives');

my @documented =
    sort(slurp('conf/userprofile.conf') =~ /^#(UserProfile\w*) /mg);
is_deeply(\@documented, \@table,
    'conf/userprofile.conf has every directive once, and no other');

my %readme = map { $_ => 1 } slurp('README.md') =~ /`(UserProfile\w*)\b/g;
is_deeply([grep { !$readme{$_} } @table], [], 'README.md has every directive');
my %exists = map { $_ => 1 } @table;
is_deeply([grep { !$exists{$_} } sort keys %readme],
    [], 'README.md has no directive that does not exist');

# A field's comment names its directive, or directives.
my %field;
while ($header =~ m{^ +[^;{}]*?(\w+); +/\* (UserProfile.*?)\*/}mgs) {
    my ($name, $comment) = ($1, $2);
    $field{$_} = $name for $comment =~ /\bUserProfile\w*/g;
}
is_deeply([sort keys %field], \@table, 'every directive has a field');

my $merges = join '', $source =~ /^up_config_merge_\w+\(.*?^}$/msg;
for my $name (@table) {
    like($merges, qr/\bconfig->$field{$name} =\s/, "$name is inherited")
        if $field{$name};
}

done_testing;
