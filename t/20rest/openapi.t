# conf/openapi.json: it is served as the example configuration says, describes
# every call, and the check of every answer of these tests finds what differs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use OpenApi qw(description operation);
use OwnServer;
use UserProfile;

my $top = UserProfile::top();
my $doc = description($top);

# The example, with its comment signs taken away.
my ($example) = UserProfile::slurp("$top/conf/userprofile.conf")
    =~ /^(#Alias \S+ \S+openapi\.json\n(?:#.*\n)*)/m;
ok $example, 'userprofile.conf has an example that serves the description';
my $alias = $example =~ s/^#//gmr =~ s{/usr/share/userprofile}{$top/conf}gr;
my ($path) = $alias =~ /^Alias (\S+)/;
my $server = OwnServer->start(<<"END");
<Directory />
    Require all denied
</Directory>
$alias
END
my $got = request(GET => $server->url($path));
is $got->code, 200, 'the example serves it';
is_deeply decode($got), $doc, '... as it is';

# Every operation, in an answer that succeeds.
my $site = site();
my $user = human($site);
my %auth = bearer($site);
my %body = (
    UpdateHumanProfile => { firstName => 'A', lastName => 'B', displayName => 'C' },
    UpdateMyProfile    => { firstName => 'A', lastName => 'B', displayName => 'C' },
    UpdateUser         => { human   => { profile => { nickName => 'N' } } },
    UpdateHumanUser    => { profile => { givenName => 'X', familyName => 'Y' } },
);
for my $path (sort keys %{ $doc->{paths} }) {
    for my $method (grep { $_ ne 'parameters' } sort keys %{ $doc->{paths}{$path} }) {
        my $target = '/api' . $path =~ s/\{userId\}/$user/r;
        my $id     = operation($doc, uc $method, $target)->{operationId};
        my $got    = request(uc $method, $target, {%auth}, $body{$id});
        is $got->code, 200, "$id is answered as described" or diag $got->content;
    }
}

# Differences: what, of which answer, what is found.
my %details = (
    sequence      => '1',
    creationDate  => '2025-03-25T09:00:00.100Z',
    changeDate    => '2025-03-25T09:00:00.100Z',
    resourceOwner => 'O',
);
my %profile = (firstName => 'A', lastName => 'B', preferredLanguage => 'und');
my $info = {
    '@type' => 'type.googleapis.com/google.rpc.ErrorInfo',
    reason  => 'USER_NOT_FOUND',
    domain  => 'userprofile',
};
my $read = sub {
    my (%change) = @_;
    return { details => {%details}, profile => {%profile}, %change };
};
my $error = sub {
    my (%change) = @_;
    return { code => 5, message => 'no', details => [$info], %change };
};
for my $case (
    ['nothing',                        200, $read->(), ''],
    ['a field that is not described',  200, $read->(more => 1), 'the body breaks additionalProperties'],
    ['a field that is missing',        200, { profile => {%profile} }, 'the body breaks required'],
    ['a number in place of a text',    200, $read->(details => { %details, sequence => 1 }), 'the body.details.sequence breaks type'],
    ['a text that is no sequence',     200, $read->(details => { %details, sequence => 'x' }), 'the body.details.sequence breaks pattern'],
    ['a time of another form',         200, $read->(details => { %details, changeDate => 'today' }), 'the body.details.changeDate breaks format'],
    ['a name that is too long',        200, $read->(profile => { %profile, firstName => 'x' x 201 }), 'the body.profile.firstName breaks maxLength'],
    ['a name that is empty',           200, $read->(profile => { %profile, firstName => '' }), 'the body.profile.firstName breaks minLength'],
    ['an unknown gender',              200, $read->(profile => { %profile, gender => 'x' }), 'the body.profile.gender breaks enum'],
    ['a list in place of an object',   200, [], 'the body breaks type'],
    ['a status that is not described', 206, $read->(), 'the status is not described'],
    ['nothing in an error',            404, $error->(), ''],
    ['a code of another status',       404, $error->(code => 3), 'the body.code breaks enum'],
    ['a reason of another status',     403, $error->(code => 7), 'the body.details breaks contains'],
    ['a detail of no known type',      404, $error->(details => [$info, {}]), 'the body.details[1] breaks oneOf'],
    ['no details',                     404, $error->(details => []), 'the body.details breaks minItems'],
    ['another error in place of one',  404, { error => 'no' }, 'the body breaks additionalProperties'],
    ['an error of another module',     418, $error->(code => 3, details => [{ %$info, reason => 'BAD_REQUEST' }]), ''],
    )
{
    my ($what, $status, $body, $want) = @$case;
    my $text = JSON::PP->new->utf8->encode($body);
    is OpenApi::difference($doc, GET => '/x/management/v1/users/U/profile?y', $status, { etag => '"1"' }, $text),
        $want, "$what is " . ($want ? 'found' : 'accepted');
}
is OpenApi::difference($doc, GET => '/v2/users/U', 404, {}, '<html>'), 'the body is not JSON', 'what is no JSON is found';
is OpenApi::difference($doc, GET => '/auth/v1/users/me/profile', 200, { etag => 'x' }, ''), 'ETag breaks pattern', 'another ETag is found';

# Which call a path is.
for my $case (
    [GET   => '/users/me/profile',               'GetHumanProfile'],
    [HEAD  => '/a/management/v1/users/x/profile', 'GetHumanProfile'],
    [PUT   => '/auth/v1/users/me/profile',       'UpdateMyProfile'],
    [GET   => 'http://h:1/p/v2/users/human',     'GetUserByID'],
    [PUT   => '/v2/users/human/x',               'UpdateHumanUser'],
    [PATCH => '/v2/users/x?human/y',             'UpdateUser'],
    [PUT   => '/auth/v1/users/x/profile',        undef],
    [GET   => '/v2/users/x/',                    undef],
    )
{
    my ($method, $path, $id) = @$case;
    is +(operation($doc, $method, $path) || {})->{operationId}, $id, "$method $path is " . ($id // 'none');
}

done_testing;
