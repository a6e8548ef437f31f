# Errors that other modules raise for our paths: JSON in place of httpd's pages,
# unless the site has its own; and everybody else's paths left alone.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);
use OwnServer;
use UserProfile;

# What an error of another module is called: status, code, reason, phrase.
my @statuses = (
    [400, 3,  'BAD_REQUEST',       'Bad Request'],
    [401, 16, 'UNAUTHENTICATED',   'Unauthorized'],
    [402, 3,  'BAD_REQUEST',       'Payment Required'],
    [403, 7,  'FORBIDDEN',         'Forbidden'],
    [404, 5,  'NOT_FOUND',         'Not Found'],
    [405, 3,  'BAD_REQUEST',       'Method Not Allowed'],
    [406, 3,  'BAD_REQUEST',       'Not Acceptable'],
    [408, 4,  'REQUEST_TIMEOUT',   'Request Timeout'],
    [409, 3,  'BAD_REQUEST',       'Conflict'],
    [410, 3,  'BAD_REQUEST',       'Gone'],
    [412, 3,  'BAD_REQUEST',       'Precondition Failed'],
    [413, 8,  'BODY_TOO_LARGE',    'Request Entity Too Large'],
    [415, 3,  'BAD_REQUEST',       'Unsupported Media Type'],
    [429, 8,  'TOO_MANY_REQUESTS', 'Too Many Requests'],
    [451, 3,  'BAD_REQUEST',       'Unavailable For Legal Reasons'],
    [500, 13, 'INTERNAL',          'Internal Server Error'],
    [501, 13, 'INTERNAL',          'Not Implemented'],
    [502, 14, 'UNAVAILABLE',       'Bad Gateway'],
    [503, 14, 'UNAVAILABLE',       'Service Unavailable'],
    [504, 14, 'UNAVAILABLE',       'Gateway Timeout'],
    [507, 13, 'INTERNAL',          'Insufficient Storage'],
);
my $rules = join '', map { "RewriteRule ^/r/$_->[0]/ - [R=$_->[0],L]\n" } @statuses;
my $every = join '', map { "    ErrorDocument $_ \"the site's own words\"\n" }
    qw(400 401 403 404 405 408 412 413 415 500 503 507);
my $htpasswd = UserProfile::top() . '/t/conf/htpasswd';

my $config = <<"END";
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
DocumentRoot "\${FOLDER}"
RewriteEngine On
$rules
Alias /page "\${FOLDER}/page"
<Directory "\${FOLDER}/page">
    Require all granted
</Directory>
Header always set X-Site kept
<LocationMatch ".*">
    UserProfile On
    AuthType UserProfile
    AuthName ours
    Require valid-user
</LocationMatch>
<Location /page>
    AuthType None
    Require all granted
</Location>
<Location /basic>
    AuthType Basic
    AuthName "theirs"
    AuthUserFile "$htpasswd"
    Require valid-user
</Location>
<Location /denied>
    Require all denied
    Header always set X-Place kept
</Location>
<Location /unset>
    AuthMerging Off
    AuthType UserProfile
    Require valid-user
</Location>
<Location /limited>
    LimitRequestBody 60
</Location>
<Location /text>
    $every
</Location>
<Location /text/denied>
    Require all denied
</Location>
<Location /local>
    Require all denied
    ErrorDocument 403 /page/sorry.txt
</Location>
<Location /gone>
    Require all denied
    ErrorDocument 403 /page/missing.txt
</Location>
<Location /external>
    Require all denied
    ErrorDocument 403 http://example.org/sorry
</Location>
<Location /default>
    Require all denied
    ErrorDocument 403 default
</Location>
END

my $server = OwnServer->start("$config\nRequestReadTimeout header=0 body=1\n");
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
mkdir $server->file('page') or die "mkdir: $!";
open my $out, '>', $server->file('page/sorry.txt') or die "sorry.txt: $!";
print $out 'the page of the site';
close $out or die "sorry.txt: $!";

my $site = site();
my $user = human($site);
my %auth = bearer($site);
my $path = "/users/$user/profile";
my $line = "Authorization: $auth{Authorization}";

