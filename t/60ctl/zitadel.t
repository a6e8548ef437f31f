# zitadel.t -- import --from zitadel: what is taken of an export, what is
# skipped, and what is said of a fault.
use strict;
use warnings;

use Ctl;
use Test::More;

# As ExportData answers; the values are made up.
my $export = <<'END';
{
  "orgs": [
    {
      "orgId": "104576754503713025",
      "org": {"name": "ACME"},
      "domainPolicy": {"orgId": "104576754503713025", "userLoginMustBeDomain": true},
      "projects": [{"projectId": "P1", "project": {"name": "Shop"}}, {"projectId": "P2"}],
      "projectRoles": [],
      "actions": null,
      "humanUsers": [
        {
          "userId": "104576754503713026",
          "user": {
            "userName": "gigi",
            "profile": {
              "firstName": "Gigi", "lastName": "Giraffe", "nickName": "Gig",
              "displayName": "Gigi G.", "preferredLanguage": "de", "gender": "GENDER_FEMALE"
            },
            "email": {"email": "gigi@acme.example", "isEmailVerified": true},
            "hashedPassword": {"value": "$2a$14$secret"},
            "otpCode": ""
          }
        },
        {
          "userId": "104576754503713027",
          "user": {
            "userName": "ada",
            "profile": {
              "firstName": "Ada", "lastName": "Lovelace", "displayName": "",
              "preferredLanguage": "und", "gender": 0, "pronoun": "she"
            },
            "email": {"email": "ada@acme.example"}
          }
        }
      ],
      "machineUsers": [
        {"userId": "104576754503713028", "user": {"userName": "ci", "name": "CI", "description": ""}}
      ],
      "orgMembers": [
        {"userId": "104576754503713026", "roles": ["ORG_OWNER", "ORG_USER_MANAGER"]},
        {"userId": "104576754503713028", "roles": []}
      ],
      "userMetadata": [{"id": "104576754503713026", "key": "k", "value": "dg=="}],
      "novelties": [1, 2, 3]
    },
    {"orgId": "O2", "org": {}, "orgMembers": [{"userId": "104576754503713026", "roles": ["ORG_OWNER"]}]}
  ]
}
END

# What is stored, without the dates.
sub stored {
    my ($store) = @_;
    return map { s/"(?:creationDate|changeDate)":"[^"]+",?//gr =~ s/,\}/}/gr } lines_of($store);
}

sub import_export {
    my ($store, $text, @options) = @_;
    return run($text, tool(), '-s', $store, qw(import - --from zitadel), @options);
}

my @stored = split /\n/, <<'END';
{"org":{"id":"104576754503713025","name":"ACME"}}
{"org":{"id":"O2"}}
{"user":{"id":"104576754503713026","orgId":"104576754503713025","type":"human","state":"active","sequence":"1","profile":{"firstName":"Gigi","lastName":"Giraffe","nickName":"Gig","displayName":"Gigi G.","preferredLanguage":"de","gender":"GENDER_FEMALE"}}}
{"user":{"id":"104576754503713027","orgId":"104576754503713025","type":"human","state":"active","sequence":"1","profile":{"firstName":"Ada","lastName":"Lovelace","displayName":"Ada Lovelace"}}}
{"user":{"id":"104576754503713028","orgId":"104576754503713025","type":"machine","state":"active","sequence":"1"}}
{"member":{"orgId":"104576754503713025","userId":"104576754503713026","roles":["ORG_OWNER","ORG_USER_MANAGER"]}}
{"member":{"orgId":"O2","userId":"104576754503713026","roles":["ORG_OWNER"]}}
END

# A dry run, and the import itself.
my $store = store();
my ($code, $out, $err) = import_export($store, $export, '--dry-run');
is($code, 0, 'a dry run of an export succeeds') or diag($err);
like($out, qr/^org +2 +0 +0 +0\nuser +3 +0 +0 +0\nmember +2 +0 +0 +0$/m, 'a dry run counts what an export would add');
is(scalar lines_of($store), 0, 'a dry run of an export changes nothing');
($code, $out, $err) = import_export($store, $export);
is($code, 0, 'an export of ZITADEL is imported') or diag($err);
like($out, qr/\Aimported 7 items in [\d.]+ s, \d+ items a second: 7 added, 0 changed, 0 unchanged\nSKIPPED +COUNT +WHY\n/,
    'the output counts the items');
