# Who may do what, for which organisation, and which fault is answered first.
use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use UserProfile;

my $turn = 0;

# One change that has not been made before.
sub change {
    return { firstName => 'N' . ++$turn, lastName => 'L', displayName => 'D' };
}

# Read and write $id below $place; returns what came of each: '' or a reason.
sub both {
    my ($place, $id, @header) = @_;
    my @got = (
        request(GET => "$place/users/$id/profile", {@header}),
        request(PUT => "$place/users/$id/profile", {@header}, change()),
    );
    return map { $_->code == 200 ? '' : reason($_) } @got;
}

# The outcome of one of them, for a test's name.
sub said {
    my ($reason) = @_;
    return $reason || 'allowed';
}

# Every role, as a membership in the organisation and on the instance: name,
# what a GET and a PUT answer.
my $denied = 'PERMISSION_DENIED';
my @roles  = (
    (map { [$_, '', ''] } qw(
        IAM_OWNER IAM_ORG_MANAGER IAM_USER_MANAGER IAM_LOGIN_CLIENT ORG_OWNER
        ORG_USER_MANAGER
    )),
    (map { [$_, '', $denied] } qw(
        IAM_OWNER_VIEWER ORG_OWNER_VIEWER ORG_USER_PERMISSION_EDITOR
        ORG_PROJECT_PERMISSION_EDITOR PROJECT_OWNER PROJECT_OWNER_VIEWER
        PROJECT_GRANT_OWNER PROJECT_GRANT_OWNER_VIEWER
    )),
    (map { [$_, $denied, $denied] } qw(
        ORG_SETTINGS_MANAGER ORG_USER_SELF_MANAGER org_owner SITE_READER
    )),
);
for my $case (@roles) {
    my ($role, $read, $write) = @$case;
    my $site = site($role);
    my $user = human($site);
    is_deeply [both('/management/v1', $user, bearer($site))], [$read, $write],
        "$role in the organisation: a read is @{[said($read)]}, a write @{[said($write)]}";
    fill({ user => { id => "$user-manager", orgId => $site->{org}, type => 'machine' } },
        { member => { userId => "$user-manager", roles => [$role] } },
        { token => { userId => "$user-manager", token => "$user-manager" } });
    is_deeply [both('/management/v1', $user, bearer("$user-manager"))], [$read, $write],
        "$role on the instance: a read is @{[said($read)]}, a write @{[said($write)]}";
}

# Several roles add up, and so do the two memberships.
my @sums = (
    ['the roles of one membership add up',                           ['ORG_OWNER_VIEWER', 'ORG_USER_MANAGER'], [],                   '',      ''],
    ['a role without permissions takes nothing from another',        ['NONE_OF_OURS', 'PROJECT_OWNER'],        [],                   '',      $denied],
    ['a role on the instance adds to one in the organisation',       ['ORG_OWNER_VIEWER'],                     ['IAM_USER_MANAGER'], '',      ''],
    ['a role in the organisation adds to one on the instance',       ['ORG_OWNER'],                            ['IAM_OWNER_VIEWER'], '',      ''],
    ['a role on the instance counts beside one without permissions', ['NONE_OF_OURS'],                         ['IAM_OWNER_VIEWER'], '',      $denied],
);
for my $case (@sums) {
    my ($what, $here, $above, $read, $write) = @$case;
    my $site = site(@$here);
    fill({ member => { userId => $site->{admin}, roles => $above } }) if @$above;
    is_deeply [both('/management/v1', human($site), bearer($site))], [$read, $write], $what;
}

# UserProfileRole adds a role, and replaces one.
my @own = (
    ['SITE_READER',      '',      $denied],
    ['ORG_OWNER',        '',      $denied],
    ['ORG_USER_MANAGER', '',      ''],
    ['SITE_WRITER',      $denied, ''],
);
for my $case (@own) {
    my ($role, $read, $write) = @$case;
    my $site = site($role);
    is_deeply [both('/roles', human($site), bearer($site))], [$read, $write],
        "$role as UserProfileRole has it: a read is @{[said($read)]}, a write @{[said($write)]}";
}