sub body {
    my ($code, $reason, $message) = @_;
    return qq({"code":$code,"message":"$message","details":[)
        . qq({"\@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"$reason","domain":"userprofile"}]});
}

my %ours = (
    'cache-control'          => 'no-store',
    'content-type'           => 'application/json',
    'x-content-type-options' => 'nosniff',
    'x-site'                 => 'kept',
);

# Every status, raised by mod_rewrite before we ever saw the request.
for my $case (@statuses) {
    my ($want, $code, $reason, $phrase) = @$case;
    my $body = body($code, $reason, $phrase);
    for my $method (qw(GET PUT HEAD)) {
        my ($status, $header, $got) = plain_request($method, "/r/$want$path", 'Content-Length: 0');
        is $status, $want, "a $want of another module to $method: the status";
        is $got, $method eq 'HEAD' ? '' : $body, "a $want of another module to $method: our body, to the byte";
        is delete $header->{'content-length'}, length $body, "a $want of another module to $method: Content-Length";
        delete $header->{allow} if $want == 405 || $want == 501;
        is_deeply $header, \%ours, "a $want of another module to $method: these headers and no others";
    }
    my ($status, $header, $got) = plain_request('GET', "/r/$want/other");
    is $status, $want, "a $want for a path that is not ours: the status";
    like $got, qr/<title>$want /, "a $want for a path that is not ours: Apache's page";
    is $header->{'cache-control'}, undef, "a $want for a path that is not ours: no Cache-Control of ours";
}

# Raised by those who do it for a living: what, place, headers, status, code,
# reason, phrase, further headers.
my %challenge = ('www-authenticate' => 'Basic realm="theirs"');
my @others = (
    ['mod_auth_basic, no credentials', '/basic',  [],                    401, 16, 'UNAUTHENTICATED', 'Unauthorized', %challenge],
    ['mod_auth_basic, wrong password', '/basic',  [{ basic('admin', 'no') }], 401, 16, 'UNAUTHENTICATED', 'Unauthorized', %challenge],
    ['mod_auth_basic, our token',      '/basic',  [{%auth}],             401, 16, 'UNAUTHENTICATED', 'Unauthorized', %challenge],
    ['Require all denied',             '/denied', [],                    403, 7,  'FORBIDDEN',       'Forbidden', 'x-place' => 'kept'],
);
for my $case (@others) {
    my ($what, $place, $header, $want, $code, $reason, $phrase, %further) = @$case;
    my @lines = map { my $set = $_; map { "$_: $set->{$_}" } keys %$set } @$header;
    for my $method (qw(GET PUT HEAD)) {
        my $body = body($code, $reason, $phrase);
        my ($status, $got_header, $got) = plain_request($method, "$place$path", @lines, 'Content-Length: 0');
        is $status, $want, "$what: $want to $method";
        is $got, $method eq 'HEAD' ? '' : $body, "$what: our body to $method, to the byte";
        is_deeply $got_header, { %ours, %further, 'content-length' => length $body },
            "$what: these headers to $method and no others";
    }
    my ($status, $got_header, $got) = plain_request('GET', "$place/users/$user/profil", @lines);
    is $status, $want, "$what, for a path that is not ours: $want";
    like $got, qr/<title>$want /, "$what, for a path that is not ours: Apache's page";
}

# The site's own documents apply to those, and never to ours.
my @documents = (
    ['a text',                        '/text/denied', 403, qr/^the site's own words$/],
    ['a local URL',                   '/local',       403, qr/^the page of the site$/],
    ['a local URL that is not found', '/gone',      403, qr/<title>403 /],
    ['an external URL',               '/external',    302, qr{http://example\.org/sorry}],
    ['default',                       '/default',     403, qr/^\{"code":7,.*"FORBIDDEN"/],
);
for my $case (@documents) {
    my ($what, $place, $status, $body) = @$case;
    my $got = request(GET => "$place$path", {%auth});
    is $got->code, $status, "ErrorDocument, $what: $status";
    like $got->content, $body, "ErrorDocument, $what: the body";
    isnt $got->header('Content-Type'), 'application/json', "ErrorDocument, $what: not our Content-Type" if $what ne 'default';
}
my @own = (
    ['no token',                 GET    => "/text$path",               {},                                      undef, 401, 'AUTH_HEADER_MISSING'],
    ['a bad token',              GET    => "/text$path",               { bearer('no') },                        undef, 401, 'TOKEN_INVALID'],
    ['a refused method',         DELETE => "/text$path",               {},                                      undef, 405, 'METHOD_NOT_ALLOWED'],
    ['a refused media type',     PUT    => "/text$path",               { 'Content-Type' => 'text/plain' },      'x',   415, 'MEDIA_TYPE_UNSUPPORTED'],
    ['a body that is not JSON',  PUT    => "/text$path",               {%auth},                                 '{',   400, 'BODY_INVALID'],
    ['a body that is too large', PUT    => "/text$path",               {%auth},                                 ' ' x 65537, 413, 'BODY_TOO_LARGE'],
    ['fields at fault',          PUT    => "/text$path",               {%auth},                                 '{}',  400, 'FIELD_INVALID'],
    ['an unknown user',          GET    => '/text/users/x/profile',    {%auth},                                 undef, 404, 'USER_NOT_FOUND'],
    ['another sequence',         GET    => "/text$path",               { %auth, 'If-Match' => '"9"' },          undef, 412, 'SEQUENCE_MISMATCH'],
    ['an unknown organisation',  GET   => "/text$path",               { %auth, 'x-zitadel-orgid' => 'x' },     undef, 403, 'ORG_NOT_FOUND'],
);
for my $case (@own) {
    my ($what, $method, $target, $header, $body, $status, $reason) = @$case;
    my $got = request($method => $target, $header, $body);
    is $got->code, $status, "an ErrorDocument leaves our own error alone, $what: $status";
    is reason($got), $reason, "an ErrorDocument leaves our own error alone, $what: our body";
    my ($head) = plain_request('HEAD', $target, map { "$_: $header->{$_}" } keys %$header);
    is $head, $status, "an ErrorDocument leaves our own error alone, $what: $status to HEAD" if $method eq 'GET';
}
is request(GET => '/text/nothing', {%auth})->content, "the site's own words",
    'an ErrorDocument applies to a path that is not ours';

# LimitRequestBody, with a length and without.
my $long = ' ' x 61;
my @bodies = (
    ['a Content-Length over it',   '/limited', "Content-Length: 61\r\n\r\n$long",                                   'BODY_TOO_LARGE'],
    ['chunks over it',             '/limited', "Transfer-Encoding: chunked\r\n\r\n3d\r\n$long\r\n0\r\n\r\n",        'BODY_TOO_LARGE'],
    ['as many bytes as it allows', '/limited', "Content-Length: 60\r\n\r\n" . ' ' x 60,                              'FIELD_INVALID'],
);
for my $case (@bodies) {
    my ($what, $place, $rest, $reason) = @$case;
    my $got = raw("PUT $place$path HTTP/1.1\r\nHost: a\r\n$line\r\n$rest", 1);
    my $status = $reason eq 'FIELD_INVALID' ? 400 : 413;
    like $got, qr/^HTTP.1\.1 $status /, "LimitRequestBody, $what: $status";
    like $got, qr/"reason":"$reason"/, "LimitRequestBody, $what: $reason";
    like $got, qr/"code":8,"message":"Request Entity Too Large"/, "LimitRequestBody, $what: the words are httpd's" if $status == 413;
}

# A client that sends its body too slowly. Sends $first, then one byte of @rest
# each $pause seconds until something comes back; returns that and how long it
# took.
sub slowly {
    my ($port, $first, $pause) = @_;
    my $began  = time;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "cannot connect: $@";
    local $SIG{PIPE} = 'IGNORE';
    $socket->print($first);
    $socket->flush;
    vec(my $readable = '', fileno $socket, 1) = 1;
    while (!select my $ready = $readable, undef, undef, $pause) {
        $socket->print(' ');
        $socket->flush;
        die "no answer\n" if time > $began + 30;
    }
    local $/;
    return (scalar(<$socket>) // '', time - $began);
}

my $put = "PUT $path HTTP/1.1\r\nHost: a\r\n$line\r\nContent-Length: 1000\r\n\r\n{";
my ($got, $took) = slowly($server->{port}, $put, 0.2);
like $got, qr/^HTTP.1\.1 408 .*"code":4,.*"reason":"REQUEST_TIMEOUT"/s, 'a body that mod_reqtimeout gives up is a 408 with our body';
cmp_ok $took, '<', 10, 'mod_reqtimeout gives up before Timeout does';
unlike $server->log, qr/exit signal/, 'no child died';

{
    my $patient = OwnServer->start("$config\nTimeout 1\nRequestReadTimeout header=0 body=0\n");
    local $UserProfile::store = $patient->store;
    fill({ org => { id => 'O' } }, { token => { userId => 'T', token => $site->{token} } });
    request(GET => $patient->url('/'));    # under valgrind a child takes its time to come up
    for my $case (['a byte now and then', 0.2], ['nothing more', 100]) {
        my ($what, $pause) = @$case;
        my ($got, $took) = slowly($patient->{port}, $put, $pause);
        like $got, qr/^HTTP.1\.1 408 .*"code":4,.*"reason":"REQUEST_TIMEOUT"/s, "$what of a body until Timeout: 408";
        like $got, qr/Cache-Control: no-store\r\n/, "$what of a body until Timeout: our headers";
        cmp_ok $took, '>', 0.9, "$what of a body: no answer before Timeout";
        cmp_ok $took, '<', 10,  "$what of a body: an answer soon after Timeout";
    }

    # HTTP 200, but the rest of the body is not waited for either.
    my $web = $put =~ s/\r\n/\r\nContent-Type: application\/grpc-web\r\n/r;
    my ($got, $took) = slowly($patient->{port}, $web, 0.2);
    like $got, qr/^HTTP.1\.1 200 .*\r\n\r\n\x80.*grpc-status: 4\r\n/s, 'gRPC-Web, a byte now and then until Timeout: DEADLINE_EXCEEDED';
    cmp_ok $took, '<', 10, 'gRPC-Web, a byte now and then: an answer soon after Timeout';
}

# An AuthType, but nothing required: httpd's own 500.
{
    my $open = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
<Location />
    UserProfile On
    AuthType UserProfile
</Location>
END
    local $UserProfile::store = $open->store;
    my $there = site();
    my ($status, $header, $body) = do {
        local $UserProfile::port = $open->{port};
        plain_request('GET', $path, 'Authorization: Bearer ' . $there->{token});
    };
    is $status, 500, 'an AuthType without a Require line: 500';
    is $body, body(13, 'INTERNAL', 'Internal Server Error'), 'an AuthType without a Require line: our body, to the byte';
}

# What httpd refuses before it knows the place: any body, but a refusal, and a
# server that goes on.
my @early = (
    ['a control character in a header',              "GET $path HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",            400],
    ['a header without a colon',                     "GET $path HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",           400],
    ['no Host',                                      "GET $path HTTP/1.1\r\n\r\n",                                  400],
    ['a header that is too long',                    "GET $path HTTP/1.1\r\nHost: a\r\nX: " . 'x' x 9000 . "\r\n\r\n", 400],
    ['too many headers',                             "GET $path HTTP/1.1\r\nHost: a\r\n" . "X: x\r\n" x 200 . "\r\n", 400],
    ['a path that is too long',                      'GET /users/' . 'x' x 9000 . "/profile HTTP/1.1\r\nHost: a\r\n\r\n", 414],
    ['a percent sign that encodes nothing',          "GET /users/%zz/profile HTTP/1.1\r\nHost: a\r\n\r\n",          400],
    ['an encoded NUL in the path',                   "GET /users/%00/profile HTTP/1.1\r\nHost: a\r\n\r\n",          404],
    ['a path that leaves the root by ..',            "GET /../../users/1/profile HTTP/1.1\r\nHost: a\r\n\r\n",      400],
    ['a Content-Length that is no number',           "PUT $path HTTP/1.1\r\nHost: a\r\n$line\r\nContent-Length: x\r\n\r\n", 400],
    ['an unknown Transfer-Encoding',                 "PUT $path HTTP/1.1\r\nHost: a\r\n$line\r\nTransfer-Encoding: x\r\n\r\n", 400],
    ['an unknown Expect',                            "PUT $path HTTP/1.1\r\nHost: a\r\n$line\r\nExpect: x\r\n\r\n", 417],
    ['a method with a character that none may have', "G(T $path HTTP/1.1\r\nHost: a\r\n\r\n",                       400],
    ['OPTIONS *',                                    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",  200],
);
for my $case (@early) {
    my ($what, $bytes, $want) = @$case;
    like raw($bytes), qr/^HTTP.1\.1 $want /, "refused by httpd itself, $what: $want";
}
unlike $server->log, qr/exit signal/, 'none of these ends a child';

done_testing;
