# ids.t -- ids that no path of the API reaches: . and .. are refused, a slash is
# warned of.
use strict;
use warnings;

use Ctl;
use Test::More;

my $store = store('{"org":{"id":"O1"}}');
my @before = lines_of($store);

my $rule = 'must be 1 to 200 bytes of UTF-8 without control characters, and '
    . 'neither . nor ..';
for my $id ('.', '..') {
    for my $case (
        ['the id of an organisation',        'org', 'add', $id],
        ['the id of a user',                 'user', 'add', 'O1', $id, '--machine'],
        ['the organisation of a user',       'user', 'add', $id, 'U1', '--machine'],
        ['the user of a membership',         'member', 'add', $id, 'IAM_OWNER'],
        ['the organisation of a membership', 'member', 'add', '--org', $id, 'U1', 'ORG_OWNER'],
        ['the user of a token',              'token', 'add', $id],
        )
    {
        my ($what, @arguments) = @$case;
        is_deeply([ctl($store, @arguments)],
            [1, '', "userprofilectl: $what $rule\n"], "@arguments is refused");
    }
}
is_deeply([lines_of($store)], \@before, 'a refused id is not stored');

my $warning = "userprofilectl: the id 'a/b' has a slash; a path of the REST "
    . "API cannot name such an id, gRPC can\n";
for my $arguments (
    [qw(org add a/b)],
    [qw(user add O1 a/b --machine)],
    [qw(member add a/b IAM_OWNER)],
    [qw(token add a/b)],
    )
{
    my ($code, undef, $err) = ctl($store, @$arguments);
    is($code, 0, "@$arguments succeeds");
    is($err, $warning, "@$arguments warns of the slash");
}
is((ctl($store, qw(user get O1 a/b --json)))[0], 0, 'an id with a slash is stored');

my ($code, undef, $err) = run(<<'END', tool(), '-s', $store, 'import', '-');
{"org":{"id":"O2"}}
{"user":{"id":"c/d","orgId":"O2","type":"machine"}}
{"user":{"id":"e","orgId":"O2","type":"machine"}}
{"user":{"id":"/","orgId":"O2","type":"machine"}}
{"member":{"userId":"c/d","roles":["R"]}}
END
is($code, 0, 'import takes ids with a slash');
is($err, "userprofilectl: ids with a slash: 2, the first in line 2; a path of the "
        . "REST API cannot name such an id, gRPC can\n",
    'import warns of ids with a slash once');
($code, undef, $err) = run(<<'END', tool(), '-s', $store, 'import', '-');
{"org":{"id":"O3"}}
{"user":{"id":"f/g","orgId":"O9","type":"machine"}}
END
is($code, 1, 'a refused line stops the import');
unlike($err, qr/slash/, 'import does not warn of an id that it did not store');

done_testing;
