# What a PUT accepts, refuses, stores and answers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UserProfile;

my $site = site();
my $user = human($site, nickName => 'Gi', gender => 'GENDER_FEMALE');
my %auth = (bearer($site), 'Content-Type' => 'application/json');
my $path = PROFILES . "/$user/profile";

my %names = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');

sub put {
    my ($body, %header) = @_;
    return request(PUT => $path, { %auth, %header }, $body);
}

sub stored {
    return decode(request(GET => $path, {%auth}))->{profile};
}

# A change, to the byte.
my $date = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}(?:\d{3})?)?Z/;
my $got = put({%names});
is $got->code, 200, 'a change is 200';
like $got->content,
    qr/\A\{"details":\{"sequence":"2","creationDate":"$date","changeDate":"$date","resourceOwner":"$site->{org}"\}\}\z/,
    'a change answers the details';
is $got->header('ETag'),                   '"2"',              'ETag';
is $got->header('Content-Type'),           'application/json', 'Content-Type';
is $got->header('Cache-Control'),          'no-store',         'Cache-Control';
is $got->header('X-Content-Type-Options'), 'nosniff', 'X-Content-Type-Options';
is_deeply stored(), { %names, preferredLanguage => 'und' },
    'a PUT replaces all fields: those that are absent are cleared';

$got = put({%names});
is $got->code, 400, 'the same again is refused';
is reason($got), 'PROFILE_NOT_CHANGED', 'the same again: PROFILE_NOT_CHANGED';
is $got->content,
    '{"code":9,"message":"Profile not changed (COMMAND-2M0fs)","details":['
    . '{"@type":"type.googleapis.com/zitadel.v1.ErrorDetail","id":"COMMAND-2M0fs","message":"Profile not changed"},'
    . '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"PROFILE_NOT_CHANGED","domain":"userprofile"}]}',
    'the same again: the body, to the byte';

# Accepted: what, body, what is stored besides the names.
my @accepted = (
    ['field names as in the .proto file', '{"first_name":"P","last_name":"Q","display_name":"R","nick_name":"S","preferred_language":"de"}',
        { firstName => 'P', lastName => 'Q', displayName => 'R', nickName => 'S', preferredLanguage => 'de' }],
    ['null for an absent field', '{"firstName":"A","lastName":"B","displayName":"C","nickName":null,"gender":null}',
        { firstName => 'A', lastName => 'B', displayName => 'C' }],
    ['unknown members at any depth', '{"firstName":"A2","lastName":"B","displayName":"C","x":{"y":[{"z":1}]},"n":123456789012345678901234567890}',
        { firstName => 'A2', lastName => 'B', displayName => 'C' }],
    ['a gender by name', '{"firstName":"A","lastName":"B","displayName":"C","gender":"GENDER_DIVERSE"}',
        { firstName => 'A', lastName => 'B', displayName => 'C', gender => 'GENDER_DIVERSE' }],
    ['a gender by number', '{"firstName":"A","lastName":"B","displayName":"C","gender":1}',
        { firstName => 'A', lastName => 'B', displayName => 'C', gender => 'GENDER_FEMALE' }],
    ['a gender as 2.0', '{"firstName":"A","lastName":"B","displayName":"C","gender":2.0}',
        { firstName => 'A', lastName => 'B', displayName => 'C', gender => 'GENDER_MALE' }],
    ['a userId in the body, overridden by the path', '{"userId":"other","firstName":"A3","lastName":"B","displayName":"C"}',
        { firstName => 'A3', lastName => 'B', displayName => 'C' }],
    ['a name of one blank', '{"firstName":" ","lastName":" ","displayName":" "}',
        { firstName => ' ', lastName => ' ', displayName => ' ' }],
    ['a language tag in another case', '{"firstName":"A","lastName":"B","displayName":"C","preferredLanguage":"DE_ch"}',
        { firstName => 'A', lastName => 'B', displayName => 'C', preferredLanguage => 'de-CH' }],
    ['und for no language', '{"firstName":"A4","lastName":"B","displayName":"C","preferredLanguage":"und"}',
        { firstName => 'A4', lastName => 'B', displayName => 'C' }],
    ['escaped characters', '{"firstName":"\u00e9\ud83d\ude00","lastName":"B","displayName":"C\n\"\\\\"}',
        { firstName => "\x{e9}\x{1f600}", lastName => 'B', displayName => "C\n\"\\" }],
    ['100 levels of nesting', '{"firstName":"A5","lastName":"B","displayName":"C","x":' . '[' x 99 . ']' x 99 . '}',
        { firstName => 'A5', lastName => 'B', displayName => 'C' }],
);
for my $case (@accepted) {
    my ($what, $body, $want) = @$case;
    is put($body)->code, 200, "$what is accepted";
    is_deeply stored(), { preferredLanguage => 'und', %$want }, "$what: what is stored";
}