# Which organisation.
my $mine    = site();
my $user    = human($mine);
my $other   = site();
my $theirs  = human($other);
my $manager = "manager-$$";     # of the instance; in an organisation of its own
my $home    = site();
fill(
    { user   => { id => $manager, orgId => $home->{org}, type => 'machine' } },
    { member => { userId => $manager, roles => ['IAM_OWNER'] } },
    { token  => { userId => $manager, token => $manager } },
    # Not stored: members, and users of no organisation.
    (map { { token => { userId => "$_-$$", token => "$_-$$" } } } qw(guest boss drifter)),
    { member => { userId => "guest-$$", orgId => $mine->{org}, roles => ['ORG_OWNER'] } },
    { member => { userId => "boss-$$", roles => ['IAM_OWNER'] } },
    # Nobody's member; and a member of two.
    { user   => { id => "plain-$$", orgId => $mine->{org}, type => 'machine' } },
    { token  => { userId => "plain-$$", token => "plain-$$" } },
    { member => { userId => $other->{admin}, orgId => $mine->{org}, roles => ['ORG_OWNER'] } },
);
my @ids = ($mine, $other, $manager, map { "$_-$$" } qw(guest boss drifter plain));
my ($here, $there, $iam, $guest, $boss, $drifter, $plain) = map { [bearer($_)] } @ids;

my $no_org    = 'ORG_NOT_FOUND';
my $no_member = 'MEMBERSHIP_NOT_FOUND';
my $missing   = 'USER_NOT_FOUND';
my $absent    = 'PROFILE_NOT_FOUND';
my @orgs = (
    # what                                                 who       x-zitadel-orgid  whom     GET         PUT
    ['without x-zitadel-orgid the organisation is the caller\'s own',  $here,    undef,           $user,   '',         ''],
    ['an empty x-zitadel-orgid is like none',                          $here,    '',              $user,   '',         ''],
    ['a caller may name its own organisation in x-zitadel-orgid',      $here,    $mine->{org},    $user,   '',         ''],
    ['a user of another organisation is not found',                    $here,    undef,           $theirs, $missing,   $absent],
    ['another organisation may be named by its members only',          $here,    $other->{org},   $theirs, $no_member, $no_member],
    ['an organisation that does not exist is refused',                 $here,    "no-org-$$",     $user,   $no_org,    $no_org],
    ['the case of an organisation\'s id counts',                       $here,    uc $mine->{org}, $user,   $no_org,    $no_org],
    ['an organisation\'s id that is too long is one that does not exist', $here,    'x' x 201,       $user,   $no_org,    $no_org],
    ['an organisation\'s id that is not UTF-8 is one that does not exist', $here,    "\xff",          $user,   $no_org,    $no_org],
    ['an organisation\'s id with a tab is one that does not exist',    $here,    "a\tb",          $user,   $no_org,    $no_org],
    ['a comma-separated list is one id, which does not exist',         $here,    "$mine->{org}, $mine->{org}", $user, $no_org, $no_org],
    ['a member of another organisation does not reach it without the header', $there,   undef,           $user,   $missing,   $absent],
    ['a member of another organisation reaches it with the header',    $there,   $mine->{org},    $user,   '',         ''],
    ['a member of another organisation reaches its own without the header', $there,   undef,           $theirs, '',         ''],
    ['that membership gives the other organisation\'s members nothing', $here,    $other->{org},   $user,   $no_member, $no_member],
    ['a manager of the instance does not reach another organisation without the header', $iam,     undef,           $user,   $missing,   $absent],
    ['a manager of the instance reaches any organisation with the header', $iam,     $mine->{org},    $user,   '',         ''],
    ['a manager of the instance reaches no further than the organisation named', $iam,     $mine->{org},    $theirs, $missing,   $absent],
    ['a manager of the instance cannot name an organisation that does not exist', $iam,     "no-org-$$",     $user,   $no_org,    $no_org],
    ['a member who is not a stored user needs the header',             $guest,   undef,           $user,   $no_org,    $no_org],
    ['for a member who is not stored an empty header is not enough',   $guest,   '',              $user,   $no_org,    $no_org],
    ['a member who is not stored reaches the organisation named',      $guest,   $mine->{org},    $user,   '',         ''],
    ['a member who is not stored does not reach another organisation', $guest,   $other->{org},   $theirs, $no_member, $no_member],
    ['a member of the instance who is not stored needs the header',    $boss,    undef,           $user,   $no_org,    $no_org],
    ['a member of the instance who is not stored reaches the organisation named', $boss,    $other->{org},   $theirs, '',         ''],
    ['a caller who is not stored and no member has no organisation',   $drifter, undef,           $user,   $no_org,    $no_org],
    ['a caller who is not stored and no member may name none',         $drifter, $mine->{org},    $user,   $no_member, $no_member],
    ['a stored caller without a membership is refused',                $plain,   undef,           $user,   $no_member, $no_member],
    ['a caller without a membership may not read itself',              $plain,   undef,           "plain-$$", $no_member, $no_member],
);
for my $case (@orgs) {
    my ($what, $who, $org, $whom, $read, $write) = @$case;
    my @header = (@$who, defined $org ? ('x-zitadel-orgid' => $org) : ());
    is_deeply [both('/management/v1', $whom, @header)], [$read, $write], $what;
}
my $viewer = site('ORG_OWNER_VIEWER');
is_deeply [both('/management/v1', $viewer->{admin}, bearer($viewer))], ['', $denied],
    'a caller who may only read may not change itself';
