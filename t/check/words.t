# words.t -- no note to oneself is left in the tree, and no path of the machine
# that it was written on.
use strict;
use warnings;

use Test::More;
use SourceTree;

# Spelled so that this file does not match itself.
my $note = join '|', map { join '', @$_ } ['TO', 'DO'], ['FIX', 'ME'],
    ['X', 'XX'], ['HA', 'CK'];
my @paths = ('/ho' . 'me/', '/ro' . 'ot/', '/Us' . 'ers/');
push @paths, "$ENV{UP_ORIGIN}/" if length($ENV{UP_ORIGIN} || '') > 1;
my $path_pattern = join '|', map { quotemeta } @paths;

for my $path (
    files(qr{.}, grep { -e } qw(.ci .clang-tidy Makefile mod_userprofile.c),
        qw(README.md conf src t)))
{
    # What a run makes, inputs of fuzzers, other people's packages.
    next if $path =~ m{^t/(?:logs|state|htdocs)/|^t/fuzz/\w+/|/node_modules/};
    next if -B $path || $path =~ m{^t/conf/(?!.*\.in$)};
    my $text = slurp($path);
    unlike($text, qr/\b(?:$note)\b/, "$path has no note to oneself");
    unlike($text, qr/$path_pattern/, "$path names no machine's path");
}

done_testing;
