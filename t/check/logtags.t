# logtags.t -- every line that the module logs has a tag of its own, UP0001,
# which the manual page explains.
use strict;
use warnings;

use Test::More;
use SourceTree;

my %word_of = (
    APLOG_CRIT    => 'critical',
    APLOG_ERR     => 'error',
    APLOG_WARNING => 'warning',
    APLOG_NOTICE  => 'notice',
    APLOG_INFO    => 'info',
    APLOG_DEBUG   => 'debug',
);

my (%where, %level, @bare);
for my $path (files(qr/\.[ch]$/, qw(src mod_userprofile.c))) {
    my $text = slurp($path);
    push @{ $where{$1} }, $path while $text =~ /\b(UP\d+)\b/g;
    while ($text =~ /\b(ap_log_[a-z]*error)\s*\((.*?)\)\s*;/gs) {
        my ($call, $arguments) = ($1, $2);
        my ($tag) = $arguments =~ /"(UP\d{4}): /;
        if (!$tag) {
            push @bare, "$path: $call";
        }
        elsif ($arguments =~ /\b(APLOG_(?!MARK|NOERRNO)[A-Z]+)\b/) {
            $level{$tag} = $word_of{$1};
        }
    }
}

ok(%where, 'there are tags');
for my $tag (sort keys %where) {
    like($tag, qr/^UP\d{4}$/, "$tag has four digits");
    is("@{ $where{$tag} }", $where{$tag}[0], "$tag is used once");
}
my @items = slurp('conf/mod_userprofile.5') =~ /^\.It Sy (UP\d+) Pq (.*)$/mg;
my @explained = @items[grep { $_ % 2 == 0 } 0 .. $#items];
is_deeply(\@explained, [sort keys %where],
    'the manual page explains every tag once, in their order, and no other');
my %explained = @items;
for my $tag (sort keys %level) {
    like($explained{$tag}, qr/\b$level{$tag}\b/,
        "$tag is logged at the level that the manual page says");
}
is_deeply(\@bare, [], 'every call that logs has a tag');

done_testing;
