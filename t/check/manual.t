# manual.t -- the manual pages are well-formed, and that of the tool has the
# commands and options that the tool has.
use strict;
use warnings;

use Test::More;
use SourceTree;

my @PAGES = qw(conf/mod_userprofile.5 src/ctl/userprofilectl.8);

# What is not installed where this runs is no fault of a page.
for my $page (@PAGES) {
    my @said = grep { !/referenced manual not found|outdated mandoc\.db/ }
        split /\n/, qx(mandoc -T lint $page 2>&1);
    is_deeply(\@said, [], "mandoc finds no fault in $page");
    is(qx(groff -ww -mandoc -Tutf8 -z $page 2>&1),
        '', "groff finds no fault in $page");
}

my $tool = products() . '/userprofilectl';

# The options of a text of help, but for those that each command takes.
sub options {
    my ($help) = @_;
    my %options = map { $_ => 1 } $help =~ /--([a-z][a-z-]*)/g;
    delete @options{qw(store help version wait)};
    return [sort keys %options];
}

# The manual page: the options of each command. An item's usage is all its lines
# before the first line of text; a command may have several items.
my $page = slurp('src/ctl/userprofilectl.8');
my ($commands) = $page =~ /^\.Ss Commands\n(.*?)^\.S[hs] /ms;
my %described;
for my $item (split /^\.It /m, $commands) {
    my ($usage) = $item =~ /\A((?:Xo\n)?\.?Cm .*\n(?:\..*\n)*)/ or next;
    my ($name) = $usage =~ /\bCm ([a-z]+(?: [a-z]+)*)/;
    $name = join ' ', grep { !/^(?:Oo|Op)$/ } split / /, $name;
    $described{$name}{$_} = 1 for '', $usage =~ /\bFl -([a-z][a-z-]*)/g;
}

my ($listed) = qx($tool --help) =~ /^Commands:\n(.*?)\n\n/ms;
my @names = map { s/ +$//r } $listed =~ /^  ([a-z]+ [a-z]*)/mg;
ok(@names, 'the tool lists its commands');
is_deeply([sort keys %described],
    [sort @names], 'the manual page describes every command, and no other');
for my $name (@names) {
    my ($help) = qx($tool $name --help) =~ /^Options:\n(.*)/ms;
    is_deeply([grep { $_ } sort keys %{ $described{$name} }],
        options($help), "... $name with its options");
}

my ($common) = $page =~ /^\.Ss Options\n(.*?)^\.Ss /ms;
like($common, qr/\bFl -$_\b/, "the manual page describes --$_")
    for qw(store help version wait);

done_testing;
