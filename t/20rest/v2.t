# The v2 user service: GET and PATCH of /v2/users/{id}, PUT of
# /v2/users/human/{id}.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use UserProfile;

my $json = JSON::PP->new->utf8;
my $v2   = '/api/v2/users';
my $site = site();
my $far  = site();      # another organisation
my %auth = bearer($site);
my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6})?Z/;
my %ours = ('cache-control' => 'no-store', 'content-type' => 'application/json', 'x-content-type-options' => 'nosniff');
my %names = (givenName => 'Gigi', familyName => 'Giraffe');

# A user of $site as the import has it: its id.
my $count = 0;
sub stored {
    my ($site, %user) = @_;
    my $id   = "v2-$$-" . ++$count;
    my $line = UserProfile::user($site->{org}, $id, %{ delete $user{profile} || {} });
    delete $line->{user}{profile} if ($user{type} // '') eq 'machine';
    $line->{user} = { %{ $line->{user} }, %user };
    fill($line);
    return $id;
}

sub profile_of {
    my ($id) = @_;
    my $got = request(GET => "$v2/$id", { bearer($site) });
    return decode($got)->{user}{human}{profile};
}

sub sequence_of {
    my ($id) = @_;
    return decode(request(GET => "$v2/$id", { bearer($site) }))->{details}{sequence};
}

# How many events there are of $id.
sub events_of {
    my ($id) = @_;
    my (undef, $events) = ctl('events', '--json');
    return scalar grep { /"userId":"$id"/ } split /\n/, $events;
}

# Answers, to the byte.
my $id   = stored($site, profile => { nickName => 'Gi', preferredLanguage => 'de-CH', gender => 'GENDER_FEMALE' });
my @line = map { "$_: $auth{$_}" } keys %auth;
my ($status, $header, $body) = plain_request('GET', "$v2/$id", @line);
is $status, 200, 'a user is read';
my $details = qr/\{"sequence":"(\d+)","changeDate":"($time)","resourceOwner":"$site->{org}","creationDate":"($time)"\}/;
like $body, qr/^\{"details":$details,"user":\{"userId":"$id","details":$details,"state":"USER_STATE_ACTIVE","human":\{"profile":\{"givenName":"Gigi","familyName":"Giraffe","nickName":"Gi","displayName":"Gigi Giraffe","preferredLanguage":"de-CH","gender":"GENDER_FEMALE"\}\}\}\}$/,
    'and answered in this form, to the byte';
$body =~ /"details":(\{[^}]*\}),"user".*"details":(\{[^}]*\})/;
is $1, $2, 'with the same details twice';
is_deeply $header, { %ours, etag => '"1"', 'content-length' => length $body }, 'and its headers';
is_deeply [plain_request('HEAD', "$v2/$id", @line)], [200, $header, ''], 'HEAD has the headers of GET and no body';

my $bare = stored($site);
like request(GET => "$v2/$bare", {%auth})->content,
    qr/"human":\{"profile":\{"givenName":"Gigi","familyName":"Giraffe","nickName":"","displayName":"Gigi Giraffe","preferredLanguage":"und","gender":"GENDER_UNSPECIFIED"\}\}\}\}$/,
    'what is empty is there all the same';
my $machine = stored($site, type => 'machine');
like request(GET => "$v2/$machine", {%auth})->content,
    qr/"user":\{"userId":"$machine","details":$details,"state":"USER_STATE_ACTIVE","machine":\{\}\}\}$/, 'a machine is one, to the byte';
for my $state (qw(active inactive locked initial)) {
    my $id = stored($site, state => $state);
    is decode(request(GET => "$v2/$id", {%auth}))->{user}{state}, 'USER_STATE_' . uc $state, "the state of a user who is $state";
    is request(PATCH => "$v2/$id", {%auth}, { human => { profile => { nickName => 'N' } } })->code, 200, 'who is updated like any other';
}

my $put = request(PUT => "$v2/human/$id", {%auth}, { profile => { %names, nickName => 'New' } });
is $put->code, 200, 'UpdateHumanUser';
like $put->content, qr/^\{"details":\{"sequence":"2","changeDate":"$time","resourceOwner":"$site->{org}","creationDate":"$time"\}\}$/,
    'UpdateHumanUser answers the details, to the byte';
