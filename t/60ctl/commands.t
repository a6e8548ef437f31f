# commands.t -- a store from its making on, one command after the other: what
# each prints, for people and for programs.
use strict;
use warnings;

use Ctl;
use Test::More;

my $store = 'lmdb:' . folder() . '/store';
my $TIME  = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6})?Z/;
my $BY    = quotemeta('tool:' . (getpwuid($<) // $<));

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
        'member add --org O1 U1 ORG_ONWER', 1, '',
        "userprofilectl: neither the API nor this store has a role "
            . "'ORG_ONWER'; --new-role takes it all the same\n"
    ],
    [
        'member set --org O1 U1 ORG_OWNER ORG_ONWER', 1, '',
        "userprofilectl: neither the API nor this store has a role "
            . "'ORG_ONWER'; --new-role takes it all the same\n"
    ],
    ['member list --org O1 --json', 0, qr/\A.*"A1".*\n\z/],
    [
        'member add --org O1 U1 ORG_ONWER --new-role', 0, '',
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
    [
        'member add --org O2 A1 ORG_ONWER', 0, '',
        "userprofilectl: the role 'ORG_ONWER' permits nothing, unless a "
            . "UserProfileRole names it\n"
    ],
    ['member add --org O2 A1 ORG_OWNER ORG_USER_MANAGER ORG_OWNER', 0, ''],
    ['member list --org O2', 0, "USER  ROLES\nA1    ORG_ONWER ORG_OWNER ORG_USER_MANAGER\n"],
    ['member set --org O2 A1 ORG_OWNER_VIEWER', 0, ''],
    ['member list --org O2', 0, "USER  ROLES\nA1    ORG_OWNER_VIEWER\n"],
    ['member remove --org O2 A1', 0, ''],
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
        "userprofilectl: no token has this id or text; an id has 16 hex digits or more\n"
    ],
    [
        'token revoke 00', 1, '',
        "userprofilectl: no token has this id or text; an id has 16 hex digits or more\n"
    ],

    ['user set O1 U1 --nick-name=Gi --gender unspecified --state locked', 0, ''],
    ['user set O1 U1 --state locked --nick-name Gi', 0, ''],
    ['user set O1 M1 --state inactive', 0, ''],
    [
        'user set O1 M1 --nick-name N', 1, '',
        "userprofilectl: user 'M1' is a machine, which has no profile\n"
    ],
    [
        'user set O1 U1 --first-name=', 1, '',
        qr/\Auserprofilectl: the profile of user 'U1' is invalid: firstName: /
    ],
    [
        'user set O2 U1 --state active', 1, '',
        "userprofilectl: organisation 'O2' has no user 'U1'\n"
    ],
    [
        'user get O1 U1 --json', 0,
        qr/"state":"locked","sequence":"3",.*"profile":\{"firstName":"Gigi",
        "lastName":"Giraffe","nickName":"Gi","displayName":"Gigi\ Giraffe",
        "preferredLanguage":"de-CH"\}/x
    ],
    [
        'events --after 16 --json', 0,
        qr/\A\{"event":\{"number":"17","type":"profile\.changed",
        "time":"$TIME","orgId":"O1","userId":"U1","by":"$BY","sequence":"2",
        "fields":\["nickName","gender"\],
        "before":\{"nickName":"Gig","gender":"GENDER_FEMALE"\},
        "after":\{"nickName":"Gi","gender":"GENDER_UNSPECIFIED"\}\}\}\n
        \{"event":\{"number":"18","type":"user\.locked","time":"$TIME",
        "orgId":"O1","userId":"U1","by":"$BY","sequence":"3"\}\}\n
        \{"event":\{"number":"19","type":"user\.deactivated",.*
        "userId":"M1","by":"$BY","sequence":"2"\}\}\n\z/x
    ],
    ['user remove O1 U1', 0, ''],
    [
        'user set O1 U1 --state active', 1, '',
        "userprofilectl: user 'U1' is removed\n"
    ],
    [
        'user remove O1 U1', 1, '',
        "userprofilectl: user 'U1' is removed already\n"
    ],
    ['user get O1 U1 --json', 0, qr/"state":"removed","sequence":"4",/],
    ['member list', 0, "USER  ROLES\n"],
    [
        'events', 0,
        qr/\A
            NUMBER\ \ TIME\ +TYPE\ +ORG\ \ USER\ \ SEQUENCE\ \ BY\ +WHAT\n
            1\ +$TIME\ \ +org\.added\ +O1\ +-\ +-\ +$BY\ +Example\n
            2\ +$TIME\ \ +org\.added\ +O2\ +-\ +-\ +$BY\ +Second\n
            3\ +$TIME\ \ +org\.added\ +O3\ +-\ +-\ +$BY\ +\n
            4\ +$TIME\ \ +user\.added\ +O1\ +U1\ +1\ +$BY\ +firstName\ lastName\ 
            nickName\ displayName\ preferredLanguage\ gender\n
            5\ +$TIME\ \ +user\.added\ +O1\ +M1\ +1\ +$BY\ +\n
            6\ +$TIME\ \ +member\.added\ +O1\ +A1\ +-\ +$BY\ +ORG_OWNER\ ORG_USER_MANAGER\n
            7\ +$TIME\ \ +member\.added\ +-\ +U1\ +-\ +$BY\ +IAM_OWNER_VIEWER\n
            8\ +$TIME\ \ +member\.added\ +O1\ +U1\ +-\ +$BY\ +ORG_ONWER\n
            9\ +$TIME\ \ +member\.added\ +O2\ +A1\ .*\n
            10\ +$TIME\ \ +member\.changed\ +O2\ +A1\ .*\n
            11\ +$TIME\ \ +member\.changed\ +O2\ +A1\ .*\n
            12\ +$TIME\ \ +member\.removed\ +O2\ +A1\ +-\ +$BY\ +ORG_OWNER_VIEWER\n
            13\ +$TIME\ \ +member\.removed\ +O1\ +A1\ .*\n
            14\ +$TIME\ \ +token\.added\ +-\ +U1\ +-\ +$BY\ +[0-9a-f]{16}\n
            15\ +$TIME\ \ +token\.added\ +-\ +A1\ .*\n
            16\ +$TIME\ \ +token\.added\ +-\ +A1\ .*\n
            17\ +$TIME\ \ +profile\.changed\ +O1\ +U1\ +2\ +$BY\ +nickName\ gender\n
            18\ +$TIME\ \ +user\.locked\ +O1\ +U1\ +3\ +$BY\ +\n
            19\ +$TIME\ \ +user\.deactivated\ +O1\ +M1\ +2\ +$BY\ +\n
            20\ +$TIME\ \ +user\.removed\ +O1\ +U1\ +4\ +$BY\ +\n\z/x
    ],
    ['events --after 19',        0, qr/\ANUMBER .*\n20 .*\n\z/],
    ['events --after 20 --json', 0, ''],
    [
        'events --json --after=19', 0,
        qr/\A\{"event":\{"number":"20","type":"user\.removed","time":"$TIME",
        "orgId":"O1","userId":"U1","by":"$BY","sequence":"4"\}\}\n\z/x
    ],
    ['org rename O3 Third', 0, ''],
    ['org rename O9 Ninth', 1, '', "userprofilectl: there is no organisation 'O9'\n"],
    ['org list', 0, "ID  NAME\nO1  Example\nO2  Second\nO3  Third\n"],
    [
        'org remove O1', 1, '',
        "userprofilectl: organisation 'O1' has users that are not removed: 1\n"
    ],
    ['org remove O9', 1, '', "userprofilectl: there is no organisation 'O9'\n"],
    [
        'stat', 0,
        qr/\A
            driver\ {13}lmdb\n
            organisations\ {6}3\n
            users\ {14}2\n
            memberships\ {8}0\n
            tokens\ {13}3\n
            events\ {13}21\n
            last\ event\ {9}21\n
            bytes\ used\ {9}[1-9]\d*\n
            bytes\ free\ {9}[1-9]\d*\n
            bytes\ at\ most\ {6}17179869184\n
            reader\ slots\ used\ \ \d+\n
            reader\ slots\ {7}16384\n
            oldest\ reader\ {6}0\n
            changes\ since\ {6}0\n
            bytes\ it\ keeps\ {5}0\n\z/x
    ],
    [
        'stat --json', 0,
        qr/\A\{"driver":"lmdb","orgs":3,"users":2,"members":0,"tokens":3,
        "events":21,"lastEvent":21,"bytesUsed":[1-9]\d*,"bytesFree":[1-9]\d*,
        "bytesMax":17179869184,"readers":\d+,"readersMax":16384,
        "oldestReader":0,"oldestReaderAge":0,"oldestReaderBytes":0\}\n\z/x
    ],
);

