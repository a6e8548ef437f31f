# Connect: every call in JSON and in protobuf, over HTTP/1.1 and HTTP/2; and under
# the prefork MPM, where there is no HTTP/2.
use strict;
use warnings;

use Compress::Zlib ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP     ();
use MIME::Base64 qw(decode_base64);
use Test::More;
use Calls;
use Grpc;
use Message;
use OwnServer;
use Protobuf;
use UserProfile;

my $json = JSON::PP->new->utf8->canonical;
my $with_http2 = UserProfile::slurp(UserProfile::top() . '/modules.conf') !~ /mod_mpm_prefork/;
my $v2    = '/api/zitadel.user.v2.UserService';
my $v1    = '/api/zitadel.management.v1.ManagementService';
my $self  = '/api/zitadel.auth.v1.AuthService';
my $check = '/api/grpc.health.v1.Health/Check';
my $site  = site();
my %auth  = (authorization => "Bearer $site->{token}");
my $user  = human($site, nickName => 'G', preferredLanguage => 'de', gender => 'GENDER_FEMALE');
my %plain = ('content-type' => 'application/json');
my %proto = ('content-type' => 'application/proto');

# What carries a request, and gives { http, headers, body }.
my %carriers = (
    'HTTP/1.1' => sub {
        my ($method, $path, $headers, $body) = @_;
        my $got = request($method => $path, $headers, $body);
        return { http => $got->code, body => $got->content,
            headers => { map { lc $_ => scalar $got->header($_) } $got->header_field_names } };
    },
    'HTTP/2' => sub {
        my $got = h2(@_);
        return { %$got, http => $got->{headers}{':status'} };
    },
);
delete $carriers{'HTTP/2'} unless $with_http2;
my $carry;

# The headers of an answer, without what httpd and the clients add.
sub headers_of {
    my ($got) = @_;
    my %header = %{ $got->{headers} };
    delete @header{ grep { /^(?::status|date|server|connection|keep-alive|upgrade|client-.*|title)$/ } keys %header };
    return \%header;
}

my %ours = ('cache-control' => 'no-store', 'x-content-type-options' => 'nosniff', 'accept-encoding' => 'gzip');