like raw("GET /management/v1/users/$user/profile HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        . "Authorization: $here->[1]\r\nx-zitadel-orgid: $mine->{org}\r\nX-Zitadel-OrgId: $mine->{org}\r\n\r\n"),
    qr/^HTTP.1\.1 403 .*"reason":"ORG_NOT_FOUND"/s, 'x-zitadel-orgid twice names an organisation that does not exist';
like raw("GET /management/v1/users/$user/profile HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        . "Authorization: $here->[1]\r\nX-ZITADEL-ORGID: $mine->{org}\r\n\r\n"),
    qr/^HTTP.1\.1 200 /, 'the case of the header\'s name does not count';

# The answers, to the byte: what, status, headers, the body's beginning.
my @bytes = (
    ['an organisation that does not exist', 403, [@$guest], 7, "Organisation doesn't exist", 'AUTH-Bs7Ds', $no_org],
    ['no membership',                       404, [@$plain], 5, 'membership not found', 'AUTHZ-cdgFk', $no_member],
    ['no permission',                       403, [bearer(site('X'))], 7, 'No matching permissions found', 'AUTH-5mWD2', $denied],
);
for my $case (@bytes) {
    my ($what, $status, $header, $code, $message, $id, $reason) = @$case;
    my $got = request(GET => "/management/v1/users/$user/profile", {@$header});
    is $got->code, $status, "$what: HTTP $status";
    is $got->content,
        qq({"code":$code,"message":"$message ($id)","details":[)
        . qq({"\@type":"type.googleapis.com/zitadel.v1.ErrorDetail","id":"$id","message":"$message"},)
        . qq({"\@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"$reason","domain":"userprofile"}]}),
        "$what: the body, to the byte";
}

# Callers by their state, with our tokens and with another module's word.
# Passwords are names and "-password".
my (%caller, $passwords);
$passwords = '';
for my $name (qw(active initial locked inactive removed machine nobody), '') {
    my $id = length $name ? "$name-caller-$$" : '';
    $caller{$name} = $id;
    $passwords .= "$id:{SHA}" . sha1_base64("$id-password") . "=\n";
    next if $name =~ /^(?:nobody)?$/;
    my $human = $name ne 'machine';
    fill(
        { user => { id => $id, orgId => $mine->{org}, type => $human ? 'human' : 'machine',
            $human ? (state => $name, profile => { firstName => 'F', lastName => 'L', displayName => 'D' }) : () } },
        { member => { userId => $id, orgId => $mine->{org}, roles => ['ORG_OWNER'] } },
        { member => { userId => $id, roles => ['IAM_OWNER'] } },
        { token => { userId => $id, token => $id } },
    );
}
my $file = UserProfile::vars()->{t_state} . '/callers';
open my $out, '>', $file or die "cannot write $file: $!";
print $out $passwords;
close $out or die "cannot write $file: $!";

my $bad = 'TOKEN_INVALID';
my @callers = (
    # who         by token   by password
    ['active',   '',        ''],
    ['initial',  '',        ''],
    ['machine',  '',        ''],
    ['locked',   $bad,      $no_member],
    ['inactive', $bad,      $no_member],
    ['removed',  $bad,      $no_member],
);
for my $case (@callers) {
    my ($name, $token, $password) = @$case;
    my $id = $caller{$name};
    is_deeply [both('/management/v1', $user, bearer($id))], [$token, $token], "a caller who is $name, with our token: @{[said($token)]}";
    is_deeply [both('/callers', $user, basic($id))], [$password, $password], "a caller who is $name, with mod_auth_basic: @{[said($password)]}";
    is_deeply [both('/callers', $user, basic($id), 'x-zitadel-orgid' => $mine->{org})],
        [$password, $password], "a caller who is $name, with the organisation's id: @{[said($password)]}";
}
is_deeply [both('/callers', $user, basic($caller{nobody}))], [$no_org, $no_org], 'a caller who is not stored has no organisation';
is_deeply [both('/callers', $user, basic($caller{nobody}), 'x-zitadel-orgid' => $mine->{org})],
    [$no_member, $no_member], 'a caller who is not stored is no member of the organisation named';
is_deeply [both('/callers', $user, basic(''))], [('AUTH_HEADER_MISSING') x 2], 'an empty REMOTE_USER is no caller';

# A role that is granted, or taken away, counts from the next request on.
my $changing = site('ORG_OWNER_VIEWER');
my $subject  = human($changing);
my @steps = (
    ['a viewer may read only',                                     undef,                                                          '',    $denied],
    ['a role that was added counts from the next request',         [qw(member add --org), @$changing{qw(org admin)}, 'ORG_OWNER'], '',    ''],
    ['a membership that was removed counts from the next request', [qw(member remove --org), @$changing{qw(org admin)}],           $no_member, $no_member],
);
for my $case (@steps) {
    my ($what, $command, $read, $write) = @$case;
    is +(ctl(@$command))[0], 0, "userprofilectl member $command->[1] succeeds" if $command;
    is_deeply [both('/management/v1', $subject, bearer($changing))], [$read, $write], $what;
}

# The first fault answers: each request has this one and all that follow it.
my %cut = ('Content-Type' => 'application/json', 'If-Match' => '"9"');
my $too_long = 'x' x 201;
my $bad_user = "/management/v1/users/$too_long/profile";
my $viewers  = site('ORG_OWNER_VIEWER');
my $machine  = "machine-access-$$";
fill({ user => { id => $machine, orgId => $mine->{org}, type => 'machine' } });
my @order = (
    # what                       method   path                          headers                                                               body            reason
    ['the method comes first',                                        'POST',  $bad_user,                    { %cut, 'Content-Type' => 'text/plain', 'If-Match' => 'x' },                  '{',            'METHOD_NOT_ALLOWED'],
    ['the media type comes before the token',                         'PUT',   $bad_user,                    { %cut, 'Content-Type' => 'text/plain', 'If-Match' => 'x' },                  '{',            'MEDIA_TYPE_UNSUPPORTED'],
    ['a missing token comes before the body',                         'PUT',   $bad_user,                    { %cut, 'If-Match' => 'x' },                                      '{',            'AUTH_HEADER_MISSING'],
    ['a bad token comes before the body',                             'PUT',   $bad_user,                    { %cut, 'If-Match' => 'x', bearer('nope') },                      '{',            'TOKEN_INVALID'],
    ['a missing caller comes before the body',                        'PUT',   "/open/users/$too_long/profile", { %cut, 'If-Match' => 'x' },                                   '{',            'AUTH_HEADER_MISSING'],
    ['the body\'s size comes before its JSON',                        'PUT',   "/small/users/$too_long/profile", { %cut, 'If-Match' => 'x', @$guest },                         '{' x 101,      'BODY_TOO_LARGE'],
    ['the body\'s JSON comes before the precondition\'s syntax',      'PUT',   $bad_user,                    { %cut, 'If-Match' => 'x', @$guest },                             '{',            'BODY_INVALID'],
    ['the precondition\'s syntax comes before the organisation',      'PUT',  $bad_user,                    { %cut, 'If-Match' => 'x', @$guest },                             '{}',           'BODY_INVALID'],
    ['a caller without an organisation comes before the id',          'PUT',   $bad_user,                    { %cut, @$guest },                                                '{}',           $no_org],
    ['the organisation named comes before the membership',            'PUT',   $bad_user,                    { %cut, @$plain, 'x-zitadel-orgid' => "no-org-$$" },              '{}',           $no_org],
    ['the membership comes before the id',                            'PUT',   $bad_user,                    { %cut, @$plain },                                                '{}',           $no_member],
    ['the permission comes before the id',                            'PUT',   $bad_user,                    { %cut, bearer($viewers) },                                       '{}',           $denied],
    ['the fields and the id come before the user',                    'PUT',   $bad_user,                    { %cut, @$here },                                                 '{}',           'FIELD_INVALID'],
    ['the fields come before the user',                               'PUT',   "/management/v1/users/nobody/profile", { %cut, @$here },                                        '{}',           'FIELD_INVALID'],
    ['the user comes before the sequence',                            'PUT',   "/management/v1/users/nobody/profile", { %cut, @$here },                                        change(),       $absent],
    ['the sequence comes before the comparison of the values',        'PUT',   "/management/v1/users/$viewers->{admin}/profile", { %cut, @$iam, 'x-zitadel-orgid' => $viewers->{org} }, { firstName => 'Gigi', lastName => 'Giraffe', displayName => 'Gigi Giraffe' }, 'SEQUENCE_MISMATCH'],
    ['unchanged values come last',                                    'PUT',   "/management/v1/users/$viewers->{admin}/profile", { @$iam, 'x-zitadel-orgid' => $viewers->{org} }, { firstName => 'Gigi', lastName => 'Giraffe', displayName => 'Gigi Giraffe' }, 'PROFILE_NOT_CHANGED'],
    ['GET: the precondition\'s syntax comes before the organisation', 'GET',   $bad_user,                    { 'If-Match' => 'x', @$guest },                                   undef,          'BODY_INVALID'],
    ['GET: the permission comes before the id',                       'GET',   $bad_user,                    { 'If-Match' => '"9"', bearer(site('X')) },                       undef,          $denied],
    ['GET: the id comes before the user',                             'GET',   $bad_user,                    { 'If-Match' => '"9"', @$here },                                  undef,          'FIELD_INVALID'],
    ['GET: the user comes before the sequence',                       'GET',   "/management/v1/users/nobody/profile", { 'If-Match' => '"9"', @$here },                         undef,          $missing],
    ['GET: a machine comes before the sequence',                      'GET',   "/management/v1/users/$machine/profile", { 'If-Match' => '"9"', @$here },                       undef,          'USER_NOT_HUMAN'],
    ['GET: the sequence comes last',                                  'GET',   "/management/v1/users/$user/profile", { 'If-Match' => '"9999"', @$here },                       undef,          'SEQUENCE_MISMATCH'],
);
for my $case (@order) {
    my ($what, $method, $path, $header, $body, $reason) = @$case;
    is reason(request($method => $path, $header, $body)), $reason, "$what";
}
my $fields = decode(request(PUT => $bad_user, { %cut, @$here }, '{"gender":7}'))->{details}[1]{fieldViolations};
is_deeply [map { $_->{field} } @$fields], [qw(userId firstName lastName displayName gender)],
    'FIELD_INVALID names the id before the fields';

done_testing;
