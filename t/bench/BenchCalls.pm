# BenchCalls.pm -- the calls that the benchmark makes, and their requests' text.
package BenchCalls;

use strict;
use warnings;

use Exporter qw(import);

use Users ();

our @EXPORT = qw($API $V2 $RPC $JSON $GRPC);

our $API  = '/management/v1';
our $V2   = '/v2';
our $RPC  = '/zitadel.management.v1.ManagementService';
our $JSON = 'application/json';
our $GRPC = 'application/grpc';

# Where mod_userprofile is switched on.
our @PLACES = ($API, $V2, $RPC);

# The profile that Users.pm made, but for the nickname.
sub profile {
    my ($nick) = @_;
    return
          '{"firstName":"First{number}","lastName":"Last{number}",'
        . qq("nickName":"$nick","displayName":"First{number} Last{number}",)
        . '"preferredLanguage":"en","gender":"GENDER_FEMALE"}';
}

# One row for each call: its name, method, place, path below that place, body,
# and the status that it is answered with. In path and body
#
#     {id}       is the id of a user
#     {missing}  an id that no user has
#     {number}   the user's number, which Users.pm puts into its names
#     {old}      the nickname that Users.pm gave it
#     {new}      a nickname that it never had
#
# The probe (Stage.pm) makes the calls in this order on one user: "same" comes
# before all that change it.
my $PATCH = '{"human":{"profile":{"nickName":"{new}"}}}';
my @CALLS = (
    [get        => 'GET',   $API, '/users/{id}/profile', undef, 200],
    [missing    => 'GET',   $API, '/users/{missing}/profile', undef, 404],
    [same       => 'PUT',   $API, '/users/{id}/profile', profile('{old}'), 400],
    [change     => 'PUT',   $API, '/users/{id}/profile', profile('{new}'), 200],
    [get_user   => 'GET',   $V2,  '/users/{id}', undef, 200],
    [patch_user => 'PATCH', $V2,  '/users/{id}', $PATCH, 200],
    [connect => 'POST', $RPC, '/GetHumanProfile', '{"userId":"{id}"}', 200],
);

my @COLUMNS = qw(name method place path body status);
my %call;

for my $row (@CALLS) {
    my %named;
    @named{@COLUMNS} = @$row;
    $call{ $named{name} } = \%named;
}

sub names { return map { $_->[0] } @CALLS }

# The call $name: a hash with the columns above.
sub call {
    my ($name) = @_;
    return $call{$name} || die "there is no call '$name'\n";
}

# Whether the call $name changes what is stored.
sub is_change {
    my ($name) = @_;
    my $call = call($name);
    return $call->{method} =~ /^(?:PUT|PATCH)$/ && $call->{status} == 200;
}

# $text for user number $user of $users; $count makes {new} another.
sub fill {
    my ($text, $user, $users, $count) = @_;
    my %value = (
        id      => sprintf('3%017d', $user),
        missing => sprintf('3%017d', $user + $users),
        number  => sprintf('%07d',   $user),
        old     => sprintf('N%09d',  $user),
        new     => sprintf('C%09d',  $count)
    );
    return $text =~ s/\{([a-z]+)\}/$value{$1}/gr;
}

# The text of the request for the call $name over HTTP/1.1, not yet filled in.
# Of %how: place, another place than the call's; token, whether to send it;
# headers, more lines.
sub request {
    my ($name, %how) = @_;
    my $call    = call($name);
    my $place   = $how{place} // $call->{place};
    my @headers = ('Host: 127.0.0.1', @{ $how{headers} || [] });

    push @headers, "Authorization: Bearer $Users::TOKEN" if $how{token};
    if (defined $call->{body}) {
        push @headers, "Content-Type: $JSON",
            'Content-Length: ' . length fill($call->{body}, 0, 0, 0);
    }
    return join "\r\n", "$call->{method} $place$call->{path} HTTP/1.1",
        @headers, '', $call->{body} // '';
}

1;
