# directives.t -- the manual page and conf/userprofile.conf have every directive
# of the table, with its context and its default; each is kept in a field, and
# is inherited.
use strict;
use warnings;

use Test::More;
use SourceTree;

my ($header, $source) = map { slurp("src/httpd/up_config.$_") } qw(h c);

# The table: each directive's context, and the default that its help names.
my (@table, %context, %default);
while ($source =~ /\bAP_INIT_\w+\(\s*"(\w+)",(.*?)\),?\n(?=    [A{])/sg) {
    my ($name, $rest) = ($1, $2);
    push @table, $name;
    $context{$name} =
        $rest =~ /\bRSRC_CONF\b/ ? 'server, virtual host' : 'section';
    $rest =~ s/"\s+(UP_STATEDIR\s+)?"/$1 ? '%STATEDIR%' : ''/ge;
    ($default{$name}) = $rest =~ /\(default (.+?)\)"/s;
}
@table = sort @table;
ok(@table, 'there are directives');
my ($statedir) = slurp('Makefile') =~ /^STATEDIR\s+= (\S+)$/m;
defined and s/%STATEDIR%/$statedir/ for values %default;

my %conf = slurp('conf/userprofile.conf') =~ /^#(UserProfile\w*) (.*)$/mg;
is_deeply([sort keys %conf], \@table,
    'conf/userprofile.conf has every directive, and no other');
my @lines = slurp('conf/userprofile.conf') =~ /^#(UserProfile\w*) /mg;
is(scalar @lines, scalar @table, '... once');

# The manual page: an item for each directive, which begins with its context,
# its default and an example.
my $page = slurp('conf/mod_userprofile.5');
my ($section) = $page =~ /^\.Sh DIRECTIVES\n(.*?)^\.Sh /ms;
my (@described, %page);
while ($section =~ /^\.It Ic (\w+) .*\n((?:\.Bl .*\n)(?:.*\n)*?\.El\n)/mg) {
    my ($name, $facts) = ($1, $2);
    push @described, $name;
    my %said = $facts =~ /^\.It (\w+):\n((?:(?!\.(?:It|El)).*\n)*)/mg;
    # A default may be text with a link.
    $said{Default} //= '';
    chomp @said{qw(Context Default Example)};
    $page{$name} = \%said;
}
is_deeply([sort @described], [sort 'AuthType', @table],
    'the manual page has every directive once, and no other');

for my $name (@table) {
    is($page{$name}{Context}, $context{$name}, "$name: its context");
    like($page{$name}{Example}, qr/^$name ./, "$name: an example");
    next if $name eq 'UserProfileRole';  # which has none
    is($page{$name}{Default}, $conf{$name},
        "$name: the manual page and the configuration have one default");
    is($conf{$name}, $default{$name}, "$name: it is that of the code");
}

my %exists = map { $_ => 1 } @table;
for my $document (qw(README.md conf/mod_userprofile.5 conf/userprofile.conf)) {
    my %named = map { $_ => 1 } slurp($document) =~ /\b(UserProfile[A-Z]\w*)/g;
    is_deeply([grep { !$exists{$_} } sort keys %named],
        [], "$document has no directive that does not exist");
}

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
