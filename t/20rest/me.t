# One's own profile: GET and PUT of /auth/v1/users/me/profile.
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my $me    = '/auth/v1/users/me/profile';
my $place = '/api';
my $site  = site();
my $other = site();
my %ada   = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');

# A stored human of $site with a token, and no membership.
my $count = 0;
sub caller_of {
    my ($site, %profile) = @_;
    my $id = "me-$$-" . ++$count;
    fill(UserProfile::user($site->{org}, $id, %profile), { token => { userId => $id, token => $id } });
    return $id;
}

my $time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}|\.\d{6})?Z/;
sub details {
    my ($sequence) = @_;
    return qr/\{"sequence":"$sequence","creationDate":"$time","changeDate":"$time","resourceOwner":"$site->{org}"\}/;
}
my %ours = ('cache-control' => 'no-store', 'content-type' => 'application/json', 'x-content-type-options' => 'nosniff');

# Answers, to the byte.
my $id   = caller_of($site, nickName => 'G', preferredLanguage => 'de', gender => 'GENDER_DIVERSE');
my @auth = ('Authorization: Bearer ' . $id);
my ($status, $header, $body) = plain_request('GET', $place . $me, @auth);
is $status, 200, 'a caller without any membership reads its own profile';
my $details = details(1);
like $body, qr/^\{"details":$details,"profile":\{"firstName":"Gigi","lastName":"Giraffe","nickName":"G","displayName":"Gigi Giraffe","preferredLanguage":"de","gender":"GENDER_DIVERSE"\}\}$/,
    'the answer has the form of the management call, to the byte';
is_deeply $header, { %ours, etag => '"1"', 'content-length' => length $body }, 'and its headers';
my ($head, $head_header, $nothing) = plain_request('HEAD', $place . $me, @auth);
is_deeply [$head, $head_header, $nothing], [200, $header, ''], 'HEAD has the headers of GET and no body';

my %mine = bearer($id);
my $put = request(PUT => $place . $me, {%mine}, { %ada, userId => $site->{admin}, unknown => [1] });
is $put->code, 200, 'it is changed';
$details = details(2);
like $put->content, qr/^\{"details":$details\}$/, 'and the answer has the details, to the byte';
is $put->header('ETag'), '"2"', 'and the sequence as the ETag';
my $get = request(GET => $place . $me, {%mine});
like $get->content, qr/"profile":\{"firstName":"Ada","lastName":"L","displayName":"Ada L","preferredLanguage":"und"\}\}$/,
    'all of it is replaced: what is left out is empty';
is decode(request(GET => "/management/v1/users/$id/profile", { bearer($site) }))->{profile}{firstName}, 'Ada',
    'an administrator reads the same';
is decode(request(GET => "/management/v1/users/$site->{admin}/profile", { bearer($site) }))->{profile}{firstName}, 'Gigi',
    'a userId in the body names nobody';
my (undef, $events) = ctl('events', '--json');
is_deeply [map { /"by":"([^"]*)"/ } grep { /"userId":"$id"/ } split /\n/, $events], [$id],
    'the change is one event, whose author is the caller';
$put = request(PUT => $place . $me, {%mine}, {%ada});
is $put->content,
    '{"code":9,"message":"Profile not changed (COMMAND-2M0fs)","details":['
    . '{"@type":"type.googleapis.com/zitadel.v1.ErrorDetail","id":"COMMAND-2M0fs","message":"Profile not changed"},'
    . '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"PROFILE_NOT_CHANGED","domain":"userprofile"}]}',
    'the same again is not changed, to the byte';
is $put->code, 400, 'with 400';

# The form of the request.
for my $case (
    ['names in snake_case',    '{"first_name":"S","last_name":"L","display_name":"D"}', 200],
    ['null is absent',         '{"firstName":"N","lastName":"L","displayName":"D","nickName":null,"gender":null}', 200],
    ['a userId that is no string is not looked at', '{"userId":1,"firstName":"U","lastName":"L","displayName":"D"}', 200],
    ['the same name twice',    '{"firstName":"S","first_name":"L"}', 400],
    ['an empty body',          '',   400],
    ['no object',              '[]', 400],
    ['a cut body',             '{',  400],
    )
{
    my ($what, $text, $want) = @$case;
    is request(PUT => $place . $me, { %mine, 'Content-Type' => 'application/json' }, $text)->code, $want, "$what: $want";
}

