# Every reason of an error stands in the README, with its numbers, and nothing
# else does.
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

my ($table) = slurp('README.md') =~ /^(\| reason \|.*?)\n\n/ms;
ok $table, 'the README has a table of errors';
my %row = map { /^\| ([A-Z_]+) \| (\S+) \| (\d+) \|/ ? ($1 => [$2, $3]) : () }
    split /\n/, $table || '';

is_deeply [sort keys %row], [sort keys %status],
    'the README lists the reasons that there are';
for my $reason (sort keys %row) {
    my ($http, $code) = @{ $row{$reason} };
    # A dash: gRPC alone raises it, and its HTTP status is always 200.
    ok $http eq $status{$reason} || $http !~ m{\d},
        "$reason: HTTP status";
    is $code, $rpc{$reason}, "$reason: code";
}

done_testing;
