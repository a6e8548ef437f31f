# banned.t -- functions that no file here calls: those that cannot be bounded,
# that cannot report a wrong number, or that share state between threads.
use strict;
use warnings;

use Test::More;
use SourceTree;

my $banned = join '|', qw(
    strcpy stpcpy strcat strncat strncpy sprintf vsprintf gets
    scanf sscanf fscanf atoi atol atoll atof strtok
    tmpnam tempnam mktemp system popen alloca
    rand srand strerror localtime gmtime ctime asctime
    setjmp longjmp
);

for my $path (files(qr/\.[ch]$/, qw(src mod_userprofile.c))) {
    my @calls = code($path) =~ /(?<![\w.>])($banned)\s*\(/g;
    is_deeply(\@calls, [], "$path calls no banned function");
}

done_testing;