is $put->header('ETag'), '"2"', 'and the ETag';
my $patch = request(PATCH => "$v2/$id", {%auth}, { human => { profile => { nickName => 'Newer' } } });
is $patch->code, 200, 'UpdateUser';
like $patch->content, qr/^\{"changeDate":"$time"\}$/, 'UpdateUser answers the time of the change, to the byte';
is $patch->header('ETag'), '"3"', 'and the ETag';
is_deeply profile_of($id), { %names, nickName => 'Newer', displayName => 'Gigi Giraffe', preferredLanguage => 'de-CH',
    gender => 'GENDER_FEMALE' }, 'both keep what they do not name';

# What each update makes of a user who has everything: method, body, what differs.
my %all = (%names, nickName => 'Gi', displayName => 'Gigi Giraffe', preferredLanguage => 'de', gender => 'GENDER_MALE');
my $umlaut = 'ä' x 200;
my @updates = (
    ['UpdateHumanUser that names both names',       PUT => { profile => {%names} }, {}],
    ['UpdateHumanUser of a nickName',               PUT => { profile => { %names, nickName => 'N' } }, { nickName => 'N' }],
    ['UpdateHumanUser clears the nickName by ""',   PUT => { profile => { %names, nickName => '' } }, { nickName => '' }],
    ['UpdateHumanUser clears the displayName by ""', PUT => { profile => { %names, displayName => '' } }, { displayName => '' }],
    ['UpdateHumanUser makes the language und by ""', PUT => { profile => { %names, preferredLanguage => '' } }, { preferredLanguage => 'und' }],
    ['UpdateHumanUser makes the language und by und', PUT => { profile => { %names, preferredLanguage => 'und' } }, { preferredLanguage => 'und' }],
    ['UpdateHumanUser of gender 0',                 PUT => { profile => { %names, gender => 0 } }, { gender => 'GENDER_UNSPECIFIED' }],
    ['UpdateHumanUser of gender by name',           PUT => { profile => { %names, gender => 'GENDER_UNSPECIFIED' } }, { gender => 'GENDER_UNSPECIFIED' }],
    ['UpdateHumanUser of gender by number',         PUT => { profile => { %names, gender => 3 } }, { gender => 'GENDER_DIVERSE' }],
    ['UpdateHumanUser with null for what is kept',  PUT => { profile => { %names, map { $_ => undef } qw(nickName displayName preferredLanguage gender) } }, {}],
    ['UpdateHumanUser with null for the profile',   PUT => { profile => undef }, {}],
    ['UpdateHumanUser without a profile',           PUT => {}, {}],
    ['UpdateHumanUser with null for what it has no place for', PUT => { profile => {%names}, map { $_ => undef } qw(username email phone password) }, {}],
    ['UpdateHumanUser of all',                      PUT => { profile => { givenName => 'A', familyName => 'B', nickName => 'C', displayName => 'D', preferredLanguage => 'zh_hans_cn', gender => 1 } },
        { givenName => 'A', familyName => 'B', nickName => 'C', displayName => 'D', preferredLanguage => 'zh-Hans-CN', gender => 'GENDER_FEMALE' }],
    ['UpdateHumanUser in snake_case',               PUT => { profile => { given_name => 'A', family_name => 'B', nick_name => 'C', display_name => 'D', preferred_language => 'EN' } },
        { givenName => 'A', familyName => 'B', nickName => 'C', displayName => 'D', preferredLanguage => 'en' }],
    ['UpdateHumanUser of 200 letters of two bytes', PUT => { profile => { givenName => $umlaut, familyName => $umlaut, nickName => $umlaut, displayName => $umlaut } },
        { givenName => $umlaut, familyName => $umlaut, nickName => $umlaut, displayName => $umlaut }],
    ['UpdateHumanUser with unknown members',        PUT => { profile => { %names, middleName => [{}], nickName => 'N' }, more => 1 }, { nickName => 'N' }],
    (map { ["UpdateUser of $_ alone", PATCH => { human => { profile => { $_ => 'A' } } }, { $_ => 'A' }] }
        qw(givenName familyName nickName displayName)),
    ['UpdateUser of the language alone',            PATCH => { human => { profile => { preferredLanguage => 'FR_ca' } } }, { preferredLanguage => 'fr-CA' }],
    ['UpdateUser to und',                           PATCH => { human => { profile => { preferredLanguage => 'und' } } }, { preferredLanguage => 'und' }],
    ['UpdateUser of gender 0',                      PATCH => { human => { profile => { gender => 0 } } }, { gender => 'GENDER_UNSPECIFIED' }],
    ['UpdateUser of gender 1e0',                    PATCH => '{"human":{"profile":{"gender":1e0}}}', { gender => 'GENDER_FEMALE' }],
    ['UpdateUser in snake_case',                    PATCH => { human => { profile => { given_name => 'A', preferred_language => 'it' } } }, { givenName => 'A', preferredLanguage => 'it' }],
    ['UpdateUser of an empty human',                PATCH => { human => {} }, {}],
    ['UpdateUser of an empty profile',              PATCH => { human => { profile => {} } }, {}],
    ['UpdateUser with null for the profile',        PATCH => { human => { profile => undef } }, {}],
    ['UpdateUser with null for each field',         PATCH => { human => { profile => { map { $_ => undef } keys %all } } }, {}],
    ['UpdateUser with metadata: []',                PATCH => { human => { profile => { nickName => 'N' } }, metadata => [] }, { nickName => 'N' }],
    ['UpdateUser with null for what it has no place for', PATCH =>
        { human => { profile => { nickName => 'N' }, map { $_ => undef } qw(email phone password) }, map { $_ => undef } qw(username machine metadata) }, { nickName => 'N' }],
    ['UpdateUser with unknown members',             PATCH => { human => { profile => { nickName => 'N', x => 1 }, x => 1 }, x => 1 }, { nickName => 'N' }],
    ['UpdateUser of what is the same',              PATCH => { human => { profile => { nickName => 'Gi', gender => 'GENDER_MALE' } } }, {}],
    ['UpdateUser of a blank',                       PATCH => { human => { profile => { nickName => ' ' } } }, { nickName => ' ' }],
    ['UpdateUser of 200 letters of two bytes',      PATCH => { human => { profile => { nickName => $umlaut } } }, { nickName => $umlaut }],
);
for my $case (@updates) {
    my ($what, $method, $body, $change) = @$case;
    my $id   = stored($site, profile => { firstName => 'Gigi', lastName => 'Giraffe', map { $_ => $all{$_} } qw(nickName displayName preferredLanguage gender) });
    my $path = $method eq 'PUT' ? "$v2/human/$id" : "$v2/$id";
    my ($before) = request(GET => "$v2/$id", {%auth})->content =~ /"changeDate":"([^"]*)"/;
    my $got = request($method => $path, { %auth, 'Content-Type' => 'application/json' }, ref $body ? encode_utf8(JSON::PP->new->encode($body)) : $body);
    is $got->code, 200, "$what: 200" or diag $got->content;
    is_deeply profile_of($id), { %all, %$change }, "$what: what differs is what was named";
    my $sequence = %$change ? 2 : 1;
    is $got->header('ETag'), qq("$sequence"), "$what: the ETag";
    is events_of($id), $sequence - 1, "$what: " . ($sequence - 1) . ' events';
    my ($said) = $got->content =~ /"changeDate":"([^"]*)"/;
    is $said, $before, "$what: the time of the last change stays" if !%$change;
}

