# commands.t -- a store from its making on, one command after the other: what
# each prints, for people and for programs.
use strict;
use warnings;

use Ctl;
use Test::More;

my $store = 'lmdb:' . folder() . '/store';
my $TIME  = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6})?Z/;

# What a command prints: exactly, if it is text.
sub matches {
    my ($got, $want, $name) = @_;
    ref $want ? like($got, $want, $name) : is($got, $want, $name);
}

# Arguments, exit code, standard output, standard error ('' without one).
my @steps = (
    ['org list',                    1, '', qr/^userprofilectl: .*\Q$store\E|^userprofilectl: .*store/],
    ['init',                        0, ''],
    ['init',                        0, ''],
    ['org list',                    0, "ID  NAME\n"],
    ['org list --json',             0, ''],
    ['org add O1 --name Example',   0, ''],
    ['org add --name=Second -- O2', 0, ''],
    ['org add O3',                  0, ''],
    ['org add O1',                  1, '', "userprofilectl: organisation 'O1' exists already\n"],
    ['org list',                    0, "ID  NAME\nO1  Example\nO2  Second\nO3  \n"],
    [
        'org list --json', 0, <<'END'
{"org":{"id":"O1","name":"Example"}}
{"org":{"id":"O2","name":"Second"}}
{"org":{"id":"O3"}}
END
    ],

    [
        'user add O1 U1 --first-name Gigi --last-name Giraffe'
            . ' --nick-name Gig --language de_ch --gender female', 0, ''
    ],
    ['user add O1 M1 --machine', 0, ''],
    [
        'user add O2 U1 --machine', 1, '',
        "userprofilectl: organisation 'O1' has a user 'U1' already\n"
    ],
    ['user add O9 U9 --machine', 1, '', qr/^userprofilectl: .*O9/],
    [
        'user add O1 U2 --first-name G --last-name G --language 12', 1, '',
        "userprofilectl: the profile of user 'U2' is invalid: "
            . "preferredLanguage: value must be a BCP 47 language tag\n"
    ],
    [
        'user get O1 U1', 0,
        qr/\A
            id\ {17}U1\n
            orgId\ {14}O1\n
            type\ {15}human\n
            state\ {14}active\n
            sequence\ {11}1\n
            creationDate\ {7}($TIME)\n
            changeDate\ {9}\1\n
            firstName\ {10}Gigi\n
            lastName\ {11}Giraffe\n
            nickName\ {11}Gig\n
            displayName\ {8}Gigi\ Giraffe\n
            preferredLanguage\ {2}de-CH\n
            gender\ {13}GENDER_FEMALE\n\z/x
    ],
    [
        'user get O1 U1 --json', 0,
        qr/\A\{"user":\{"id":"U1","orgId":"O1","type":"human",
        "state":"active","sequence":"1","creationDate":"($TIME)",
        "changeDate":"\1","profile":\{"firstName":"Gigi",
        "lastName":"Giraffe","nickName":"Gig","displayName":"Gigi\ Giraffe",
        "preferredLanguage":"de-CH","gender":"GENDER_FEMALE"\}\}\}\n\z/x
    ],
    [
        'user get O2 U1', 1, '',
        "userprofilectl: organisation 'O2' has no user 'U1'\n"
    ],
    [
        'user list O1', 0,
        qr/\A
            ID\ \ TYPE\ {5}STATE\ {3}SEQUENCE\ \ CHANGED\ +DISPLAY\ NAME\n
            M1\ \ machine\ \ active\ \ 1\ {9}$TIME\ \ \n
            U1\ \ human\ {4}active\ \ 1\ {9}$TIME\ \ Gigi\ Giraffe\n\z/x
    ],
    ['user list O2', 0, qr/\AID .*\n\z/],
    ['user list O9', 1, '', "userprofilectl: there is no organisation 'O9'\n"],
    [
        'user list O1 --json', 0,
        qr/\A\{"user":\{"id":"M1",.*\}\n\{"user":\{"id":"U1",.*\}\n\z/
    ],

    ['member add --org O1 A1 ORG_OWNER ORG_USER_MANAGER', 0, ''],
    ['member add U1 IAM_OWNER_VIEWER',                    0, ''],
    [
        'member add --org O1 U1 ORG_ONWER', 0, '',
        "userprofilectl: the role 'ORG_ONWER' permits nothing, unless a "
            . "UserProfileRole names it\n"
    ],
    ['member add --org O9 A1 ORG_OWNER', 1, '', qr/^userprofilectl: .*O9/],
    ['member list', 0, "USER  ROLES\nU1    IAM_OWNER_VIEWER\n"],
    [
        'member list --org O1', 0,
        "USER  ROLES\nA1    ORG_OWNER ORG_USER_MANAGER\nU1    ORG_ONWER\n"
    ],
    [
        'member list --org O1 --json', 0, <<'END'
{"member":{"orgId":"O1","userId":"A1","roles":["ORG_OWNER","ORG_USER_MANAGER"]}}
{"member":{"orgId":"O1","userId":"U1","roles":["ORG_ONWER"]}}
END
    ],
    ['member remove --org O1 A1', 0, ''],
    [
        'member remove --org O1 A1', 1, '',
        "userprofilectl: user 'A1' is no member of organisation 'O1'\n"
    ],
    ['member list --org O1', 0, "USER  ROLES\nU1    ORG_ONWER\n"],

    ['token add U1',               0, qr/\Aup_[\w-]{43}\n\z/],
    ['token add A1 --expires 90d', 0, qr/\Aup_[\w-]{43}\n\z/],
    [
        'token add A1 --expires 2999-01-01T00:00:00Z', 0,
        qr/\Aup_[\w-]{43}\n\z/
    ],
    [
        'token list', 0,
        qr/\AID\ {16}USER\ \ CREATED\ +EXPIRES\n
            (?:[0-9a-f]{16}\ \ (?:U1|A1)\ {4}$TIME\ \ (?:never|$TIME)\n){3}\z/x
    ],
    [
        'token list --json', 0,
        qr/\A(?:\{"token":\{"userId":"\w1","sha256":"[0-9a-f]{64}",
        "creationDate":"$TIME"(?:,"expires":"$TIME")?\}\}\n){3}\z/x
    ],
    [
        'token revoke 0000000000000000', 1, '',
        "userprofilectl: no token has the id '0000000000000000'\n"
    ],
    [
        'token revoke 00', 1, '',
        "userprofilectl: a token's id has at least 16 hex digits\n"
    ],

    ['user remove O1 U1', 0, ''],
    [
        'user remove O1 U1', 1, '',
        "userprofilectl: user 'U1' is removed already\n"
    ],
    ['user get O1 U1 --json', 0, qr/"state":"removed","sequence":"2",/],
    ['member list', 0, "USER  ROLES\n"],
    [
        'events', 0,
        qr/\A
            NUMBER\ \ TIME\ +TYPE\ +ORG\ \ USER\ \ SEQUENCE\ \ BY\ \ FIELDS\n
            1\ +$TIME\ \ +user\.added\ +O1\ +U1\ +1\ +-\ +firstName\ lastName\ 
            nickName\ displayName\ preferredLanguage\ gender\n
            2\ +$TIME\ \ +user\.added\ +O1\ +M1\ +1\ +-\ +\n
            3\ +$TIME\ \ +user\.removed\ +O1\ +U1\ +2\ +-\ +\n\z/x
    ],
    ['events --after 2',        0, qr/\ANUMBER .*\n3 .*\n\z/],
    ['events --after 3 --json', 0, ''],
    [
        'events --json --after=2', 0,
        qr/\A\{"event":\{"number":"3","type":"user\.removed","time":"$TIME",
        "orgId":"O1","userId":"U1","sequence":"2"\}\}\n\z/x
    ],
    [
        'stat', 0,
        qr/\A
            driver\ {13}lmdb\n
            organisations\ {6}3\n
            users\ {14}2\n
            memberships\ {8}0\n
            tokens\ {13}2\n
            events\ {13}3\n
            last\ event\ {9}3\n
            bytes\ used\ {9}[1-9]\d*\n
            bytes\ free\ {9}[1-9]\d*\n
            bytes\ at\ most\ {6}17179869184\n
            reader\ slots\ used\ \ \d+\n
            reader\ slots\ {7}16384\n\z/x
    ],
    [
        'stat --json', 0,
        qr/\A\{"driver":"lmdb","orgs":3,"users":2,"members":0,"tokens":2,
        "events":3,"lastEvent":3,"bytesUsed":[1-9]\d*,"bytesFree":[1-9]\d*,"bytesMax":17179869184,
        "readers":\d+,"readersMax":16384\}\n\z/x
    ],
);

for my $step (@steps) {
    my ($arguments, $code, $out, $err) = @$step;
    my ($got_code, $got_out, $got_err) = ctl($store, split / /, $arguments);
    is($got_code, $code, $arguments) or diag($got_err);
    matches($got_out, $out, "$arguments: the output");
    next if !defined $err && $> == 0 && $arguments eq 'init';
    matches($got_err, $err // '', "$arguments: the standard error");
}

# A token that is listed is revoked by what the list shows.
my ($id) = (ctl($store, qw(token list)))[1] =~ /^([0-9a-f]{16}) /m;
is((ctl($store, qw(token revoke), $id))[0], 0, 'token revoke takes an id of token list');
unlike((ctl($store, qw(token list)))[1], qr/^$id/m, 'token revoke revokes that token');

done_testing;
