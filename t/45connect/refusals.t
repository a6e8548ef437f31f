# Everything that the calls on oneself and the v2 user service refuse, in every
# protocol: the same reason, message and details in each.
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use Encode  ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use Calls;
use UserProfile;

my $json   = JSON::PP->new->utf8->canonical;
my $site   = site();
my $viewer = site('ORG_OWNER_VIEWER');
my $other  = site();
my $user   = human($site, nickName => 'G', preferredLanguage => 'en', gender => 'GENDER_FEMALE');
my $theirs = human($other);
my %id     = map { $_ => "$_-$$" } qw(machine removed plain guest locked boss reader);
fill(
    (map { { user => { id => $id{$_}, orgId => $site->{org}, type => 'machine' } } } qw(machine)),
    (map { my $user = UserProfile::user($site->{org}, $id{$_}); $user->{user}{state} = $_ =~ /^(?:removed|locked)$/ ? $_ : 'active'; $user }
        qw(removed plain locked reader)),
    (map { { token => { userId => $id{$_}, token => $id{$_} } } } grep { !/removed/ } sort keys %id),
    { member => { userId => $id{reader}, orgId => $site->{org}, roles => ['ORG_OWNER_VIEWER'] } },
    { member => { userId => $id{guest},  orgId => $site->{org}, roles => ['ORG_OWNER'] } },
    { member => { userId => $id{locked}, orgId => $site->{org}, roles => ['ORG_OWNER'] } },
    { member => { userId => $id{boss},   roles => ['IAM_OWNER_VIEWER'] } },
);
my $passwords = UserProfile::vars()->{t_state} . '/callers';
open my $out, '>', $passwords or die "cannot write $passwords: $!";
print $out map { "$_:{SHA}" . sha1_base64("$_-password") . "=\n" } @id{qw(locked)}, "unstored-$$";
close $out or die "cannot write $passwords: $!";

my %owner   = bearer($site);
my %reader  = bearer($id{reader});
my %plain   = bearer($id{plain});
my %machine = bearer($id{machine});
my %guest   = bearer($id{guest});
my %names   = (givenName => 'A', familyName => 'B');
my %ada     = (firstName => 'Ada', lastName => 'L', displayName => 'Ada L');
my $range   = 'value length must be between 1 and 200 runes, inclusive';
my $short   = 'value length must be between 1 and 10 runes, inclusive';
my $most    = 'value length must be at most 200 runes';
my $most10  = 'value length must be at most 10 runes';
my $tag     = 'value must be a BCP 47 language tag';
my $defined = 'value must be one of the defined enum values';
my $long    = 'x' x 201;
my $human_profile = 'embedded message failed validation | caused by: invalid SetHumanProfile';
my $user_profile  = 'embedded message failed validation | caused by: '
    . 'invalid UpdateUserRequest_Human.Profile: embedded message failed validation | caused by: '
    . 'invalid UpdateUserRequest_Human_Profile';
my $profile_of_user = "invalid UpdateUserRequest.Human: $user_profile";

