# logtags.t -- every line that the module logs has a tag of its own, which a
# manual or a search can name: UP0001.
use strict;
use warnings;

use Test::More;
use SourceTree;

my (%where, @bare);
for my $path (files(qr/\.[ch]$/, qw(src mod_userprofile.c))) {
    my $text = slurp($path);
    push @{ $where{$1} }, $path while $text =~ /\b(UP\d+)\b/g;
    while ($text =~ /\b(ap_log_[a-z]*error)\s*\((.*?)\)\s*;/gs) {
        my ($call, $arguments) = ($1, $2);
        push @bare, "$path: $call" unless $arguments =~ /"UP\d{4}: /;
    }
}

ok(%where, 'there are tags');
for my $tag (sort keys %where) {
    like($tag, qr/^UP\d{4}$/, "$tag has four digits");
    is("@{ $where{$tag} }", $where{$tag}[0], "$tag is used once");
}
my @explained = slurp('README.md') =~ /^\| (UP\d+) \|/mg;
is_deeply(\@explained, [sort keys %where],
    'README.md explains every tag once, in their order, and no other');
is_deeply(\@bare, [], 'every call that logs has a tag');

done_testing;