is_deeply([stored($store)], \@stored, 'organisations, users and memberships are stored');
my %skipped = map { /^(\w+) +(\d+) +\S/ ? ($1 => $2) : () } split /\n/, $out =~ s/\A.*\n//r;
is_deeply(
    \%skipped,
    {
        domainPolicy => 1, projects => 2, userMetadata => 1, novelties => 3, pronoun => 1, orgMembers => 1,
        userName => 3, email => 2, hashedPassword => 1, name => 1
    },
    'what is skipped is counted by kinds, and what is empty is not'
);
like($out, qr/^projects +2 +projects and what belongs to them are not kept here$/m, 'the reason is said');
unlike($out . (ctl($store, qw(events --json)))[1], qr/secret|acme\.example|Giraffe/, 'no value is printed');
like((ctl($store, 'events'))[1], qr/ store\.imported .* sha256=[0-9a-f]{64} added=7 /, 'the import is an event');

($code, $out) = import_export($store, $export);
like($out, qr/: 0 added, 0 changed, 7 unchanged$/m, 'an export that is imported again changes nothing');
ctl($store, qw(user set 104576754503713025 104576754503713026 --nick-name G));
($code, $out, $err) = import_export($store, $export);
is($code, 1, 'a user who was changed here is not overwritten');
like($err, qr/stopped at orgs\[0\]\.humanUsers\[0\] of '-'; the items before it are kept: user '104576754503713026' has the sequence 2 here/,
    'a user who was changed here is named by the path');

# The same in snake_case.
my $snake = $export =~ s/"([a-z]+[A-Z]\w*)":/'"' . $1 =~ s{([A-Z])}{_\l$1}gr . '":'/ger;
isnt($snake, $export, 'there are names in snake_case');
my $other = store();
($code, undef, $err) = import_export($other, $snake);
is($code, 0, 'an export in snake_case is imported') or diag($err);
is_deeply([stored($other)], \@stored, 'an export in snake_case gives the same');