# The id in the path counts, not the body's.
my ($one, $two) = (stored($site), stored($site));
is request(PATCH => "$v2/$one", {%auth}, { userId => $two, human => { profile => { nickName => 'of the path' } } })->code, 200,
    'an id in the body';
is profile_of($one)->{nickName}, 'of the path', 'does not matter';
is profile_of($two)->{nickName}, '', 'and names nobody';
is request(PUT => "$v2/human/$one", {%auth}, { user_id => $two, profile => { %names, nickName => 'again' } })->code, 200, 'in snake_case too';
is profile_of($one)->{nickName}, 'again', 'the same';
is reason(request(PATCH => "$v2/$one", {%auth}, { userId => 7, human => {} })), 'BODY_INVALID', 'but it must be a string';

# Bodies that are no message: what, method, body, the message or what it is like.
for my $case (
    ['two types',                    '{"human":{},"machine":{}}',              qr/machine excludes another member that is there/],
    ['two types, the other way',     '{"machine":{},"human":{}}',              qr/excludes another member that is there/],
    ['a human that is a text',       '{"human":"x"}',                          qr/^human must be an object$/],
    ['a profile that is a list',     '{"human":{"profile":[]}}',               qr/^human\.profile must be an object$/],
    ['a name that is a number',      '{"human":{"profile":{"givenName":1}}}',  qr/^human\.profile\.givenName must be a string$/],
    ['a name that is true',          '{"human":{"profile":{"nickName":true}}}', qr/^human\.profile\.nickName must be a string$/],
    ['a gender that is a fraction',  '{"human":{"profile":{"gender":1.5}}}',   qr/^human\.profile\.gender must be /],
    ['a gender of 33 bits',          '{"human":{"profile":{"gender":4294967296}}}', qr/^human\.profile\.gender must be /],
    ['a gender that is an object',   '{"human":{"profile":{"gender":{}}}}',    qr/^human\.profile\.gender must be /],
    ['metadata that is no list',     '{"human":{},"metadata":{}}',             qr/^metadata must be an array$/],
    ['metadata of texts',            '{"human":{},"metadata":["x"]}',          qr/^metadata\[0\] must be an object$/],
    ['metadata with null',           '{"human":{},"metadata":[null]}',         qr/^metadata\[0\] must be an object$/],
    ['an email that is a text',      '{"human":{"email":"x"}}',                qr/^human\.email must be an object$/],
    ['both spellings',               '{"human":{"profile":{"nickName":"a","nick_name":"b"}}}', qr/^human\.profile\.nickName occurs twice/],
    ['a member twice',               '{"human":{},"human":{}}',                qr/line 1/],
    ['NUL',                          '{"human":{"profile":{"nickName":"a\u0000"}}}', qr/./],
    ['a lone surrogate',             '{"human":{"profile":{"nickName":"\ud800"}}}',  qr/./],
    ['bytes that are not UTF-8',     "{\"human\":{\"profile\":{\"nickName\":\"\xff\"}}}", qr/./],
    ['data after it',                '{"human":{}} {}',                        qr/./],
    ['a cut message',                '{"human":{"profile":{',                  qr/line 1/],
    ['a list',                       '[]',                                     qr/./],
    )
{
    my ($what, $text, $message) = @$case;
    my $got = request(PATCH => "$v2/$one", { %auth, 'Content-Type' => 'application/json' }, $text);
    is $got->code, 400, "$what: 400";
    is reason($got), 'BODY_INVALID', "$what: BODY_INVALID";
    like decode($got)->{message}, $message, "$what: the message says where";
}
is sequence_of($one), 3, 'none of which changed anything';
for my $depth (100, 3000) {
    my $got = request(PATCH => "$v2/$one", {%auth}, '{"human":{},"x":' . '[' x $depth . ']' x $depth . '}');
    is $got->code, $depth == 100 ? 200 : 400, "$depth levels: " . $got->code;
}

