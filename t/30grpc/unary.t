# unary.t -- the two calls as gRPC: what they answer and what they store, on
# their own paths and on those of REST, over h2c and TLS.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Grpc;
use Protobuf;
use UserProfile;

my $site = site();
my %auth = (authorization => "Bearer $site->{token}");
my %ada  = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');
my @types = qw(application/grpc application/grpc+proto Application/gRPC
    application/grpc;charset=utf-8);

# The details, and the profile, of an answer.
sub details_of {
    my ($answer) = @_;
    my $field = fields(fields(substr $answer->{body}, 5)->{1}[0]);
    return { sequence => $field->{1}[0], owner => $field->{4}[0] };
}

sub profile_of {
    my ($answer) = @_;
    my $field = fields(fields(substr $answer->{body}, 5)->{2}[0]);
    my @names = qw(firstName lastName nickName displayName preferredLanguage gender);
    return { map { $field->{ $_ + 1 } ? ($names[$_] => $field->{ $_ + 1 }[0]) : () } 0 .. $#names };
}

my $user = human($site, nickName => 'Gi', gender => 'GENDER_FEMALE');
my $got = update({%auth}, $user, %ada, preferredLanguage => 'DE_ch', gender => 3);
is $got->{http}, 200, 'an update is HTTP 200';
is code($got), 0, 'an update has grpc-status 0';
is $got->{trailers}{'grpc-status'}, 0, 'grpc-status is a trailer';
ok !exists $got->{headers}{'grpc-status'}, 'grpc-status is no header';
is_deeply [grep { /^grpc/ } map { keys %{ $got->{$_} } } qw(headers trailers)], ['grpc-status'],
    'a success has no grpc-message and no details';
is $got->{headers}{'content-type'}, 'application/grpc', 'Content-Type';
is $got->{headers}{'cache-control'}, 'no-store', 'Cache-Control';
is $got->{headers}{'x-content-type-options'}, 'nosniff', 'X-Content-Type-Options';
ok !exists $got->{headers}{$_}, "a success has no header $_" for qw(etag trailer grpc-encoding content-encoding);
is_deeply details_of($got), { sequence => 2, owner => $site->{org} }, 'an update answers the details';
is unpack('x N', $got->{body}), length($got->{body}) - 5, 'an update answers with one frame';

$got = get({%auth}, $user);
is_deeply profile_of($got), { %ada, preferredLanguage => 'de-CH', gender => 3 },
    'a read has what an update stored: absent fields are cleared';
is_deeply details_of($got), { sequence => 2, owner => $site->{org} }, 'a read has the details of the update';
is get({%auth}, $user, tls_origin())->{body}, $got->{body}, 'a read over TLS has the same';
is_deeply decode(request(GET => PROFILES . "/$user/profile", { bearer($site) }))->{profile},
    { %ada, preferredLanguage => 'de-CH', gender => 'GENDER_DIVERSE' }, 'a read over REST has the same';

# The answer's type is the request's.
for my $type (@types) {
    $got = get({ %auth, 'content-type' => $type }, $user);
    is code($got), 0, "Content-Type $type is accepted";
    is $got->{headers}{'content-type'}, lc $type =~ s/;.*//r, "Content-Type $type is that of the answer";
}

# The paths of REST: the path names the user, whatever the message says.
my $path = PROFILES . "/$user/profile";
my $other = human($site);
$got = grpc(PUT => $path, {%auth}, frame(update_message($other, %ada, nickName => 'path')));
is code($got), 0, 'PUT on a path of REST: OK';
is profile_of(get({%auth}, $user))->{nickName}, 'path', 'PUT on a path of REST changes the user in the path';
is details_of(get({%auth}, $other))->{sequence}, 1, 'PUT on a path of REST does not change the user in the message';
$got = grpc(GET => $path, {%auth}, frame(get_message($other)));
is profile_of($got)->{nickName}, 'path', 'GET on a path of REST reads the user in the path';
$got = grpc(GET => $path, {%auth}, frame(''));
is profile_of($got)->{nickName}, 'path', 'GET on a path of REST takes an empty message';
$got = grpc(PUT => $path, {%auth}, frame(update_message('x' x 201, %ada)));
is code($got), 0, 'PUT on a path of REST overrides an id too long in the message';

# Metadata.
my $elsewhere = site();
my $stranger = human($elsewhere);
fill({ member => { userId => $site->{admin}, roles => ['IAM_OWNER'] } });
my @metadata = (
    ['another organisation',           { 'x-zitadel-orgid' => $elsewhere->{org} }, $stranger, 0, ''],
    ['the caller\'s own organisation', { 'x-zitadel-orgid' => $site->{org} },      $user,     0, ''],
    ['an empty organisation',          { 'x-zitadel-orgid' => '' },                $user,     0, ''],
    ['an unknown organisation',        { 'x-zitadel-orgid' => 'nowhere' },         $user,     7, 'ORG_NOT_FOUND'],
    ['a user of another organisation', {},                                        $stranger, 5, 'USER_NOT_FOUND'],
    ['the scheme in lower case',       { authorization => "bearer $site->{token}" }, $user,   0, ''],
    ['no te header',                   { te => undef },                            $user,     0, ''],
    ['a deadline that is far enough',  { 'grpc-timeout' => '10S' },                $user,     0, ''],
    ['grpc-encoding: identity',        { 'grpc-encoding' => 'identity' },          $user,     0, ''],
    ['grpc-accept-encoding: gzip',     { 'grpc-accept-encoding' => 'gzip' },       $user,     0, ''],
    ['a range',                        { range => 'bytes=0-3' },                   $user,     0, ''],
    ['a range beyond the end',         { range => 'bytes=9000-' },                 $user,     0, ''],
);
for my $case (@metadata) {
    my ($what, $metadata, $id, $code, $reason) = @$case;
    $got = get({ %auth, %$metadata }, $id);
    is code($got), $code, "metadata: $what: grpc-status $code";
    is $got->{http}, 200, "metadata: $what: HTTP 200";
    is reason_of($got), $reason, "metadata: $what: the reason";
}

# if-match, as REST has it.
my $now = details_of(get({%auth}, $user))->{sequence};
my @matches = (
    ['the stored sequence',           qq("$now"),           0,  ''],
    ['another sequence',              '"999"',              10, 'SEQUENCE_MISMATCH'],
    ['the stored sequence in a list', '"999", "' . ($now + 1) . '"', 0, ''],
    ['a weak tag',                    'W/"' . ($now + 2) . '"', 10, 'SEQUENCE_MISMATCH'],
    ['*',                             '*',                  0,  ''],
    ['a number without quotes',       $now,                 3,  'BODY_INVALID'],
);
for my $case (@matches) {
    my ($what, $match, $code, $reason) = @$case;
    $got = update({ %auth, 'if-match' => $match }, $user, %ada, nickName => $what);
    is code($got), $code, "an update with if-match: $what: grpc-status $code";
    is reason_of($got), $reason, "an update with if-match: $what: the reason";
}
is code(get({ %auth, 'if-match' => '"999"' }, $user)), 10, 'a read with if-match: another sequence is ABORTED';
is code(get({ %auth, 'if-match' => 'x' }, $user)), 3, 'a read with if-match: a word is INVALID_ARGUMENT';

# The access log.
sub logged {
    my ($user) = @_;
    my $line = '';
    for (1 .. 50) {
        my @lines = grep { /user=\Q$user\E / } split /\n/, UserProfile::slurp(UserProfile::vars()->{t_logs} . '/access_log');
        return $lines[-1] if @lines;
        select undef, undef, undef, 0.1;
    }
    return 'nothing';
}
my $noted = human($site);
update({%auth}, $noted, %ada);
like logged($noted), qr/" 200 .* caller=$site->{admin} org=$site->{org} user=$noted reason=- sequence=2$/,
    'the access log has the notes of a call';
get({%auth}, "$noted-missing");
like logged("$noted-missing"), qr/" 200 .* caller=$site->{admin} org=$site->{org} user=$noted-missing reason=USER_NOT_FOUND sequence=-$/,
    'the access log has the notes of a call that failed';

done_testing;