# Faults.
my @faults = (
    ['', 'the export has no orgs', 'an empty file'],
    ['{}', 'the export has no orgs', 'an empty object'],
    ['[]', qr/^the JSON is not an object/, 'an array'],
    ['{"orgs":[', qr/^the JSON ends too early/, 'a file that is cut'],
    ['{"orgs":{}}', 'orgs must be an array', 'an object for the organisations'],
    ['{"orgs":[7]}', 'orgs[0] must be an object', 'a number for an organisation'],
    ['{"orgs":[{}]}', 'orgs[0] has no orgId', 'an organisation without an id'],
    ['{"orgs":[{"orgId":"O1"},{"orgId":7}]}', 'orgs[1].orgId must be a string', 'a number for an id'],
    ['{"orgs":[{"org_id":7}]}', 'orgs[0].org_id must be a string', 'a number for an id, in snake_case'],
    ['{"orgs":[{"orgId":"O1","org_id":"O1"}]}', 'orgs[0] has both orgId and org_id', 'both names'],
    ['{"orgs":[{"orgId":"O1","org":"x"}]}', 'orgs[0].org must be an object', 'a text for an object'],
    ['{"orgs":[{"orgId":"O1","org":{"name":1}}]}', 'orgs[0].org.name must be a string', 'a number for a name'],
    (
        map {
            my ($users, $why, $name) = @$_;
            [qq({"orgs":[{"orgId":"O1",$users}]}), $why, $name]
        } (
            ['"humanUsers":7', 'orgs[0].humanUsers must be an array', 'a number for the users'],
            ['"humanUsers":[null]', 'orgs[0].humanUsers[0] must be an object', 'null for a user'],
            ['"humanUsers":[{"user":{}}]', 'orgs[0].humanUsers[0] has no userId', 'a user without an id'],
            ['"humanUsers":[{"userId":"U"}]', 'orgs[0].humanUsers[0] has no user', 'a human without anything'],
            [
                '"humanUsers":[{"userId":"U","user":{}}]', 'orgs[0].humanUsers[0].user has no profile',
                'a human without a profile'
            ],
            [
                '"humanUsers":[{"userId":"U","user":{"profile":{"firstName":7}}}]',
                'orgs[0].humanUsers[0].user.profile.firstName must be a string', 'a number for a first name'
            ],
            [
                '"human_users":[{"user_id":"U","user":{"profile":{"first_name":[]  ,"last_name":true}}}]',
                'orgs[0].human_users[0].user.profile.last_name must be a string', 'true for a last name, in snake_case'
            ],
            [
                '"humanUsers":[{"userId":"U","user":{"profile":{"gender":1.5}}}]',
                'orgs[0].humanUsers[0].user.profile.gender must be a name or a 32-bit integer', 'a fraction for a gender'
            ],
            ['"machineUsers":[{"userId":""},7]', 'orgs[0].machineUsers[1] must be an object', 'a number for a machine'],
            ['"orgMembers":[{"roles":["R"]}]', 'orgs[0].orgMembers[0] has no userId', 'a member without a user'],
            [
                '"orgMembers":[{"userId":"U","roles":["R",7]}]', 'orgs[0].orgMembers[0].roles[1] must be a string',
                'a number for a role'
            ],
        )
    ),
);
for my $row (@faults) {
    my ($text, $why, $name) = @$row;
    my ($code, $out, $err) = import_export($other, $text);
    is($code, 1, "$name is an error");
    my ($said) = $err =~ /\Auserprofilectl: cannot import '-': (.*)\n\z/;
    ref $why ? like($said, $why, "$name: the message says where and what") : is($said, $why, "$name: the message says where and what");
}
is_deeply([stored($other)], \@stored, 'an export with a fault changes nothing');

# What the checks of every item refuse.
my @refused = (
    ['"humanUsers":[{"userId":"","user":{"profile":{"firstName":"F","lastName":"L"}}}]', 'orgs[0].humanUsers[0]', qr/the id of a user must be/],
    ['"humanUsers":[{"userId":"U","user":{"profile":{"lastName":"L"}}}]', 'orgs[0].humanUsers[0]', qr/firstName: value length/],
    ['"humanUsers":[{"userId":"U","user":{"profile":{"firstName":"F","lastName":"L","gender":"X"}}}]', 'orgs[0].humanUsers[0]', qr/gender/],
    ['"orgMembers":[{"userId":"U","roles":["a b"]}]', 'orgs[0].orgMembers[0]', qr/a role of user 'U' must be/],
);
for my $row (@refused) {
    my ($member, $path, $why) = @$row;
    my $text = qq({"orgs":[{"orgId":"O9",$member}]});
    my ($code, $out, $err) = import_export(store(), $text);
    is($code, 1, "$why: is refused");
    like($err, qr/ stopped at \Q$path\E of '-'; the items before it are kept: .*$why/, "$why: is named by its path");
    ($code, $out) = import_export(store(), $text, '--dry-run');
    like($out, qr/\A\Q$path\E: .*$why/, "$why: a dry run names the path too");
}

my $long = spew(folder() . '/long', '');
truncate $long, 256 * 1024 * 1024 + 1 or die "truncate: $!\n";
($code, undef, $err) = ctl($store, 'import', $long, qw(--from zitadel));
is($code, 1, 'an export that is too long is an error');
is($err, "userprofilectl: '$long' is longer than 256 MiB\n", 'an export that is too long: the message says so');
is((run('', 'sh', '-c', 'cat "$0" | "$@"', spew(folder() . '/export', $export), tool(), '-s', store(), qw(import - --from zitadel)))[0],
    0, 'an export is read from a pipe');

is((ctl($store, qw(import - --from ldap)))[0], 2, 'another source is misuse');

done_testing;