# Preconditions.
$id   = caller_of($site);
%mine = bearer($id);
for my $case (
    # method, header, value, status
    [GET => 'If-Match',      '"1"',      200],
    [GET => 'If-Match',      '*',        200],
    [GET => 'If-Match',      '"2", "1"', 200],
    [GET => 'If-Match',      '"2"',      412],
    [GET => 'If-Match',      'W/"1"',    412],
    [GET => 'If-Match',      '1',        400],
    [GET => 'If-None-Match', '"1"',      304],
    [GET => 'If-None-Match', 'W/"1"',    304],
    [GET => 'If-None-Match', '"1-gzip"', 304],
    [GET => 'If-None-Match', '*',        304],
    [GET => 'If-None-Match', '"2"',      200],
    [PUT => 'If-Match',      '"2"',      412],
    [PUT => 'If-None-Match', '"1"',      412],
    [PUT => 'If-None-Match', '*',        412],
    [PUT => 'If-Match',      '"1"x',     400],
    [PUT => 'If-Match',      '"1"',      200],
    [PUT => 'If-Match',      '"1"',      412],
    [PUT => 'If-None-Match', '"1"',      400], # passes; and then nothing differs
    )
{
    my ($method, $name, $value, $want) = @$case;
    my $got = request($method => $place . $me, { %mine, $name => $value }, $method eq 'PUT' ? {%ada} : undef);
    is $got->code, $want, "$method with $name: $value: $want";
    is $got->content, '', 'a 304 has no body' if $want == 304;
    is $got->header('ETag'), '"1"', 'a 304 has the ETag' if $want == 304;
}

