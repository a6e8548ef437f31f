# What a GET and a HEAD answer, to the byte; which paths and ids are ours.
use strict;
use warnings;
use utf8;

use Encode qw(encode_utf8);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my $site = site();
my %auth = bearer($site);
my $org  = $site->{org};

sub path {
    my ($id) = @_;
    return PROFILES . "/$id/profile";
}

sub get {
    my ($path, %header) = @_;
    return request(GET => $path, { %auth, %header });
}

# A stored user; %user says what differs from the first below.
my $count = 0;

sub store_user {
    my (%user) = @_;
    my $id = "get-$$-" . ++$count;
    fill({
        user => {
            id           => $id,
            orgId        => $org,
            type         => 'human',
            sequence     => '7',
            creationDate => '2025-03-25T09:00:00.100Z',
            changeDate   => '2025-03-25T10:28:47.405123Z',
            profile      => {
                firstName => 'Gigi', lastName => 'Giraffe', displayName => 'G',
            },
            %user,
        }
    });
    return $id;
}

# To the byte: what, what is stored, the details but for the owner, the profile.
my $details =
    '"sequence":"7","creationDate":"2025-03-25T09:00:00.100Z","changeDate":"2025-03-25T10:28:47.405123Z"';
my $bare = '"firstName":"Gigi","lastName":"Giraffe","displayName":"G","preferredLanguage":"und"';
my @stored = (
    ['all fields set',
        { profile => { firstName => 'Gigi', lastName => 'Giraffe', nickName => 'Gi', displayName => 'G G', preferredLanguage => 'en', gender => 'GENDER_FEMALE' } },
        $details,
        '"firstName":"Gigi","lastName":"Giraffe","nickName":"Gi","displayName":"G G","preferredLanguage":"en","gender":"GENDER_FEMALE"'],
    ['empty fields are left out, und is not', {}, $details, $bare],
    ['the largest sequence', { sequence => '9223372036854775807' },
        $details =~ s/"7"/"9223372036854775807"/r, $bare],
    ['a time of whole seconds', { changeDate => '2025-03-25T10:28:47Z' },
        $details =~ s/\.405123//r, $bare],
    ['a time with milliseconds', { changeDate => '2025-03-25T10:28:47.405Z' },
        $details =~ s/\.405123/.405/r, $bare],
    ['the last microsecond of a year', { changeDate => '2025-12-31T23:59:59.999999Z' },
        $details =~ s/2025-03-25T10:28:47.405123/2025-12-31T23:59:59.999999/r, $bare],
    ['a time with one microsecond', { changeDate => '2025-03-25T10:28:47.000001Z' },
        $details =~ s/\.405123/.000001/r, $bare],
    ['a time before 1970', { creationDate => '1969-07-20T20:17:40.500Z' },
        $details =~ s/2025-03-25T09:00:00.100/1969-07-20T20:17:40.500/r, $bare],
    ['a time imported with an offset is shown in UTC', { creationDate => '2025-03-25T11:00:00.1+02:00' },
        $details, $bare],
    ['characters beyond ASCII', { profile => { firstName => 'é', lastName => '€', displayName => '😀' } },
        $details, '"firstName":"é","lastName":"€","displayName":"😀","preferredLanguage":"und"'],
    ['characters that JSON must escape', { profile => { firstName => "\"\\/", lastName => "<&>'", displayName => "a\nb" } },
        $details, q("firstName":"\"\\\\/","lastName":"<&>'","displayName":"a\nb","preferredLanguage":"und")],
    ['a locked user',    { state => 'locked' },   $details, $bare],
    ['an inactive user', { state => 'inactive' }, $details, $bare],
    ['an initial user',  { state => 'initial' },  $details, $bare],
);
for my $case (@stored) {
    my ($what, $user, $want_details, $profile) = @$case;
    my $got = get(path(store_user(%$user)));
    is $got->code, 200, "$what: GET is 200";
    is $got->content,
        encode_utf8(qq({"details":{$want_details,"resourceOwner":"$org"},"profile":{$profile}})),
        "$what, to the byte";
}

# The headers, all of them.
my $id   = store_user();
my $path = path($id);
my $body = qq({"details":{$details,"resourceOwner":"$org"},"profile":{$bare}});

my %headers = (
    'cache-control'          => 'no-store',
    'content-length'         => length $body,
    'content-type'           => 'application/json',
    'etag'                   => '"7"',
    'x-content-type-options' => 'nosniff',
);
for my $case (['GET', $body], ['HEAD', '']) {
    my ($method, $want) = @$case;
    my ($status, $header, $rest) =
        plain_request($method, $path, "Authorization: $auth{Authorization}");
    is $status, 200, "$method: 200";
    is_deeply $header, \%headers, "$method: these headers and no others";
    is $rest, $want, "$method: the body";
}
delete $headers{etag};
my ($status, $header, $rest) =
    plain_request('HEAD', path('nobody'), "Authorization: $auth{Authorization}");
is $status, 404, 'HEAD of an unknown user is 404';
is_deeply $header, { %headers, 'content-length' => length get(path('nobody'))->content },
    'HEAD of an unknown user has the headers of GET';
is $rest, '', 'HEAD of an unknown user has no body';

# What else a request may say, to no effect.
my @ignored = (
    ['Content-Type: text/plain',             $path,                 'Content-Type' => 'text/plain'],
    ['a Content-Type that is no media type', $path,                 'Content-Type' => 'nonsense'],
    ['an empty Content-Type',                $path,                 'Content-Type' => ''],
    ['Content-Type: application/json',       $path,                 'Content-Type' => 'application/json'],
    ['Accept: text/html',                    $path,                 Accept => 'text/html'],
    ['an Accept that allows nothing',        $path,                 Accept => '*/*;q=0'],
    ['Accept-Language',                      $path,                 'Accept-Language' => 'de'],
    ['If-Modified-Since',                    $path,                 'If-Modified-Since' => 'Wed, 01 Jan 2031 00:00:00 GMT'],
    ['a query',                              "$path?x=/users/1/profile"],
    ['an empty query',                       "$path?"],
    ['each slash twice',                     $path =~ s{/}{//}gr],
    ['dot segments',                         $path =~ s{/users}{/./x/../users}r],
    ['an encoded letter',                    $path =~ s{profile}{pro%66ile}r],
    ['an encoded id',                        $path =~ s{get}{%67%65%74}r],
);
for my $case (@ignored) {
    my ($what, $target, %header) = @$case;
    my $got = get($target, %header);
    is $got->code, 200, "GET with $what is 200";
    is $got->content, $body, "GET with $what has the same body";
}
is reason(get($path, 'Content-Type' => 'application/grpc')), 'HTTP_VERSION_NOT_SUPPORTED',
    'GET with Content-Type: application/grpc over HTTP/1.1 is refused';
like raw("GET $path HTTP/1.1\r\nHost: a\r\nAuthorization: $auth{Authorization}\r\nContent-Length: 3\r\n\r\n{\"x"
        . "GET $path HTTP/1.1\r\nHost: a\r\nAuthorization: $auth{Authorization}\r\nConnection: close\r\n\r\n"),
    qr/\AHTTP.1\.1 200 .*\Q$body\EHTTP.1\.1 200 .*\Q$body\E\z/s,
    'the body of a GET is skipped, and the next request served';

# Whom: id in the path, status, reason, code.
my $machine = "machine-get-$$";
fill({ user => { id => $machine, orgId => $org, type => 'machine' } });
my $slash = "get/$$";
my $odd   = "get $$ ü%?#";
fill({ user => { id => $_, orgId => $org, type => 'human',
        profile => { firstName => 'S', lastName => 'T', displayName => 'U' } } }) for $slash, $odd;
my $longest = 'x' x (200 - length $$) . $$;
fill({ user => { id => $longest, orgId => $org, type => 'human',
        profile => { firstName => 'S', lastName => 'T', displayName => 'U' } } });
my $emoji = '%F0%9F%98%80';
my @whom = (
    ['an unknown user',                           'nobody',                      404, 'USER_NOT_FOUND',    5],
    ['a removed user',                            store_user(state => 'removed'), 404, 'USER_NOT_FOUND',   5],
    ["another organisation's user",               human(site()),                 404, 'USER_NOT_FOUND',    5],
    ['a machine',                                 $machine,                      400, 'USER_NOT_HUMAN',    9],
    ['a stored id of 200 bytes',                  $longest,                      200, '',                  undef],
    ['an unknown id of 200 bytes',                'x' x 200,                     404, 'USER_NOT_FOUND',    5],
    ['an id of 201 bytes',                        'x' x 201,                     400, 'FIELD_INVALID',     3],
    ['an unknown id of 200 four-byte characters', $emoji x 200,                  404, 'USER_NOT_FOUND',    5],
    ['an id of 201 four-byte characters',         $emoji x 201,                  400, 'FIELD_INVALID',     3],
    ['an id of 200 bytes that are not UTF-8',     '%FF' x 200,                   404, 'USER_NOT_FOUND',    5],
    ['an id of 201 bytes that are not UTF-8',     '%FF' x 201,                   400, 'FIELD_INVALID',     3],
    ['an id with a surrogate in UTF-8',           '%ED%A0%80',                   404, 'USER_NOT_FOUND',    5],
    ['an id with a control character',            'a%01b',                       404, 'USER_NOT_FOUND',    5],
    ['an id with DEL',                            'a%7Fb',                       404, 'USER_NOT_FOUND',    5],
    ['an id with a C1 control character',         'a%C2%85b',                    404, 'USER_NOT_FOUND',    5],
    ['a stored id with a blank, %, ? and #',      "get%20$$%20%C3%BC%25%3F%23",  200, '',                  undef],
    ['an id is not decoded twice',                "get%2520$$%20%C3%BC%25%3F%23", 404, 'USER_NOT_FOUND',   5],
    ['me is an id like any other',                'me',                          404, 'USER_NOT_FOUND',    5],
    ['users is an id like any other',             'users',                       404, 'USER_NOT_FOUND',    5],
    ['the case of an id counts',                  uc $id,                        404, 'USER_NOT_FOUND',    5],
);
for my $case (@whom) {
    my ($what, $whom, $status, $reason, $code) = @$case;
    my $got = get(path($whom));
    is $got->code,    $status, "$what: $status";
    is reason($got), $reason, "$what: " . ($reason || 'served');
    is decode($got)->{code}, $code, "$what: the code";
}
is decode(get(path('nobody')))->{message}, 'User could not be found (QUERY-HNhb3)', 'an unknown user: the message';
is decode(get(path($machine)))->{message}, 'The User must be personal (QUERY-WLTce)', 'a machine: the message';
is get(path('x' x 201))->content,
    '{"code":3,"message":"invalid GetHumanProfileRequest.UserId: value length must be between 1 and 200 runes, inclusive","details":['
    . '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"FIELD_INVALID","domain":"userprofile"},'
    . '{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"userId","description":"value length must be between 1 and 200 runes, inclusive"}]}]}',
    'an id that is too long: the body, to the byte';
is get(path('a%00b'))->code, 404, 'an id with an encoded NUL is refused by httpd';

# What is Apache's keeps Apache's answers and pages.
my @foreign = (
    ['a trailing slash',           "$path/"],
    ['a segment after profile',    "$path/x"],
    ['profil for profile',         PROFILES . "/$id/profil"],
    ['Profile in capitals',        PROFILES . "/$id/Profile"],
    ['an empty id',                PROFILES . '//profile'],
    ['user for users',             "/management/v1/user/$id/profile"],
    ['xusers for users',           "/management/v1/xusers/$id/profile"],
    ['two segments for an id',     PROFILES . "/$id/x/profile"],
    ['a path parameter',           "$path;v=1"],
    ['an inner UserProfile Off',   "/management/v1/off/users/$id/profile"],
    ['outside any UserProfile On', "/no-location/users/$id/profile"],
);
for my $case (@foreign) {
    my ($what, $target) = @$case;
    my $got = get($target);
    is $got->code, 404, "not our path, $what: 404";
    like $got->header('Content-Type'), qr{^text/html}, "not our path, $what: Apache's Content-Type";
    like $got->content, qr/<title>404 Not Found/, "not our path, $what: Apache's page";
    is $got->header('X-Content-Type-Options'), undef, "not our path, $what: none of our headers";
}

# An encoded slash, by what the site says of them.
is get(path("get%2F$$"))->code, 404, 'by default httpd refuses an encoded slash in an id';
my @slashes = (
    [NoDecode => 404, 'USER_NOT_FOUND', 'is three characters of an id'],
    [On       => 404, '',               'is a slash, so the path is not ours'],
);
for my $case (@slashes) {
    my ($value, $status, $reason, $what) = @$case;
    my $server = OwnServer->start(<<"END");
AllowEncodedSlashes $value
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
Include "\${CONF}/everywhere.conf"
END
    local $UserProfile::store = $server->store;
    my $there = site();
    fill({ user => { id => 'a%2Fb', orgId => $there->{org}, type => 'human',
        profile => { firstName => 'S', lastName => 'T', displayName => 'U' } } });
    my $got = request(GET => $server->url('/users/x%2Fy/profile'), { bearer($there) });
    is $got->code, $status, "AllowEncodedSlashes $value: an unknown id with an encoded slash is $status";
    is reason($got), $reason, "AllowEncodedSlashes $value: an encoded slash $what";
    is request(GET => $server->url('/users/a%2Fb/profile'), { bearer($there) })->code,
        $value eq 'NoDecode' ? 200 : 404, "AllowEncodedSlashes $value: the same for the id of a stored user";
}

done_testing;