# reason => [REST's HTTP status, code, message, its id]; a message that a row
# gives itself is undef here.
my %error = (
    AUTH_HEADER_MISSING  => [401, 16, 'auth header missing'],
    AUTH_HEADER_INVALID  => [401, 16, 'invalid auth header', 'AUTH-toLo1'],
    TOKEN_INVALID        => [401, 16, 'Token is invalid', 'AUTH-7fs1e'],
    ORG_NOT_FOUND        => [403, 7,  "Organisation doesn't exist", 'AUTH-Bs7Ds'],
    MEMBERSHIP_NOT_FOUND => [404, 5,  'membership not found', 'AUTHZ-cdgFk'],
    DENIED_V1 => [403, 7, 'No matching permissions found', 'AUTH-5mWD2', 'PERMISSION_DENIED'],
    DENIED_V2 => [403, 7, 'No matching permissions found', 'AUTH-AWfge', 'PERMISSION_DENIED'],
    PROFILE_NOT_FOUND   => [400, 9, 'Profile not found',   'COMMAND-3M9sd'],
    PROFILE_NOT_CHANGED => [400, 9, 'Profile not changed', 'COMMAND-2M0fs'],
    UNKNOWN_V1  => [404, 5, 'User could not be found', 'QUERY-HNhb3',        'USER_NOT_FOUND'],
    UNKNOWN_GET => [404, 5, 'User could not be found', 'QUERY-Dfbg2',        'USER_NOT_FOUND'],
    UNKNOWN_SET => [404, 5, 'User could not be found', 'COMMAND-ugjs0upun6', 'USER_NOT_FOUND'],
    USER_NOT_HUMAN    => [400, 9,  'The User must be personal', 'QUERY-WLTce'],
    FIELD_INVALID     => [400, 3,  undef],
    BODY_INVALID      => [400, 3,  undef],
    FIELD_UNSUPPORTED => [501, 12, undef],
    UNIMPLEMENTED     => [501, 12, 'user type is not implemented ()'],
    SEQUENCE_MISMATCH => [412, 10, undef],
    BODY_TOO_LARGE    => [413, 8,  undef],
);

sub set_human { return { userId => $user, profile => { %names, @_ } } }
sub set_user  { return { userId => $user, human => { profile => {@_} } } }
sub unkept    { return "$_[0] is not kept by this profile store; nothing was changed" }