# Methods and media types of the paths.
for my $case (
    [$me,                'GET, HEAD, PUT', qw(POST DELETE PATCH OPTIONS)],
    ['/auth/v1/healthz', 'GET, HEAD',      qw(POST PUT DELETE PATCH OPTIONS)],
    ['/management/v1/healthz', 'GET, HEAD', qw(POST PUT DELETE PATCH OPTIONS)],
    )
{
    my ($path, $allow, @methods) = @$case;
    for my $method (@methods) {
        my ($status, $header, $body) = plain_request($method, $place . $path, 'Content-Length: 0');
        is $status, 405, "$method $path: 405";
        is $header->{allow}, $allow, "$method $path: Allow";
        like $body, qr/^\{"code":12,"message":"Method Not Allowed",.*"METHOD_NOT_ALLOWED"/, "$method $path: our words";
    }
}
is request(PUT => $place . $me, { %mine, 'Content-Type' => $_ }, '{}')->code, 415, "$_ is no type for it"
    for qw(text/plain application/proto application/connect+json application/x-www-form-urlencoded);

# "me" is a name in that path alone.
for my $path ("/management/v1/users/me/profile", '/users/me/profile', '/v2/users/me') {
    my $got = request(GET => $place . $path, { bearer($site) });
    is reason($got), 'USER_NOT_FOUND', "$path is about a user with the id me";
}
for my $path (
    "/auth/v1/users/$id/profile", '/auth/v1/users/ME/profile', '/auth/v1/users/me/profile/',
    '/auth/v1/users/me', '/auth/v1/users//profile', '/auth/v1/me/profile', '/auth/v2/users/me/profile',
    '/auth/users/me/profile',
    )
{
    my $got = request(GET => $place . $path, {%mine});
    is $got->code, 404, "$path is none of ours: 404";
    like $got->content, qr/<title>404/, "$path is none of ours: Apache's page";
}

# The organisation.
for my $case (
    [undef,              200, 'no organisation'],
    ['',                 200, 'an empty organisation'],
    [$site->{org},       200, 'its own'],
    [$other->{org},      200, 'another, which changes nothing'],
    ["no-such-org-$$",   403, 'one that does not exist'],
    ['x' x 201,          403, 'one that cannot exist'],
    )
{
    my ($org, $want, $what) = @$case;
    my $got = request(GET => $place . $me, { %mine, 'x-zitadel-orgid' => $org });
    is $got->code, $want, "x-zitadel-orgid of $what: $want to GET";
    is decode($got)->{details}{resourceOwner}, $site->{org}, 'in its own' if $want == 200;
    $got = request(PUT => $place . $me, { %mine, 'x-zitadel-orgid' => $org }, { %ada, nickName => 'org ' . length($org // 'none') . $what });
    is $got->code, $want, "$want to PUT";
    is decode($got)->{details}{resourceOwner}, $site->{org}, 'in its own' if $want == 200;
    is reason($got), 'ORG_NOT_FOUND', 'in our words' if $want == 403;
}

# What UserProfileSelf says, and that roles do not matter.
my %powerful = bearer($site);
for my $case (['/api', 200, 200], ['/api/self/off', 403, 403], ['/api/self/read', 200, 403], ['/api/self/write', 200, 200]) {
    my ($place, $read, $write) = @$case;
    for my $who ([%mine], [%powerful]) {
        is request(GET => $place . $me, {@$who})->code, $read, "below $place, GET: $read";
        is request(PUT => $place . $me, {@$who}, { %ada, nickName => "at $place" })->code, $write, "below $place, PUT: $write";
    }
}
is reason(request(GET => "/api/self/off$me", {%mine})), 'PERMISSION_DENIED', 'denied in our words';

# Callers, by what they are and by who says so.
my %caller = map { $_ => "$_-me-$$" } qw(active initial locked inactive removed machine ghost);
my $passwords = UserProfile::vars()->{t_state} . '/callers';
open my $out, '>', $passwords or die "cannot write $passwords: $!";
print $out map { "$_:{SHA}" . sha1_base64("$_-password") . "=\n" } values %caller;
close $out or die "cannot write $passwords: $!";
for my $name (grep { $_ ne 'ghost' } keys %caller) {
    my $human = $name ne 'machine';
    fill({ user => { id => $caller{$name}, orgId => $site->{org}, type => $human ? 'human' : 'machine',
        $human ? (state => $name, profile => { firstName => 'F', lastName => 'L', displayName => 'D' }) : () } },
        { token => { userId => $caller{$name}, token => $caller{$name} } });
}
fill({ token => { userId => $caller{ghost}, token => $caller{ghost} } },
    map { { member => { userId => $caller{$_}, roles => ['IAM_OWNER'] } } } qw(ghost machine locked));
my ($none, $bad) = ('MEMBERSHIP_NOT_FOUND', 'TOKEN_INVALID');
for my $case (
    # caller      by token                                  by password
    ['active',   ['', ''],                                  ['', '']],
    ['initial',  ['', ''],                                  ['', '']],
    ['locked',   [$bad, $bad],                              [$none, $none]],
    ['inactive', [$bad, $bad],                              [$none, $none]],
    ['removed',  [$bad, $bad],                              [$none, $none]],
    ['machine',  ['USER_NOT_HUMAN', 'PROFILE_NOT_FOUND'],   ['USER_NOT_HUMAN', 'PROFILE_NOT_FOUND']],
    ['ghost',    ['USER_NOT_FOUND', 'PROFILE_NOT_FOUND'],   ['USER_NOT_FOUND', 'PROFILE_NOT_FOUND']],
    )
{
    my ($name, $token, $password) = @$case;
    my $turn = 0;
    for my $way (['/api', $token, bearer($caller{$name})], ['/callers', $password, basic($caller{$name})]) {
        my ($place, $want, @header) = @$way;
        my @got = (request(GET => $place . $me, {@header}),
            request(PUT => $place . $me, {@header}, { %ada, nickName => 'turn ' . ++$turn }));
        is_deeply [map { $_->code == 200 ? '' : reason($_) } @got], $want, "a caller who is $name, at $place";
    }
}
is request(GET => "/open$me")->code, 401, 'a caller who is nobody: 401';
is reason(request(PUT => "/open$me", {}, '{')), 'AUTH_HEADER_MISSING', 'before its body is read';

# The health of both services, for everyone.
for my $path ('/management/v1/healthz', '/auth/v1/healthz') {
    my ($status, $header, $body) = plain_request('GET', "/open$path");
    is $status, 200, "$path is open where no one says who calls";
    is $body, '{}', 'and an empty message';
    is_deeply $header, { %ours, 'content-length' => 2 }, 'with our headers';
    is +(plain_request('HEAD', "/open$path"))[0], 200, 'HEAD too';
    is +(plain_request('GET', "/open$path", @$_))[0], 200, "@$_ does not matter"
        for ['If-None-Match: *'], ['x-zitadel-orgid: nowhere'], ['Content-Type: text/plain'];
    is +(plain_request('GET', $place . $path))[0], 401, 'a place that requires a user requires it here too';
    is +(plain_request('GET', $place . $path, @auth))[0], 200, 'and is content with one';
    is +(plain_request('GET', "/refused$path"))[0], 403, 'a place that refuses all refuses this';
}
{
    my $away = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/away/store"
UserProfileMapSize 64M
UserProfile On
END
    for my $path ('/management/v1/healthz', '/auth/v1/healthz') {
        for my $method (qw(GET HEAD)) {
            my $got = request($method => $away->url($path));
            is $got->code, 503, "$path while the store is away: 503 to $method";
            is $got->header('Retry-After'), 1, 'with Retry-After';
            is $got->content, $method eq 'HEAD' ? '' : '{"code":14,"message":"the store is unavailable; nothing was changed","details":['
                . '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"STORE_UNAVAILABLE","domain":"userprofile"}]}',
                "and these bytes to $method";
        }
    }
    mkdir $away->file('away') or die "mkdir: $!";
    local $UserProfile::store = 'lmdb:' . $away->file('away/store');
    is +(ctl('init'))[0], 0, 'the store is put right';
    eval { $away->wait_until(sub { request(GET => $away->url('/auth/v1/healthz'))->code == 200 }) };
    is request(GET => $away->url('/auth/v1/healthz'))->code, 200, 'and the health with it';
}

done_testing;