# An organisation goes with all that is in it, and nothing else does.
my @end = (
    ['user add O2 U5 --machine',           0, ''],
    ['member add --org O2 U5 ORG_OWNER',   0, ''],
    ['member add --org O2 A1 ORG_OWNER',   0, ''],
    ['member add --org O3 A1 ORG_OWNER',   0, ''],
    ['org remove O2',                      1, '', qr/^userprofilectl: organisation 'O2' has users/],
    ['user remove O2 U5',                  0, ''],
    ['org remove O2',                      0, ''],
    ['org remove O2',                      1, '', "userprofilectl: there is no organisation 'O2'\n"],
    ['org list',                           0, "ID  NAME\nO1  Example\nO3  Third\n"],
    ['member list --org O3',               0, "USER  ROLES\nA1    ORG_OWNER\n"],
    ['user get O2 U5',                     1, '', qr/^userprofilectl: organisation 'O2' has no user 'U5'/],
    ['user add O3 U5 --machine',           0, ''],
    ['org add O2',                         0, ''],
    ['user list O2 --json',                0, ''],
    ['member list --org O2 --json',        0, ''],
    ['user list O3 --json',                0, qr/"U5","orgId":"O3","type":"machine","state":"active","sequence":"1"/],
);

for my $step (@steps, @end) {
    my ($arguments, $code, $out, $err) = @$step;
    my ($got_code, $got_out, $got_err) = ctl($store, split / /, $arguments);
    is($got_code, $code, $arguments) or diag($got_err);
    matches($got_out, $out, "$arguments: the output");
    next if !defined $err && $> == 0 && $arguments eq 'init';
    matches($got_err, $err // '', "$arguments: the standard error");
}

my @left = lines_of($store);
is_deeply([lines_of(store(@left))], \@left, 'what is left after organisations were removed can be imported');

# A user is erased: what nobody may keep is in no output, and not in the store
# that an export makes.
my $erased = store('{"org":{"id":"O1"}}');
ctl($erased, qw(user add O1 U1 --first-name Gigi --last-name Giraffe --nick-name Gig));
ctl($erased, qw(user add O1 U2 --first-name Ada --last-name Lovelace));
ctl($erased, qw(user set O1 U1 --nick-name Gigi));
ctl($erased, qw(user set O1 U2 --nick-name Ad));
ctl($erased, qw(member add U1 IAM_OWNER));
my $events = (ctl($erased, qw(events)))[1];
my @others = grep { /"U2"/ } split /\n/, (ctl($erased, qw(events --json)))[1];
is_deeply([ctl($erased, qw(user remove O1 U1 --erase))], [0, '', ''], 'user remove --erase succeeds');
my $after = join '', map { (ctl($erased, @$_))[1] } [qw(export --no-events)], [qw(events --json)];
unlike($after, qr/Gig|Giraffe/, 'nothing is left of the profile of an erased user, and of its events');
like($after, qr/"id":"U1".*"state":"removed","sequence":"3",.*"profile":\{"displayName":""\}/, 'the record of an erased user stays');
is((ctl($erased, 'events'))[1] =~ s/^[78] .*\n//mgr, $events, 'the events of an erased user still say who changed what and when');
is_deeply([grep { /^\{"event".*"U2"/ } split /\n/, $after], \@others, 'the events of others keep their values');
like((ctl($erased, 'events'))[1], qr/^7 .* user\.removed .* U1 .*\n8 .* user\.erased .* U1 /m,
    'the removal of an erased user is an event, and so is the erasure');
is((ctl($erased, qw(member list --json)))[1], '', 'an erased user has no rights');
is(export_of(store(split /\n/, export_of($erased))), export_of($erased), 'an erased user survives export and import, with the events');
is((ctl($erased, qw(user remove O1 U1)))[0], 1, 'an erased user is removed already');
is((ctl($erased, qw(user remove O1 U2)))[0], 0, 'another user is removed');
like((ctl($erased, qw(user get O1 U2)))[1], qr/Lovelace/, 'a removed user keeps the profile');
is((ctl($erased, qw(user remove O1 U2 --erase)))[0], 0, 'a removed user can be erased');
unlike(join('', map { (ctl($erased, @$_))[1] } ['export'], [qw(events --json)]), qr/Lovelace|"Ad"/,
    'nothing is left of a removed user that is erased');
is((ctl($erased, qw(user remove O1 U3 --erase)))[0], 1, 'a user that is not there cannot be erased');

# Tokens of one user, and tokens by their text.
my $tokens = store('{"org":{"id":"O1"}}');
my %text = map { my $user = $_; $user => [map { (ctl($tokens, qw(token add), $user))[1] =~ /(\S+)/ } 1 .. 2] } qw(U1 U2);
like((ctl($tokens, qw(token list --user U1 --json)))[1], qr/\A(?:.*"userId":"U1".*\n){2}\z/, 'token list --user lists the tokens of that user');
is((ctl($tokens, qw(token list --user U3 --json)))[1], '', 'token list --user of a user without tokens is empty');
is_deeply([ctl($tokens, qw(token revoke), $text{U2}[0])], [0, '', ''], 'token revoke takes the text of a token, and prints nothing');
my ($code, $out, $err) = ctl($tokens, qw(token revoke), $text{U2}[0]);
is($code, 1, 'a token is revoked by its text once');
unlike("$out$err", qr/\Q$text{U2}[0]\E/, 'token revoke does not print the text of a token');
is((ctl($tokens, qw(token revoke --user U1)))[0], 0, 'token revoke --user succeeds');
like((ctl($tokens, qw(token list --json)))[1], qr/\A.*"userId":"U2".*\n\z/, 'token revoke --user revokes all tokens of that user alone');
is_deeply([ctl($tokens, qw(token revoke --user U1))], [1, '', "userprofilectl: user 'U1' has no token\n"], 'token revoke --user of a user without tokens fails');

# A token that is listed is revoked by what the list shows.
my ($id) = (ctl($store, qw(token list)))[1] =~ /^([0-9a-f]{16}) /m;
is((ctl($store, qw(token revoke), $id))[0], 0, 'token revoke takes an id of token list');
unlike((ctl($store, qw(token list)))[1], qr/^$id/m, 'token revoke revokes that token');

done_testing;