my @both = qw(UpdateHumanUser UpdateUser);
my @v2   = ('GetUserByID', @both);
my @mine = qw(GetMyProfile UpdateMyProfile);
# What each call would be content with.
my %fine = (
    GetMyProfile    => sub { +{} },
    UpdateMyProfile => sub { +{%ada} },
    GetUserByID     => sub { +{ userId => $_[0] // $user } },
    UpdateHumanUser => sub { +{ userId => $_[0] // $user, profile => {%names} } },
    UpdateUser      => sub { +{ userId => $_[0] // $user, human => { profile => {%names} } } },
);
my %unknown = (GetUserByID => 'UNKNOWN_GET', map { $_ => 'UNKNOWN_SET' } @both);

# Rows: what is promised; call; headers; message; reason; further, as the error's
# message, and BadRequest's fields with what is wrong about each: place => section.
my @rows;
my $row = sub { push @rows, [@_] };

for my $call (@mine, @v2) {
    my $message = $fine{$call}->();
    $row->("$call needs a caller", $call, {}, $message, 'AUTH_HEADER_MISSING');
    $row->("$call needs a bearer", $call, { Authorization => 'Basic eA==' }, $message, 'AUTH_HEADER_INVALID');
    $row->("$call needs a valid token", $call, { bearer('no-such') }, $message, 'TOKEN_INVALID');
    $row->("$call is not for callers who are locked", $call, { bearer($id{locked}) }, $message, 'TOKEN_INVALID');
    $row->("$call is not for locked callers of mod_auth_basic", $call, { basic($id{locked}) }, $message,
        'MEMBERSHIP_NOT_FOUND', place => '/callers');
    $row->("$call with an organisation that does not exist", $call, { %owner, 'x-zitadel-orgid' => "no-$$" }, $message,
        'ORG_NOT_FOUND');
    $row->("$call with an organisation that cannot exist", $call, { %owner, 'x-zitadel-orgid' => $long }, $message,
        'ORG_NOT_FOUND');
    $row->("$call with a list of organisations", $call,
        { %owner, 'x-zitadel-orgid' => "$site->{org}, $site->{org}" }, $message, 'ORG_NOT_FOUND');
    $row->("$call with If-Match of another sequence", $call, { %owner, 'If-Match' => '"99"' }, $message,
        'SEQUENCE_MISMATCH', message => 'the stored sequence is 1');
    $row->("$call with If-Match of a weak tag", $call, { %owner, 'If-Match' => 'W/"1"' }, $message,
        'SEQUENCE_MISMATCH', message => 'the stored sequence is 1');
}

# One's own profile.
$row->("$_ where one may not do anything", $_, {%owner}, $fine{$_}->(), 'DENIED_V1', place => '/api/self/off') for @mine;
$row->('UpdateMyProfile where one may only read', 'UpdateMyProfile', {%owner}, {%ada}, 'DENIED_V1', place => '/api/self/read');
$row->('rights come before the fields in v1', 'UpdateMyProfile', {%owner}, {}, 'DENIED_V1', place => '/api/self/read');
$row->('GetMyProfile of a machine', 'GetMyProfile', {%machine}, {}, 'USER_NOT_HUMAN');
$row->('UpdateMyProfile of a machine', 'UpdateMyProfile', {%machine}, {%ada}, 'PROFILE_NOT_FOUND');
$row->('GetMyProfile of a caller who is not stored', 'GetMyProfile', {%guest}, {}, 'UNKNOWN_V1');
$row->('UpdateMyProfile of a caller who is not stored', 'UpdateMyProfile', {%guest}, {%ada}, 'PROFILE_NOT_FOUND');
$row->('GetMyProfile of a caller of mod_auth_basic who is not stored', 'GetMyProfile', { basic("unstored-$$") }, {},
    'UNKNOWN_V1', place => '/callers');
$row->('UpdateMyProfile of a caller of mod_auth_basic who is not stored', 'UpdateMyProfile', { basic("unstored-$$") }, {%ada},
    'PROFILE_NOT_FOUND', place => '/callers');
$row->('UpdateMyProfile that changes nothing', 'UpdateMyProfile', {%plain},
    { firstName => 'Gigi', lastName => 'Giraffe', displayName => 'Gigi Giraffe' }, 'PROFILE_NOT_CHANGED');
for my $case (
    [{}, [firstName => $range], [lastName => $range], [displayName => $range]],
    [{ %ada, firstName => '' },          [firstName => $range]],
    [{ %ada, lastName => $long },        [lastName => $range]],
    [{ %ada, displayName => $long },     [displayName => $range]],
    [{ %ada, nickName => $long },        [nickName => $most]],
    [{ %ada, preferredLanguage => 'e' x 11 },  [preferredLanguage => $most10]],
    [{ %ada, preferredLanguage => 'english' }, [preferredLanguage => $tag]],
    [{ %ada, gender => 4 },              [gender => $defined]],
    [{ %ada, gender => -1 },             [gender => $defined]],
    [{ %ada, gender => 'GENDER_OTHER' }, [gender => $defined]],
    [{ %ada, nickName => $long, gender => 9, lastName => '' },
        [lastName => $range], [nickName => $most], [gender => $defined]],
    )
{
    my ($message, @wrong) = @$case;
    $row->('UpdateMyProfile with ' . join(', ', map { $_->[0] } @wrong) . ' at fault', 'UpdateMyProfile', {%plain}, $message,
        'FIELD_INVALID', message => "invalid UpdateMyProfileRequest.\u$wrong[0][0]: $wrong[0][1]", wrong => \@wrong);
}

# Users of the v2 service.
for my $call (@v2) {
    for my $case (
        ['a user who is unknown',                        {%owner},  "no-$$"],
        ['a user who is removed',                        {%owner},  $id{removed}],
        ['a user of an organisation that one is not in', {%owner},  $theirs],
        ['that user, with that organisation named',      { %owner, 'x-zitadel-orgid' => $other->{org} }, $theirs],
        ['a user, without any membership',               {%plain},  $user],
        ['a user whose id cannot be stored: tab',        {%owner},  "a\tb"],
        ['a user whose id has 200 letters of two bytes', {%owner},  Encode::decode('UTF-8', "\xc3\xa4" x 200)],
        ['a caller of mod_auth_basic who is not stored', { basic("unstored-$$") }, $user, place => '/callers'],
        ['that one, naming an organisation', { basic("unstored-$$"), 'x-zitadel-orgid' => $site->{org} }, $user, place => '/callers'],
        )
    {
        my ($what, $headers, $id, @place) = @$case;
        $row->("$call of $what", $call, $headers, $fine{$call}->($id), $unknown{$call}, @place);
    }
    my ($name) = $call =~ /(.*)/;
    $row->("$call of a user id that is too long", $call, {%owner}, $fine{$call}->($long), 'FIELD_INVALID',
        message => "invalid ${name}Request.UserId: $range", wrong => [[userId => $range]]);
    $row->("$call of nobody, by RPC", $call, {%owner}, $fine{$call}->(''), 'FIELD_INVALID',
        message => "invalid ${name}Request.UserId: $range", wrong => [[userId => $range]], rpc => 1);
}
$row->('GetUserByID of a member without the permission', 'GetUserByID', { bearer($_) }, { userId => $user }, 'DENIED_V2')
    for do {
        my $id = "powerless-$$";
        fill(UserProfile::user($other->{org}, $id), { token => { userId => $id, token => $id } },
            { member => { userId => $id, orgId => $site->{org}, roles => ['NOTHING'] } });
        $id;
    };
for my $call (@both) {
    $row->("$call of a machine", $call, {%owner}, $fine{$call}->($id{machine}), 'UNKNOWN_SET');
    $row->("$call of oneself, a machine", $call, {%machine}, $fine{$call}->($id{machine}), 'UNKNOWN_SET');
    $row->("$call by a member who may only read", $call, {%reader}, $fine{$call}->(), 'DENIED_V2');
    $row->("$call by a viewer of the instance", $call, { bearer($id{boss}) }, $fine{$call}->(), 'DENIED_V2');
    $row->("$call of oneself where one may only read", $call, {%plain}, $fine{$call}->($id{plain}), 'DENIED_V2',
        place => '/api/self/read');
}
$row->("$_ of oneself where one may not do anything", $_, {%plain}, $fine{$_}->($id{plain}), 'DENIED_V2',
    place => '/api/self/off') for @v2;
# A machine may read itself, so where it may not, it is told so.
$row->('GetUserByID of oneself, a machine, where one may not do anything', 'GetUserByID', {%machine},
    { userId => $id{machine} }, 'DENIED_V2', place => '/api/self/off');

# Fields of the v2 service: both calls.
for my $case (
    [{},                                   [givenName => $range], [familyName => $range]],
    [{ givenName => 'A' },                 [familyName => $range]],
    [{ %names, givenName => '' },          [givenName => $range]],
    [{ %names, familyName => $long },      [familyName => $range]],
    [{ %names, nickName => $long },        [nickName => $most]],
    [{ %names, displayName => $long },     [displayName => $most]],
    [{ %names, preferredLanguage => 'e' x 11 },  [preferredLanguage => $most10]],
    [{ %names, preferredLanguage => 'en-a' },    [preferredLanguage => $tag]],
    [{ %names, gender => 4 },              [gender => $defined]],
    [{ %names, gender => -7 },             [gender => $defined]],
    [{ %names, gender => 'FEMALE' },       [gender => $defined]],
    [{ nickName => $long, gender => 5, givenName => 'A' },
        [familyName => $range], [nickName => $most], [gender => $defined]],
    )
{
    my ($profile, @wrong) = @$case;
    $row->('UpdateHumanUser with ' . join(', ', map { $_->[0] } @wrong) . ' at fault', 'UpdateHumanUser', {%owner},
        { userId => $user, profile => $profile }, 'FIELD_INVALID',
        message => "invalid UpdateHumanUserRequest.Profile: $human_profile.\u$wrong[0][0]: $wrong[0][1]",
        wrong => [map { ["profile.$_->[0]", $_->[1]] } @wrong]);
}
for my $case (
    (map { [{ $_ => '' }, [$_ => $range]] } qw(givenName familyName nickName displayName)),
    (map { [{ $_ => $long }, [$_ => $range]] } qw(givenName familyName nickName displayName)),
    [{ preferredLanguage => '' },        [preferredLanguage => $short]],
    [{ preferredLanguage => 'e' x 11 },  [preferredLanguage => $short]],
    [{ preferredLanguage => '-en' },     [preferredLanguage => $tag]],
    [{ gender => 4 },                    [gender => $defined]],
    [{ gender => 'gender_male' },        [gender => $defined]],
    [{ givenName => '', nickName => '', gender => 77 },
        [givenName => $range], [nickName => $range], [gender => $defined]],
    )
{
    my ($profile, @wrong) = @$case;
    $row->('UpdateUser with ' . join(', ', map { $_->[0] } @wrong) . ' at fault', 'UpdateUser', {%owner},
        { userId => $user, human => { profile => $profile } }, 'FIELD_INVALID',
        message => "$profile_of_user.\u$wrong[0][0]: $wrong[0][1]",
        wrong => [map { ["human.profile.$_->[0]", $_->[1]] } @wrong]);
}

# What is not kept.
my %empty = (username => '', machine => {}, metadata => [{}], map { $_ => {} } qw(email phone password));
my %full  = (username => 'gigi', machine => { key => 'k' }, metadata => [{ key => 'k' }, {}],
    map { $_ => { $_ => 'x@example.org' } } qw(email phone password));
for my $values ([empty => \%empty], [full => \%full]) {
    my ($kind, $value) = @$values;
    $row->("UpdateHumanUser refuses $_, $kind", 'UpdateHumanUser', {%owner}, { %{ set_human() }, $_ => $value->{$_} },
        'FIELD_UNSUPPORTED', message => unkept($_)) for qw(username email phone password);
    $row->("UpdateHumanUser refuses $_, $kind, without a profile", 'UpdateHumanUser', {%owner},
        { userId => $user, $_ => $value->{$_} }, 'FIELD_UNSUPPORTED', message => unkept($_)) for qw(username email phone password);
    $row->("UpdateUser refuses $_, $kind", 'UpdateUser', {%owner}, { %{ set_user(nickName => 'N') }, $_ => $value->{$_} },
        'FIELD_UNSUPPORTED', message => unkept($_)) for qw(username metadata);
    $row->("UpdateUser refuses $_, $kind, without a type", 'UpdateUser', {%owner}, { userId => $user, $_ => $value->{$_} },
        'FIELD_UNSUPPORTED', message => unkept($_)) for qw(username metadata machine);
    $row->("UpdateUser refuses human.$_, $kind", 'UpdateUser', {%owner},
        { userId => $user, human => { profile => { nickName => 'N' }, $_ => $value->{$_} } },
        'FIELD_UNSUPPORTED', message => unkept("human.$_")) for qw(email phone password);
}
$row->('UpdateUser without a type', 'UpdateUser', {%owner}, { userId => $user }, 'UNIMPLEMENTED');
$row->('UpdateUser without a type, metadata empty', 'UpdateUser', {%owner}, { userId => $user, metadata => [] }, 'UNIMPLEMENTED');

# Order: a row has its own fault, and all that come after it.
my %everything = (userId => $theirs, human => { profile => { nickName => '' }, email => {} });
my %known      = (%everything, human => { profile => { nickName => 'N' }, email => {} });
for my $case (
    ['the caller before all',               { 'x-zitadel-orgid' => "no-$$", 'If-Match' => 'x' }, \%everything, 'AUTH_HEADER_MISSING'],
    ['a precondition before the store',     { %owner, 'x-zitadel-orgid' => "no-$$", 'If-Match' => 'x' }, \%everything, 'BODY_INVALID',
        message => undef],
    ['the organisation before the fields',  { %owner, 'x-zitadel-orgid' => "no-$$", 'If-Match' => '"9"' }, \%everything, 'ORG_NOT_FOUND'],
    ['the fields before what is not kept',  { %owner, 'If-Match' => '"9"' }, \%everything, 'FIELD_INVALID',
        message => "$profile_of_user.NickName: $range", wrong => [['human.profile.nickName', $range]]],
    ['what is not kept before the look-up', { %owner, 'If-Match' => '"9"' }, \%known, 'FIELD_UNSUPPORTED', message => unkept('human.email')],
    ['a missing type before the look-up',   { %owner, 'If-Match' => '"9"' }, { userId => $theirs }, 'UNIMPLEMENTED'],
    ['the look-up before the rights',       { %reader, 'If-Match' => '"9"' }, $fine{UpdateUser}->("no-$$"), 'UNKNOWN_SET'],
    ['the rights before the sequence',      { %reader, 'If-Match' => '"9"' }, $fine{UpdateUser}->(), 'DENIED_V2'],
    ['the rights before a change of nothing', {%reader}, { userId => $user, human => {} }, 'DENIED_V2'],
    ['the rights before the type of the user', {%reader}, $fine{UpdateUser}->($id{machine}), 'DENIED_V2'],
    ['the sequence before a change of nothing', { %owner, 'If-Match' => '"9"' }, { userId => $user, human => {} }, 'SEQUENCE_MISMATCH',
        message => 'the stored sequence is 1'],
    )
{
    my ($what, $headers, $message, $reason, @more) = @$case;
    $row->("UpdateUser: $what", 'UpdateUser', $headers, $message, $reason, @more);
}
my $large = { userId => $user, profile => { %names, nickName => 'x' x 70000 } };
$row->('UpdateHumanUser of more than the limit', 'UpdateHumanUser', {%owner}, $large, 'BODY_TOO_LARGE', message => undef);

sub details {
    my ($reason, $text, $id, $wrong) = @_;
    return [
        $id ? ['zitadel.v1.ErrorDetail', { id => $id, message => $text }] : (),
        ['google.rpc.ErrorInfo', { reason => $reason, domain => 'userprofile' }],
        $wrong ? ['google.rpc.BadRequest',
            { fieldViolations => [map { { field => $_->[0], description => $_->[1] } } @$wrong] }] : (),
    ];
}

my %http = (
    rest => sub { $_[0] }, grpc => sub { 200 }, web => sub { 200 },
    map { $_ => sub { connect_http($_[1]) } } qw(connect connect-proto),
);
for my $row (@rows) {
    my ($what, $call, $headers, $message, $name, %more) = @$row;
    my ($http, $code, $text, $id, $reason) = @{ $error{$name} };
    $reason //= $name;
    $text = $more{message} if exists $more{message};
    local $Calls::place = $more{place} if $more{place};

    my ($common, @wrong);
    for my $form (FORMS) {
        next if $more{rpc} && $form eq 'rest';
        my $got = eval { call_as($form, $call, $headers, $message) } or do { push @wrong, "$form: $@"; next };
        $common //= $got->{message};
        my $said = $text // $common;
        my $want = { http => '' . $http{$form}->($http, $code), code => "$code",
            message => $id ? "$said ($id)" : $said, details => details($reason, $said, $id, $more{wrong}) };
        my ($is, $should) = map { $json->encode($_) }
            { (map { $_ => '' . ($got->{$_} // '') } qw(http code message)), details => $got->{details} }, $want;
        push @wrong, "$form: $is\nnot $should\n" if $is ne $should;
    }
    is join('', @wrong), '', "$what: $name";
}

# None of them has changed anything.
for my $id ($user, $theirs, @id{qw(plain machine removed)}, $site->{admin}) {
    my ($status, $said) = ctl('--json', 'user', 'get', $id eq $theirs ? $other->{org} : $site->{org}, $id);
    like $said, qr/"sequence":"1"/, "nothing of it changed $id";
}

done_testing;