# 1 to 4 bytes a character: 200 are accepted, 201 are not.
for my $char ("a", "\x{e9}", "\x{20ac}", "\x{1f600}") {
    my $name = sprintf 'U+%04X', ord $char;
    is put({ %names, firstName => $char x 200 })->code, 200, "a name of 200 characters $name is accepted";
    is reason(put({ %names, firstName => $char x 201 })), 'FIELD_INVALID', "a name of 201 characters $name is refused";
}

# Refused, with nothing changed: what, body, reason.
my $before = stored();
my $nul = '{"firstName":"a' . "\0" . '"}';
my @refused = (
    ['an empty body',              '',                                          'FIELD_INVALID'],
    ['a body of blanks',           " \n ",                                      'FIELD_INVALID'],
    ['an empty object',            '{}',                                        'FIELD_INVALID'],
    ['a cut object',               '{"firstName":"A"',                          'BODY_INVALID'],
    ['a cut string',               '{"firstName":"A',                           'BODY_INVALID'],
    ['an array',                   '[]',                                        'BODY_INVALID'],
    ['a string',                   '"x"',                                       'BODY_INVALID'],
    ['null',                       'null',                                      'BODY_INVALID'],
    ['data after the object',      '{} {}',                                     'BODY_INVALID'],
    ['not JSON',                   'hello',                                     'BODY_INVALID'],
    ['a member twice',             '{"firstName":"A","firstName":"B"}',         'BODY_INVALID'],
    ['a member in both spellings', '{"firstName":"A","first_name":"B"}',        'BODY_INVALID'],
    ['an unknown member twice',    '{"x":1,"x":2}',                             'BODY_INVALID'],
    ['a number for a name',        '{"firstName":1}',                           'BODY_INVALID'],
    ['an object for a name',       '{"firstName":{}}',                          'BODY_INVALID'],
    ['a number for userId',        '{"userId":1}',                              'BODY_INVALID'],
    ['invalid UTF-8',              "{\"firstName\":\"\xff\"}",                  'BODY_INVALID'],
    ['UTF-8 in an overlong form',  "{\"firstName\":\"\xc0\x80\"}",              'BODY_INVALID'],
    ['a lone surrogate',           '{"firstName":"\ud800"}',                    'BODY_INVALID'],
    ['an escaped NUL',             '{"firstName":"\u0000"}',                    'BODY_INVALID'],
    ['a NUL byte',                 $nul,                                        'BODY_INVALID'],
    ['3,000 levels of nesting',    '{"x":' . '[' x 3000 . ']' x 3000 . '}',     'BODY_INVALID'],
    ['a gender of 1.5',            '{"gender":1.5}',                            'BODY_INVALID'],
    ['a gender of 2^31',           '{"gender":2147483648}',                     'BODY_INVALID'],
    ['true for a gender',          '{"gender":true}',                           'BODY_INVALID'],
);
for my $case (@refused) {
    my ($what, $body, $reason) = @$case;
    my $got = put($body);
    is $got->code, 400, "$what: 400";
    is reason($got), $reason, "$what: $reason";
    unlike decode($got)->{message}, qr/hello/, "$what: the body is not quoted";
}

