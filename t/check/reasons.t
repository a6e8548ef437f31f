# reasons.t -- every reason of an error stands in the manual page, with its
# numbers, and nothing else does.
use strict;
use warnings;

use SourceTree;
use Test::More;

my $code = slurp('src/core/up_error.c');
my (%status, %rpc);
while ($code =~ /\{\s*"([A-Z_]+)",\s*(\d+),\s*(\d+),/g) {
    $status{$1} = $2;
    $rpc{$1} = $3 unless exists $rpc{$1};
}
cmp_ok scalar(keys %status), '>', 20, 'the table of errors was read';

# What clients of the tool alone see is not part of the API.
delete $status{CONFLICT};

my ($list) =
    slurp('conf/mod_userprofile.5') =~ /^\.Sh ERRORS OF THE API\n(.*?)^\.Sh /ms;
ok $list, 'the manual page has a list of errors';
my %row;
while (($list // '') =~ /^\.It Sy ([A-Z_]+) Pq (\S+) , (\d+)$/mg) {
    ok !$row{$1}, "$1 stands there once";
    $row{$1} = [$2, $3];
}

is_deeply [sort keys %row], [sort keys %status],
    'the manual page lists the reasons that there are';
for my $reason (sort keys %row) {
    my ($http, $code) = @{ $row{$reason} };
    is $http, $status{$reason}, "$reason: HTTP status";
    is $code, $rpc{$reason}, "$reason: code";
}

done_testing;
