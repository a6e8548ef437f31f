# find.t -- users found and listed in part.
use strict;
use warnings;

use Ctl;
use Test::More;

# The lines of users of $org: id and display name, or none for a machine.
sub users {
    my ($org, @users) = @_;
    return map {
        my ($id, $name, $state) = @$_;
        sprintf '{"user":{"id":"%s","orgId":"%s","type":"%s","state":"%s"%s}}', $id, $org,
            $name ? 'human' : 'machine', $state // 'active',
            $name ? qq(,"profile":{"firstName":"F","lastName":"L","displayName":"$name"}) : ''
    } @users;
}

my $store = store(
    '{"org":{"id":"O1"}}', '{"org":{"id":"O2"}}',
    users('O1', ['a1', 'Gigi Giraffe'], ['a2', 'ÄRGER'], ['b1', 'Zoe', 'locked'], ['b2'], ['B3', 'Zoe', 'removed']),
    users('O2', ['c1', 'Ada Ärger'], ['giraffe-machine'])
);

# The ids that a command lists.
sub ids {
    my (@arguments) = @_;
    my ($code, $out, $err) = ctl($store, 'user', @arguments, '--json');
    return "exit $code: $err" if $code;
    return join ' ', $out =~ /"id":"([^"]*)"/g;
}

my @rows = (
    ['a part of a display name, in either case', 'a1 giraffe-machine', 'find', 'GIRAFFE'],
    ['a part of an id',                          'a1 a2',              'find', 'a', '--org', 'O1', '--limit', 2],
    ['letters beyond ASCII, in either case',     'a2 c1',              'find', 'ärg'],
    ['in one organisation',                      'c1',                 'find', 'ärger', '--org', 'O2'],
    ['a removed user',                           'B3 b1',              'find', 'zoe'],
    ['a text that nobody has',                   '',                   'find', 'nobody'],
    ['a text longer than every name',            '',                   'find', 'Gigi Giraffe the second'],
    ['a text of bytes that are not UTF-8',       '',                   'find', "\xff"],
    ['no more than so many',                     'a1',                 'find', 'g', '--limit', 1],
    ['all of an organisation, by their bytes',   'B3 a1 a2 b1 b2',     'list', 'O1'],
    ['those in a state',                         'b1',                 'list', 'O1', '--state', 'locked'],
    ['removed ones',                             'B3',                 'list', 'O1', '--state', 'removed'],
    ['the first ones',                           'B3 a1',              'list', 'O1', '--limit', 2],
    ['those after an id',                        'a2 b1',              'list', 'O1', '--after', 'a1', '--limit', 2],
    ['those after an id that is not there',      'a1 a2 b1 b2',        'list', 'O1', '--after', 'a'],
    ['those after the last one',                 '',                   'list', 'O1', '--after', 'b2'],
    ['those in a state after an id',             'a2 b2',              'list', 'O1', '--after', 'a1', '--state', 'active'],
    ['as many as there are',                     'B3 a1 a2 b1 b2',     'list', 'O1', '--limit', 5],
);
for my $row (@rows) {
    my ($name, $ids, @arguments) = @$row;
    is(ids(@arguments), $ids, "user $arguments[0] lists $name");
}
is((ctl($store, qw(user find Zoe)))[1], <<'END', 'user find prints a table');
ORG  ID  STATE    DISPLAY NAME
O1   B3  removed  Zoe
O1   b1  locked   Zoe
END
is_deeply([ctl($store, qw(user find a --org O9))], [1, '', "userprofilectl: there is no organisation 'O9'\n"],
    'user find names an organisation that is not there');
is((ctl($store, 'user', 'find', ''))[0], 2, 'user find without a text is misuse');

done_testing;
