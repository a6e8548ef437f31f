# notes.t -- the manual page has the notes that a request gets, and the format
# of userprofile.conf has all of them.
use strict;
use warnings;

use Test::More;
use SourceTree;

my %set;
for my $path (files(qr/\.c$/, 'src/httpd')) {
    $set{$_} = 1
        for slurp($path) =~ /\bup_request_note\(\s*r,\s*"(userprofile-\w+)"/g;
}
ok(%set, 'requests get notes');

is_deeply(
    [sort(slurp('conf/mod_userprofile.5') =~ /^\.It Sy (userprofile-\w+)$/mg)],
    [sort keys %set],
    'the manual page has them'
);
my ($format) = slurp('conf/userprofile.conf') =~ /^\s*LogFormat "(.*)" \w+$/m;
is_deeply([sort($format =~ /%\{(userprofile-\w+)\}n/g)],
    [sort keys %set], 'the format of userprofile.conf has them');

done_testing;