# Paths, methods, media types.
for my $case (
    ["/v2/users/$one",       'GET, HEAD, PATCH', qw(POST PUT DELETE OPTIONS)],
    ["/v2/users/human/$one", 'PUT',              qw(GET HEAD POST PATCH DELETE OPTIONS)],
    )
{
    my ($path, $allow, @methods) = @$case;
    for my $method (@methods) {
        my ($status, $header, $body) = plain_request($method, "/api$path", @line, 'Content-Length: 0');
        is $status, 405, "$method $path: 405";
        is $header->{allow}, $allow, "$method $path: Allow";
    }
}
is decode(request(GET => "$v2/human", {%auth}))->{code}, 5, 'a user may have the id human';
for my $path ('/v2/users', '/v2/users/', "/v2/users/$one/", "/v2/users/$one/profil", '/v2/users/human/', "/v2/users/human/$one/x",
    "/v2/user/$one", "/v2/users/machine/$one", "/V2/users/$one", "/v2beta/users/$one") {
    my $got = request(GET => "/api$path", {%auth});
    is $got->code, 404, "$path is none of ours: 404";
    like $got->content, qr/<title>404/, "$path is none of ours: Apache's page";
}
for my $type ('text/plain', 'application/proto', 'application/merge-patch+json', 'application/connect+proto') {
    is request(PATCH => "$v2/$one", { %auth, 'Content-Type' => $type }, '{"human":{}}')->code, 415, "$type: 415 to PATCH";
    is request(PUT => "$v2/human/$one", { %auth, 'Content-Type' => $type }, '{}')->code, 415, "$type: 415 to PUT";
    is request(GET => "$v2/$one", { %auth, 'Content-Type' => $type })->code, 200, "$type: a GET does not mind";
}
is request(PATCH => "$v2/$one", { %auth, 'Content-Type' => 'Application/JSON; charset=x' }, '{"human":{}}')->code, 200, 'JSON in another case';
is request(PATCH => "$v2/$one", {%auth}, '{"human":{}}')->code, 200, 'no type is JSON';