# Fields: which, value, the rest of the message.
my $names_rule = 'value length must be between 1 and 200 runes, inclusive';
my @fields = (
    [firstName => '', $names_rule],
    [lastName => '', $names_rule],
    [displayName => '', $names_rule],
    [firstName => 'x' x 201, $names_rule],
    [nickName => 'x' x 201, 'value length must be at most 200 runes'],
    [preferredLanguage => 'x' x 11, 'value length must be at most 10 runes'],
    [preferredLanguage => 'english', 'value must be a BCP 47 language tag'],
    [preferredLanguage => 'en-a', 'value must be a BCP 47 language tag'],
    [preferredLanguage => '-en', 'value must be a BCP 47 language tag'],
    [preferredLanguage => 'en--US', 'value must be a BCP 47 language tag'],
    [preferredLanguage => '12', 'value must be a BCP 47 language tag'],
    [gender => 'GENDER_OTHER', 'value must be one of the defined enum values'],
    [gender => 4, 'value must be one of the defined enum values'],
    [gender => -1, 'value must be one of the defined enum values'],
    [gender => 2147483647, 'value must be one of the defined enum values'],
);
for my $case (@fields) {
    my ($field, $value, $rule) = @$case;
    my $got = decode(put({ %names, $field => $value }));
    is $got->{message}, 'invalid UpdateHumanProfileRequest.' . ucfirst($field) . ": $rule",
        substr("$field = $value", 0, 40);
    is_deeply $got->{details}[-1],
        { '@type' => 'type.googleapis.com/google.rpc.BadRequest',
          fieldViolations => [{ field => $field, description => $rule }] },
        "$field at fault: its BadRequest";
}
my $all = decode(put({ nickName => 'x' x 201, preferredLanguage => '12', gender => 9 }));
is_deeply [map { $_->{field} } @{ $all->{details}[1]{fieldViolations} }],
    [qw(firstName lastName nickName displayName preferredLanguage gender)],
    'every field at fault is named, in field order';
is_deeply stored(), $before, 'no refused PUT changed anything';

# Range is for GET. What was changed is not refused for it, nor its answer cut.
for my $range ('bytes=0-3', 'bytes=9000-') {
    my $got = put({ %names, nickName => $range }, Range => $range);
    is $got->code, 200, "PUT with Range: $range is 200";
    is $got->header('Content-Range'), undef, "PUT with Range: $range has no Content-Range";
    like $got->content, qr/\A\{"details":\{.*\}\}\z/, "PUT with Range: $range has the whole body";
}

# Whom: id, reason.
my $machine = "machine-$$";
fill({ user => { id => $machine, orgId => $site->{org}, type => 'machine' } });
my $other = human(site());
my %states;
for my $state (qw(inactive locked initial removed)) {
    $states{$state} = human($site);
    fill({ user => { id => $states{$state}, orgId => $site->{org}, type => 'human', state => $state,
                     profile => { firstName => 'S', lastName => 'T', displayName => 'S T' } } });
}
my @whom = (
    ['an unknown user',                'nobody',                    'PROFILE_NOT_FOUND'],
    ['a user of another organisation', $other,                      'PROFILE_NOT_FOUND'],
    ['a machine',                      $machine,                    'PROFILE_NOT_FOUND'],
    ['a removed user',                 $states{removed},            'PROFILE_NOT_FOUND'],
    ['a locked user',                  $states{locked},             ''],
    ['an inactive user',               $states{inactive},           ''],
    ['an initial user',                $states{initial},            ''],
    ['an id of 200 characters',        'x' x 200,                   'PROFILE_NOT_FOUND'],
    ['an id of 201 characters',        'x' x 201,                   'FIELD_INVALID'],
    ['200 four-byte characters',       '%F0%9F%98%80' x 200,        'PROFILE_NOT_FOUND'],
    ['201 four-byte characters',       '%F0%9F%98%80' x 201,        'FIELD_INVALID'],
    ['an id that is not UTF-8',        '%FF',                       'PROFILE_NOT_FOUND'],
    ['an id with a control character', 'a%01b',                     'PROFILE_NOT_FOUND'],
);
for my $case (@whom) {
    my ($what, $id, $reason) = @$case;
    is reason(request(PUT => PROFILES . "/$id/profile", {%auth}, { %names })), $reason, $what;
}

done_testing;