# What an error's body is, to the byte. Details are [type, value in bytes, debug].
sub error_body {
    my ($code, $message, @details) = @_;
    return qq({"code":"$code","message":"$message","details":[)
        . join(',', map { qq({"type":"$_->[0]","value":") . MIME::Base64::encode_base64($_->[1], '') =~ s/=+$//r . qq(","debug":$_->[2]}) } @details)
        . ']}';
}

sub info {
    my ($reason) = @_;
    return ['google.rpc.ErrorInfo', text(1, $reason) . text(2, 'userprofile'), qq({"reason":"$reason","domain":"userprofile"})];
}

sub id_detail {
    my ($id, $message) = @_;
    return ['zitadel.v1.ErrorDetail', text(1, $id) . text(2, $message), qq({"id":"$id","message":"$message"})];
}

sub gzip { return Compress::Zlib::memGzip($_[0]) }

# The stored nickname and sequence of $user.
sub stored {
    my $said = decode(request(GET => "/api/v2/users/$user", { bearer($site) }));
    return [$said->{details}{sequence}, $said->{user}{human}{profile}{nickName}];
}

my $n = 0;
for my $name (sort keys %carriers) {
    $carry = $carriers{$name};

    # Reads in both forms are what REST says, and updates take.
    my %rest = (
        GetUserByID     => ["$v2/GetUserByID",     'GetUserByIDResponse', "/api/v2/users/$user", 'GetUserByIDRequest', { userId => $user }],
        GetHumanProfile => ["$v1/GetHumanProfile", 'ProfileResponse', "/api/management/v1/users/$user/profile", 'GetHumanProfileRequest', { userId => $user }],
        GetMyProfile    => ["$self/GetMyProfile",  'ProfileResponse', '/api/auth/v1/users/me/profile', 'GetMyProfileRequest', {}],
    );
    for my $call (sort keys %rest) {
        my ($path, $type, $rest, $request, $message) = @{ $rest{$call} };
        my $want = request(GET => $rest, { bearer($site) })->content;
        my $got  = $carry->(POST => $path, { %auth, %plain }, $json->encode($message));
        is $got->{http}, 200, "$name, $call in JSON: 200";
        is $got->{body}, $want, "$name, $call in JSON is what REST says, to the byte";
        is_deeply headers_of($got), { %ours, %plain, 'content-length' => length $want }, "$name, $call in JSON: its headers";
        $got = $carry->(POST => $path, { %auth, %proto }, to_protobuf($request, $message));
        is $got->{http}, 200, "$name, $call in protobuf: 200";
        is_deeply from_protobuf($type, $got->{body}), $json->decode($want), "$name, $call in protobuf says the same";
        is_deeply headers_of($got), { %ours, %proto, 'content-length' => length $got->{body} }, "$name, $call in protobuf: its headers";
    }
    my @updates = (
        ["$v2/UpdateUser",         'UpdateUserRequest',         'UpdateUserResponse',      { userId => $user, human => { profile => { nickName => undef } } }],
        ["$v2/UpdateHumanUser",    'UpdateHumanUserRequest',    'UpdateHumanUserResponse', { userId => $user, profile => { givenName => 'A', familyName => 'B', nickName => undef } }],
        ["$v1/UpdateHumanProfile", 'UpdateHumanProfileRequest', 'DetailsResponse',         { userId => $user, firstName => 'A', lastName => 'B', displayName => 'C', nickName => undef }],
    );
    for my $update (@updates) {
        my ($path, $request, $type, $message) = @$update;
        my ($call) = $path =~ /(\w+)$/;
        my $set = (grep { ref } @$message{qw(human profile)})[0] || $message;
        $set = $set->{profile} if $set->{profile};
        for my $form (\%plain, \%proto) {
            my $is_json = $form == \%plain;
            my $before  = stored()->[0];
            $set->{nickName} = 'turn ' . ++$n;
            my $got = $carry->(POST => $path, { %auth, %$form }, $is_json ? $json->encode($message) : to_protobuf($request, $message));
            is $got->{http}, 200, "$name, $call in $form->{'content-type'}: 200";
            is_deeply stored(), [$before + 1, "turn $n"], 'it is done';
            my $said = $is_json ? $json->decode($got->{body}) : from_protobuf($type, $got->{body});
            my $now  = decode(request(GET => "/api/v2/users/$user", { bearer($site) }))->{details};
            is_deeply $said->{details} || { %$now, changeDate => $said->{changeDate} }, $now, 'and answered with the details';
        }
    }
    is $carry->(POST => "$self/UpdateMyProfile", { %auth, %plain }, qq({"firstName":"F","lastName":"L","displayName":"D","nickName":"$name"}))->{http}, 200,
        "$name, UpdateMyProfile";
    for my $case (["$v1/Healthz", '{}'], ["$self/Healthz", '{}'], [$check, '{"status":"SERVING"}']) {
        my ($path, $want) = @$case;
        my $got = $carry->(POST => $path, { %auth, %plain }, '{}');
        is "$got->{http} $got->{body}", "200 $want", "$name, $path in JSON";
        $got = $carry->(POST => $path, { %auth, %proto }, '');
        is "$got->{http} " . unpack('H*', $got->{body}), '200 ' . ($path eq $check ? '0801' : ''), "$name, $path in protobuf";
    }
    for my $service ('', 'grpc.health.v1.Health', map { (split m{/})[2] } $v1, $v2, $self) {
        is $carry->(POST => "/open/grpc.health.v1.Health/Check", {%plain}, qq({"service":"$service"}))->{body}, '{"status":"SERVING"}',
            "$name, the health of '$service', for everyone";
    }

    # Content types: the answer has the same, without parameters.
    for my $case (
        ['application/json; charset=utf-8', 'application/json'], ['Application/JSON', 'application/json'],
        ['application/json ;x=y', 'application/json'],
        ['application/proto', 'application/proto'], ['APPLICATION/PROTO; v=1', 'application/proto'],
        )
    {
        my ($type, $want) = @$case;
        my $message = $want =~ /json/ ? qq({"userId":"$user"}) : text(1, $user);
        my $got = $carry->(POST => "$v2/GetUserByID", { %auth, 'content-type' => $type }, $message);
        is $got->{http}, 200, "$name, type $type: 200";
        is $got->{headers}{'content-type'}, $want, "and the answer has $want";
    }

    # Errors, to the byte.
    my $unknown = error_body('not_found', 'User could not be found (QUERY-Dfbg2)', id_detail('QUERY-Dfbg2', 'User could not be found'), info('USER_NOT_FOUND'));
    my $range   = 'value length must be between 1 and 200 runes, inclusive';
    my $field   = "invalid UpdateUserRequest.Human: embedded message failed validation | caused by: invalid UpdateUserRequest_Human.Profile: "
        . "embedded message failed validation | caused by: invalid UpdateUserRequest_Human_Profile.GivenName: $range";
    my $violations = join '', map { text(1, text(1, $_) . text(2, $range)) } qw(human.profile.givenName human.profile.nickName);
    my $invalid = error_body('invalid_argument', $field, info('FIELD_INVALID'), ['google.rpc.BadRequest', $violations,
        '{"fieldViolations":[' . join(',', map { qq({"field":"$_","description":"$range"}) } qw(human.profile.givenName human.profile.nickName)) . ']}']);
    my $missing = error_body('unauthenticated', 'auth header missing', info('AUTH_HEADER_MISSING'));
    my $token   = error_body('unauthenticated', 'Token is invalid (AUTH-7fs1e)', id_detail('AUTH-7fs1e', 'Token is invalid'), info('TOKEN_INVALID'));
    my %nobody  = (userId => 'nobody');
    my %empty   = (userId => $user, human => { profile => { givenName => '', nickName => '' } });
    my @errors  = (
        ['an unknown user',   "$v2/GetUserByID", {%auth}, 'GetUserByIDRequest', \%nobody, 404, $unknown],
        ['two wrong fields',  "$v2/UpdateUser",  {%auth}, 'UpdateUserRequest',  \%empty,  400, $invalid],
        ['no token',          "$v2/GetUserByID", {},      'GetUserByIDRequest', \%nobody, 401, $missing, 'www-authenticate' => 'Bearer realm="profiles"'],
        ['an invalid token',  "$v2/GetUserByID", { authorization => 'Bearer x' }, 'GetUserByIDRequest', \%nobody, 401, $token,
            'www-authenticate' => 'Bearer realm="profiles", error="invalid_token"'],
        ['no caller at all',  '/open/zitadel.user.v2.UserService/GetUserByID', {}, 'GetUserByIDRequest', \%nobody, 401, $missing, 'www-authenticate' => 'Bearer'],
        ['an unknown method', "$v2/Nothing", {%auth}, 'Empty', {}, 501,
            error_body('unimplemented', 'unknown method Nothing for service zitadel.user.v2.UserService', info('UNIMPLEMENTED'))],
        ['an unknown method of Health', '/open/grpc.health.v1.Health/Watch', {}, 'Empty', {}, 501,
            error_body('unimplemented', 'unknown method Watch for service grpc.health.v1.Health', info('UNIMPLEMENTED'))],
        ['an unknown method without a token', "$v2/Nothing", {}, 'Empty', {}, 401, $missing, 'www-authenticate' => 'Bearer realm="profiles"'],
        ['If-Match of another sequence', "$v2/GetUserByID", { %auth, 'if-match' => '"9999"' }, 'GetUserByIDRequest', { userId => $user }, 409,
            error_body('aborted', 'the stored sequence is ' . stored()->[0], info('SEQUENCE_MISMATCH'))],
        ['mod_auth_basic without a user', '/basic/zitadel.user.v2.UserService/GetUserByID', {}, 'GetUserByIDRequest', \%nobody, 401,
            error_body('unauthenticated', 'Unauthorized', info('UNAUTHENTICATED')), 'www-authenticate' => 'Basic realm="basic"'],
        ['Require all denied', '/refused/zitadel.user.v2.UserService/GetUserByID', {}, 'GetUserByIDRequest', \%nobody, 403,
            error_body('permission_denied', 'Forbidden', info('FORBIDDEN'))],
        ['Require all denied, an unknown method', '/refused/zitadel.user.v2.UserService/Nothing', {}, 'Empty', {}, 403,
            error_body('permission_denied', 'Forbidden', info('FORBIDDEN'))],
        ['an ErrorDocument, which no client could read', '/errordocument/zitadel.user.v2.UserService/GetUserByID', {}, 'GetUserByIDRequest', \%nobody, 403,
            error_body('permission_denied', 'Forbidden', info('FORBIDDEN'))],
        ['an ErrorDocument that is a page', '/page/zitadel.user.v2.UserService/GetUserByID', {}, 'GetUserByIDRequest', \%nobody, 403,
            error_body('permission_denied', 'Forbidden', info('FORBIDDEN'))],
        ['an ErrorDocument elsewhere', '/elsewhere/zitadel.user.v2.UserService/GetUserByID', {}, 'GetUserByIDRequest', \%nobody, 403,
            error_body('permission_denied', 'Forbidden', info('FORBIDDEN'))],
        ['a Require line that wants another user', '/nobody/zitadel.user.v2.UserService/GetUserByID', {%auth}, 'GetUserByIDRequest', \%nobody, 401, undef],
    );
    for my $case (@errors) {
        my ($what, $path, $headers, $type, $message, $http, $body, %further) = @$case;
        for my $form (\%plain, \%proto) {
            my $got = $carry->(POST => $path, { %$headers, %$form }, $form == \%plain ? $json->encode($message) : to_protobuf($type, $message));
            is $got->{http}, $http, "$name, $what in $form->{'content-type'}: $http";
            next if !defined $body;
            is $got->{body}, $body, "$name, $what: these bytes";
            is_deeply headers_of($got), { %ours, %plain, %further, 'content-length' => length $body }, "$name, $what: these headers";
        }
    }

    # What the protocol itself refuses: what, headers, body, HTTP status, code,
    # reason. Each would change the user.
    my $update = sub { return qq({"userId":"$user","human":{"profile":{"nickName":"turn ) . ++$n . '"}}}' };
    my $binary = sub { return to_protobuf('UpdateUserRequest', { userId => $user, human => { profile => { nickName => 'turn ' . ++$n } } }) };
    my $before = stored();
    my ($arg, $body_invalid) = ('invalid_argument', 'BODY_INVALID');
    my @refused = (
        ['version 2',          { %plain, 'connect-protocol-version' => '2' },   $update->(), 400, $arg, $body_invalid],
        ['version 1.0',        { %plain, 'connect-protocol-version' => '1.0' }, $update->(), 400, $arg, $body_invalid],
        ['an empty version',   { %proto, 'connect-protocol-version' => '' },    $binary->(), 400, $arg, $body_invalid],
        (map { ["the timeout '$_'", { %plain, 'connect-timeout-ms' => $_ },     $update->(), 400, $arg, $body_invalid] }
            '', 'x', '-1', '+1', '1.5', '1 0', '10m', '1e3', '0x10', '12345678901', '1, 2'),
        ['no time',            { %plain, 'connect-timeout-ms' => '0' },         $update->(), 504, 'deadline_exceeded', 'DEADLINE_EXCEEDED'],
        ['no time, in protobuf', { %proto, 'connect-timeout-ms' => '0000000000' }, $binary->(), 504, 'deadline_exceeded', 'DEADLINE_EXCEEDED'],
        ['a deadline that passes', { %plain, 'connect-timeout-ms' => '20', 'x-test-delay' => 100 }, $update->(), 504, 'deadline_exceeded', 'DEADLINE_EXCEEDED'],
        (map { ["Content-Encoding: $_", { %plain, 'content-encoding' => $_ },   $update->(), 501, 'unimplemented', 'UNIMPLEMENTED'] }
            qw(br deflate zstd x), 'gzip, gzip'),
        ['gzip that is none',  { %plain, 'content-encoding' => 'gzip' },        $update->(), 400, $arg, $body_invalid],
        ['gzip that is cut',   { %plain, 'content-encoding' => 'gzip' },        substr(gzip($update->()), 0, -9), 400, $arg, $body_invalid],
        ['gzip with more behind it', { %plain, 'content-encoding' => 'gzip' },  gzip($update->()) . 'x', 400, $arg, $body_invalid],
        ['gzip of nothing, in JSON', { %plain, 'content-encoding' => 'gzip' },  gzip(''), 400, $arg, $body_invalid],
        ['gzip of very much',  { %plain, 'content-encoding' => 'gzip' },        gzip('{' . ' ' x 1_000_000 . '}'), 429, 'resource_exhausted', 'BODY_TOO_LARGE'],
        ['gzip of very much, in protobuf', { %proto, 'content-encoding' => 'gzip' }, gzip(text(9, 'x' x 1_000_000)), 429, 'resource_exhausted', 'BODY_TOO_LARGE'],
        ['very much',          {%plain}, '{"x":"' . 'x' x 65536 . '"}', 429, 'resource_exhausted', 'BODY_TOO_LARGE'],
        ['very much, in protobuf', {%proto}, text(9, 'x' x 65536), 429, 'resource_exhausted', 'BODY_TOO_LARGE'],
        ['an empty body, in JSON', {%plain}, '',          400, $arg, $body_invalid],
        ['a blank body, in JSON', {%plain}, " \r\n\t ",   400, $arg, $body_invalid],
        ['a NUL for a body, in JSON', {%plain}, "\0",     400, $arg, $body_invalid],
        ['no object',          {%plain}, '[]',            400, $arg, $body_invalid],
        ['null',               {%plain}, 'null',          400, $arg, $body_invalid],
        ['a cut object',       {%plain}, substr($update->(), 0, -1), 400, $arg, $body_invalid],
        ['data behind it',     {%plain}, $update->() . '{}', 400, $arg, $body_invalid],
        ['a userId of another type', {%plain}, '{"userId":1,"human":{}}', 400, $arg, $body_invalid],
        ['protobuf as JSON',   {%plain}, $binary->(),     400, $arg, $body_invalid],
        ['JSON as protobuf',   {%proto}, $update->(),     400, $arg, $body_invalid],
        ['a gRPC frame',       {%proto}, frame($binary->()), 400, $arg, $body_invalid],
        ['cut protobuf',       {%proto}, substr($binary->(), 0, -1), 400, $arg, $body_invalid],
        ['a group',            {%proto}, $binary->() . "\x4b\x4c", 400, $arg, $body_invalid],
        ['another wire type',  {%proto}, $binary->() . number(1, 1), 400, $arg, $body_invalid],
        ['another wire type, inside', {%proto}, text(1, $user) . text(3, text(1, number(3, 1))), 400, $arg, $body_invalid],
        ['bytes that are not UTF-8', {%proto}, text(1, $user) . text(3, text(1, text(3, "\xff"))), 400, $arg, $body_invalid],
        ['NUL in a string',    {%proto}, text(1, $user) . text(3, text(1, text(3, "a\0"))), 400, $arg, $body_invalid],
        ['a length beyond the end', {%proto}, text(1, $user) . "\x1a\x7f", 400, $arg, $body_invalid],
        ['a tag without an end', {%proto}, $binary->() . "\xff" x 12, 400, $arg, $body_invalid],
        ['field number 0',     {%proto}, $binary->() . "\x02\x00", 400, $arg, $body_invalid],
        ['an empty body in protobuf, which is an empty message', {%proto}, '', 400, $arg, 'FIELD_INVALID'],
        ['If-Match that is none', { %plain, 'if-match' => 'x' }, $update->(), 400, $arg, $body_invalid],
        ['If-Match of another', { %proto, 'if-match' => '"99999"' }, $binary->(), 409, 'aborted', 'SEQUENCE_MISMATCH'],
    );
    for my $case (@refused) {
        my ($what, $headers, $body, $http, $code, $reason) = @$case;
        my $got = $carry->(POST => "$v2/UpdateUser", { %auth, %$headers }, $body);
        is $got->{http}, $http, "$name, $what: $http";
        my $said = eval { $json->decode($got->{body}) } // {};
        is $said->{code}, $code, "$name, $what: $code";
        my ($info) = grep { $_->{type} eq 'google.rpc.ErrorInfo' } @{ $said->{details} // [] };
        is $info->{debug}{reason}, $reason, "$name, $what: $reason";
        my $header = headers_of($got);
        is "$header->{'content-type'} $header->{'accept-encoding'} $header->{'cache-control'}", 'application/json gzip no-store', "$name, $what: the headers";
    }
    is_deeply stored(), $before, "$name, none of these changed anything";

    # What is accepted, and stored.
    my @accepted = (
        ['version 1',              { %plain, 'connect-protocol-version' => '1' }, sub { $update->() }],
        ['a timeout of 10 digits', { %plain, 'connect-timeout-ms' => '9999999999' }, sub { $update->() }],
        ['a deadline that does not pass', { %proto, 'connect-timeout-ms' => '20000', 'x-test-delay' => 50 }, sub { $binary->() }],
        ['gzip in JSON',           { %plain, 'content-encoding' => 'gzip' }, sub { gzip($update->()) }],
        ['gzip in protobuf',       { %proto, 'content-encoding' => 'GZIP' }, sub { gzip($binary->()) }],
        ['identity',               { %plain, 'content-encoding' => 'identity' }, sub { $update->() }],
        ['unknown fields in protobuf', {%proto}, sub { $binary->() . text(99, 'x') . number(98, 5) }],
        ['If-Match',               { %plain, 'if-match' => '*' }, sub { $update->() }],
        ['If-None-Match, which is REST\'s', { %plain, 'if-none-match' => '*' }, sub { $update->() }],
        ['a Range',                { %plain, range => 'bytes=0-0' }, sub { $update->() }],
        ['a Range beyond the end', { %proto, range => 'bytes=9999-' }, sub { $binary->() }],
        ['gRPC\'s headers, which are not Connect\'s', { %plain, 'grpc-timeout' => 'x', 'grpc-encoding' => 'x' }, sub { $update->() }],
    );
    for my $case (@accepted) {
        my ($what, $headers, $body) = @$case;
        my $sequence = stored()->[0];
        my $bytes = $body->();
        my $got = $carry->(POST => "$v2/UpdateUser", { %auth, %$headers }, $bytes);
        is $got->{http}, 200, "$name, $what: 200" or diag $got->{body};
        is_deeply stored(), [$sequence + 1, "turn $n"], "$name, $what is stored";
    }
    is $carry->(POST => "$v2/GetUserByID", { %auth, %plain, 'connect-timeout-ms' => 0 }, qq({"userId":"$user"}))->{http}, 200,
        "$name, a read has no deadline to miss";

    # Limits of the site.
    my $small = '/small/zitadel.user.v2.UserService/GetUserByID';
    is $carry->(POST => $small, { %auth, %plain }, sprintf '%-100s', qq({"userId":"$user"}))->{http}, 200, "$name, as many bytes as allowed";
    is $carry->(POST => $small, { %auth, %plain }, sprintf '%-101s', qq({"userId":"$user"}))->{http}, 429, "$name, one more: 429";
    my $limited = $carry->(POST => '/limited/zitadel.user.v2.UserService/GetUserByID', { %auth, %plain }, sprintf '%-101s', qq({"userId":"$user"}));
    is $limited->{http}, 413, "$name, LimitRequestBody chose 413";
    is $limited->{body}, error_body('resource_exhausted', 'Request Entity Too Large', info('BODY_TOO_LARGE')), "$name, and has Connect's body, to the byte";

    # Methods and media types of the path.
    for my $method (qw(GET HEAD PUT PATCH DELETE OPTIONS)) {
        for my $type (undef, 'application/json', 'application/proto', 'application/grpc', 'text/plain') {
            my $got = $carry->($method => "$v2/GetUserByID", { %auth, 'content-type' => $type }, $method =~ /^P/ ? '{}' : undef);
            is $got->{http}, 405, "$name, $method with " . ($type // 'no type') . ': 405';
            is $got->{headers}{allow}, 'POST', 'Allow: POST';
            is $got->{headers}{'content-type'}, 'application/json', 'in JSON' if $method ne 'HEAD';
        }
    }
    is $carry->(GET => "$v2/GetUserByID?connect=v1&encoding=json&message=%7B%7D", {%auth})->{http}, 405, "$name, no call is made by GET: 405";
    my $all = 'application/grpc, application/grpc+proto, application/grpc-web, application/grpc-web+proto, application/grpc-web-text, '
        . 'application/grpc-web-text+proto, application/json, application/proto';
    for my $type (undef, '', 'text/plain', 'application/connect+json', 'application/connect+proto', 'application/protobuf', 'application/x-protobuf',
        'application/jsonx', 'application/json, application/json', ';', 'application/grpc+json', 'multipart/form-data; boundary=x') {
        my $got = $carry->(POST => "$v2/GetUserByID", { %auth, 'content-type' => $type }, '{}');
        my $what = "$name, " . (defined $type ? "'$type'" : 'no type');
        is $got->{http}, 415, "$what: 415";
        is $got->{headers}{'accept-post'}, $all, "$what: Accept-Post has what is accepted";
        like $got->{body}, qr/application\/proto.*"MEDIA_TYPE_UNSUPPORTED"/, "$what: and so has the body";
    }
    is $carry->(PUT => "/api/v2/users/human/$user", { %auth, 'content-type' => 'text/plain' }, '{}')->{headers}{'accept-post'}, undef,
        "$name, a REST path has no Accept-Post";

    # A site that compresses.
    my $deflate = '/deflate/zitadel.user.v2.UserService/GetUserByID';
    my $got = $carry->(POST => $deflate, { %auth, %plain, 'accept-encoding' => 'gzip', 'content-encoding' => 'gzip' }, gzip(qq({"userId":"$user"})));
    is $got->{http}, 200, "$name, mod_deflate in both directions";
    is $got->{headers}{'content-encoding'}, 'gzip', 'compresses the answer for a client that asks for it';
    like Compress::Zlib::memGunzip($got->{body}) // '', qr/"userId":"$user"/, 'which can be read';
}

# Bodies in pieces, and HTTP/1.0.
my $text = qq({"userId":"$user"});
my $head = "Host: a\r\nAuthorization: Bearer $site->{token}\r\nContent-Type: application/json\r\nConnection: close\r\n";
for my $case (
    ['chunks', "POST $v2/GetUserByID HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n"
        . join('', map { sprintf "1\r\n%s\r\n", $_ } split //, $text) . "0\r\n\r\n"],
    ['HTTP/1.0', "POST $v2/GetUserByID HTTP/1.0\r\n${head}Content-Length: " . length($text) . "\r\n\r\n$text"],
    ['Expect: 100-continue', "POST $v2/GetUserByID HTTP/1.1\r\n${head}Expect: 100-continue\r\nContent-Length: " . length($text) . "\r\n\r\n$text"],
    )
{
    my ($what, $bytes) = @$case;
    like raw($bytes), qr/200 OK\r\n.*"userId":"$user"/s, "$what: 200";
}
unlike raw("POST $v2/GetUserByID HTTP/1.1\r\n${head}Content-Length: 100\r\n\r\n$text"), qr/200 OK/, 'a body that ends too soon is no message';

# What other modules raise, by status: the same status, Connect's code.
my @statuses = (
    [400, 'invalid_argument',    'BAD_REQUEST', 'Bad Request'],
    [401, 'unauthenticated',     'UNAUTHENTICATED',   'Unauthorized'],
    [402, 'invalid_argument',    'BAD_REQUEST',       'Payment Required'],
    [403, 'permission_denied',   'FORBIDDEN',         'Forbidden'],
    [404, 'not_found',           'NOT_FOUND',         'Not Found'],
    [405, 'invalid_argument',    'BAD_REQUEST',       'Method Not Allowed'],
    [408, 'deadline_exceeded',   'REQUEST_TIMEOUT',   'Request Timeout'],
    [409, 'invalid_argument',    'BAD_REQUEST',       'Conflict'],
    [413, 'resource_exhausted',  'BODY_TOO_LARGE',    'Request Entity Too Large'],
    [415, 'invalid_argument',    'BAD_REQUEST',       'Unsupported Media Type'],
    [429, 'resource_exhausted',  'TOO_MANY_REQUESTS', 'Too Many Requests'],
    [500, 'internal',            'INTERNAL',          'Internal Server Error'],
    [501, 'internal',            'INTERNAL',          'Not Implemented'],
    [502, 'unavailable',         'UNAVAILABLE',       'Bad Gateway'],
    [503, 'unavailable',         'UNAVAILABLE',       'Service Unavailable'],
    [504, 'unavailable',         'UNAVAILABLE',       'Gateway Timeout'],
    [507, 'internal',            'INTERNAL',          'Insufficient Storage'],
);
my $rules = join '', map { "RewriteRule ^/r/$_->[0]/ - [R=$_->[0],L]\n" } @statuses;
my $server = OwnServer->start(<<"END");
UserProfileStore "lmdb:\${FOLDER}/away/store"
UserProfileMapSize 64M
Header always set X-Site kept
RewriteEngine On
$rules
<LocationMatch ".*">
    UserProfile On
    ErrorDocument 404 "the site's own words"
</LocationMatch>
END
{
    local $UserProfile::port = $server->{port};
    for my $case (@statuses) {
        my ($status, $code, $reason, $phrase) = @$case;
        my $want = error_body($code, $phrase, info($reason));
        for my $type ('application/json', 'application/proto') {
            my ($got, $header, $body) = plain_request('POST', "/r/$status/zitadel.user.v2.UserService/UpdateUser", "Content-Type: $type", 'Content-Length: 0');
            is $got, $status, "$status of another module, to $type";
            is $body, $want, "and Connect's body, to the byte";
            is "$header->{'content-type'} $header->{'accept-encoding'} $header->{'x-site'}", 'application/json gzip kept', 'with Connect\'s headers and the site\'s';
        }
    }

    # While the store is away.
    my ($got, $header, $body) = plain_request('POST', '/grpc.health.v1.Health/Check', 'Content-Type: application/json', 'Content-Length: 2', '', '{}');
    is "$got " . ($body =~ s/\r\n\z//r), '200 {"status":"NOT_SERVING"}', 'the health while the store is away is an answer';
    for my $path ('/zitadel.auth.v1.AuthService/Healthz', '/zitadel.management.v1.ManagementService/Healthz') {
        ($got, $header, $body) = plain_request('POST', $path, 'Content-Type: application/proto', 'Content-Length: 0');
        is $got, 503, "$path is 503 then";
        is $header->{'retry-after'}, 1, 'with Retry-After';
        is $body, error_body('unavailable', 'the store is unavailable; nothing was changed', info('STORE_UNAVAILABLE')), 'and these bytes';
    }
}

done_testing;