# Preconditions: method, header, value, status. The user has sequence 1, and the
# updates would change it.
for my $case (
    [GET => 'If-Match',      '"1"', 200], [GET => 'If-Match',      '*',        200], [GET => 'If-Match', '"2"', 412],
    [GET => 'If-None-Match', '"1"', 304], [GET => 'If-None-Match', 'W/"1"',    304], [GET => 'If-None-Match', '"2"', 200],
    [GET => 'If-None-Match', '*',   304], [GET => 'If-None-Match', '"1-gzip"', 304], [GET => 'If-None-Match', '1', 400],
    (map {
        my $method = $_;
        [$method => 'If-Match', '"1"', 200], [$method => 'If-Match', '"7", "1-br"', 200], [$method => 'If-Match', '*', 200],
        [$method => 'If-Match', '"2"', 412], [$method => 'If-Match', 'W/"1"', 412], [$method => 'If-Match', 'x', 400],
        [$method => 'If-None-Match', '"1"', 412], [$method => 'If-None-Match', '*', 412], [$method => 'If-None-Match', '"3"', 200],
        [$method => 'If-None-Match', 'x', 400],
    } qw(PUT PATCH)),
    )
{
    my ($method, $name, $value, $want) = @$case;
    my $id = stored($site);
    for my $nothing ($method eq 'GET' ? 0 : (0, 1)) {
        my $id   = stored($site);
        my %set  = $nothing ? %names : (%names, nickName => 'N');
        my $path = $method eq 'PUT' ? "$v2/human/$id" : "$v2/$id";
        my $got  = request($method => $path, { %auth, $name => $value },
            { GET => undef, PUT => { profile => \%set }, PATCH => { human => { profile => \%set } } }->{$method});
        is $got->code, $want, "$method with $name: $value" . ($nothing ? ', changing nothing' : '') . ": $want";
        is $got->header('ETag'), '"1"', 'with the ETag' if $want == 304;
        like $got->content, qr/^\{"code":10,"message":"the stored sequence is 1",/, 'in these words' if $want == 412;
        is sequence_of($id), $want == 200 && !$nothing && $method ne 'GET' ? 2 : 1, 'and this is made of it';
    }
}

# Who may: permissions in the user's organisation, or the user itself.
my $remote = stored($far);
my %powers;
for my $role (qw(IAM_OWNER IAM_OWNER_VIEWER)) {
    my $who = "$role-$$";
    fill({ token => { userId => $who, token => $who } }, { member => { userId => $who, roles => [$role] } });
    $powers{$role} = { bearer($who) };
}
my $self = stored($far);
fill({ token => { userId => $self, token => $self } });
my %self  = bearer($self);
my $robot = stored($far, type => 'machine');
fill({ token => { userId => $robot, token => $robot } });
my %robot = bearer($robot);
my $turn = 0;
for my $case (
    # what                                                  place        headers              whom     GET PUT PATCH
    ['an owner of the organisation',                        '/api',      { bearer($far) },    $remote, 200, 200, 200],
    ['an owner, who names another organisation',            '/api',      { bearer($far), 'x-zitadel-orgid' => $site->{org} }, $remote, 200, 200, 200],
    ['an owner, who names none that exists',                '/api',      { bearer($far), 'x-zitadel-orgid' => 'none' },       $remote, 403, 403, 403],
    ['an owner of another organisation',                    '/api',      {%auth},             $remote, 404, 404, 404],
    ['an owner of another, who names the user\'s',          '/api',      { %auth, 'x-zitadel-orgid' => $far->{org} }, $remote, 404, 404, 404],
    ['an instance manager without the header',              '/api',      $powers{IAM_OWNER},  $remote, 200, 200, 200],
    ['an instance viewer without the header',               '/api',      $powers{IAM_OWNER_VIEWER}, $remote, 200, 403, 403],
    ['oneself',                                             '/api',      {%self},             $self,   200, 200, 200],
    ['oneself, who names another organisation',             '/api',      { %self, 'x-zitadel-orgid' => $site->{org} }, $self, 200, 200, 200],
    ['oneself where Self is Off',                           '/api/self/off',  {%self},        $self,   403, 403, 403],
    ['oneself where Self is Read',                          '/api/self/read', {%self},        $self,   200, 403, 403],
    ['oneself where Self is Write',                         '/api/self/write', {%self},       $self,   200, 200, 200],
    ['an owner where Self is Off',                          '/api/self/off',  { bearer($far) }, $remote, 200, 200, 200],
    ['an owner on itself where Self is Off',                '/api/self/off',  { bearer($far) }, $far->{admin}, 200, 200, 200],
    ['a user on another of its organisation',               '/api',      {%self},             $remote, 404, 404, 404],
    ['a user on another where Self is Off',                 '/api/self/off', {%self},         $remote, 404, 404, 404],
    ['a machine on itself',                                 '/api',      {%robot},            $robot,  200, 404, 404],
    ['a machine on another',                                '/api',      {%robot},            $remote, 404, 404, 404],
    ['a user whose id is oneself in another case',          '/api',      {%self},             uc $self, 404, 404, 404],
    )
{
    my ($what, $place, $headers, $whom, @want) = @$case;
    my @got = (
        request(GET => "$place/v2/users/$whom", $headers),
        request(PUT => "$place/v2/users/human/$whom", $headers, { profile => { %names, nickName => 'turn ' . ++$turn } }),
        request(PATCH => "$place/v2/users/$whom", $headers, { human => { profile => { nickName => 'turn ' . ++$turn } } }),
    );
    is_deeply [map { $_->code } @got], \@want, "$what: @want";
}

# A user that one has no part in is like one that does not exist, to the last byte
# of the whole answer.
my @unlike = (
    ['a user of another organisation',    $remote],
    ['a machine of another organisation', $robot],
    ['a removed user',                    stored($site, state => 'removed')],
    ['a removed user of another organisation', stored($far, state => 'removed')],
    ['a locked user of another organisation', stored($far, state => 'locked')],
    ['a id that cannot be stored',        'x' x 200],
    ['a id with a control character',     '%07'],
    ['a id that is not UTF-8',            '%ff'],
);
my $plain = stored($site);
fill({ token => { userId => $plain, token => $plain } });
my @bodies = (
    [GET   => '',       ''],
    [HEAD  => '',       ''],
    [PUT   => '/human', '{"profile":{"givenName":"A","familyName":"B"}}'],
    [PUT   => '/human', '{}'],
    [PUT   => '/human', '{"profile":{}}'],
    [PUT   => '/human', '{"email":{}}'],
    [PATCH => '',       '{"human":{"profile":{"nickName":"N"}}}'],
    [PATCH => '',       '{"human":{}}'],
    [PATCH => '',       '{"human":{"profile":{"nickName":""}}}'],
    [PATCH => '',       '{}'],
    [PATCH => '',       '{"metadata":[{}]}'],
);
for my $who ([owner => $site->{token}], ['nobody special' => $plain]) {
    for my $further ('', "If-Match: \"7\"\r\n", "If-None-Match: *\r\n", "x-zitadel-orgid: $far->{org}\r\n", "x-zitadel-orgid: $site->{org}\r\n") {
        my @differ;
        for my $body (@bodies) {
            my ($method, $path, $text) = @$body;
            my $whole = sub {
                my ($id) = @_;
                my $got = raw("$method $v2$path/$id HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer $who->[1]\r\n"
                    . $further . 'Content-Length: ' . length($text) . "\r\n\r\n$text");
                return $got =~ s/^Date: .*\r\n//mr;
            };
            my $unknown = $whole->("no-such-user-$$");
            like $unknown, qr{^HTTP/1\.1 (?:404|400|501) }, "$who->[0], $method $text: an error" unless $further;
            push @differ, map { "$method $_->[0] $text" } grep { $whole->($_->[1]) ne $unknown } @unlike;
        }
        is_deeply \@differ, [], "$who->[0] cannot tell users that are not its own from none" . ($further ? ', with ' . $further =~ s/\r\n//r : '');
    }
}

done_testing;
