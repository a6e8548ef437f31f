# UserProfileUnchanged: what a v1 update that changes nothing is.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Calls;
use UserProfile;

my $site = site();
my $self = human($site);
fill({ token => { userId => $self, token => $self } });

my %gigi = (firstName => 'Gigi', lastName => 'Giraffe', displayName => 'Gigi Giraffe');

# What both updates that change nothing come to in $form, below $place:
# the reason, or the details.
sub outcomes {
    my ($form, $place) = @_;
    local $Calls::place = $place;
    return map {
        my ($call, $token, $message) = @$_;
        my $got = call_as($form, $call => { bearer($token) }, $message);
        my ($info) = grep { $_->[0] eq 'google.rpc.ErrorInfo' } @{ $got->{details} || [] };
        $got->{answer} ? $got->{answer}{details} : $info->[1]{reason};
    } ['UpdateHumanProfile', $site, { userId => $self, %gigi }], ['UpdateMyProfile', $self, {%gigi}];
}

# The details of the user, as a read has them.
my $read = request(GET => PROFILES . "/$self/profile", { bearer($site) });
my $details = decode($read)->{details};

for my $form (FORMS) {
    for my $place ('/api', '/api/unchanged/error') {
        is_deeply [outcomes($form, $place)], [('PROFILE_NOT_CHANGED') x 2],
            "$form, $place: an update that changes nothing is an error";
    }
    is_deeply [map { "$_->{sequence} $_->{changeDate} $_->{resourceOwner}" } outcomes($form, '/api/unchanged')],
        [("$details->{sequence} $details->{changeDate} $site->{org}") x 2],
        "$form, ok: an update that changes nothing succeeds, with the details as they are";
}

my $place = '/api/unchanged' . PROFILES . "/$self/profile";
my $got = request(PUT => $place, { bearer($site) }, {%gigi});
is $got->code . ' ' . $got->header('ETag'), '200 ' . $read->header('ETag'), 'ok: status and ETag of a REST update';
is request(PUT => $place, { bearer($site), 'If-Match' => '"9"' }, {%gigi})->code, 412,
    'ok: If-Match is judged all the same';
is reason(request(PUT => '/api/unchanged' . PROFILES . "/nobody-$$/profile", { bearer($site) }, {%gigi})),
    'PROFILE_NOT_FOUND', 'ok: of a user who exists';
$got = request(PUT => $place, { bearer($site) }, { %gigi, nickName => 'Gi' });
is decode($got)->{details}{sequence}, $details->{sequence} + 1, 'ok: what differs is changed';

done_testing;
