# size.t -- files that fit a mind, functions that fit a screen, lines that fit
# beside another window.
use strict;
use warnings;

use Test::More;
use SourceTree;

my $FILE     = 500;
my $FUNCTION = 50;
my $LINE     = 80;

for my $path (files(qr{\.(?:[chtp]|p[lm]|sh|proto)$|/TEST$|Makefile$},
    qw(Makefile mod_userprofile.c src conf t)))
{
    next if $path =~ m{/node_modules/|/apache_test_config\.pm$};
    utf8::decode(my $text = slurp($path));
    my @lines = split /\n/, $text, -1;
    pop @lines;

    cmp_ok(scalar @lines, '<=', $FILE, "$path has at most $FILE lines");
    # The rows of a test's table may be as long as they are.
    is_deeply(
        [grep { length $lines[$_ - 1] > $LINE } 1 .. @lines],
        [], "no line of $path is longer than $LINE columns"
    ) unless $path =~ m{^t/\d\d\w+/.*\.t$};
    next unless $path =~ /\.c$/;

    # A function's body opens and closes at the first column.
    my ($open, @long);
    for my $number (1 .. @lines) {
        my $line = $lines[$number - 1];
        $open = $number if $line eq '{';
        next unless $open && $line eq '}';
        push @long, $open if $number - $open + 1 > $FUNCTION;
        undef $open;
    }
    is_deeply(\@long, [],
        "no function of $path is longer than $FUNCTION lines");
}

done_testing;
