# Calls.pm -- each call of the API in each form that it has: REST, gRPC, gRPC-Web,
# Connect with JSON and with protobuf.
#
#   my $got = call_as('connect', UpdateUser => { bearer($site) },
#       { userId => $id, human => {} });
#
# What comes back reads alike in all of them: { http, header => { lower-case name
# => value }, body, answer => the message } or, instead of answer, { code,
# message, details }: google.rpc.Code, and the details as [type, value] each.
package Calls;

use strict;
use warnings;

use Encode       qw(encode_utf8);
use Exporter     qw(import);
use JSON::PP     ();
use MIME::Base64 qw(decode_base64);

use Grpc        qw(frame grpc h2 web);
use Message;
use Protobuf    ();
use UserProfile qw(request);

our @EXPORT = qw(call_as path_of FORMS connect_http connect_answer);

use constant FORMS => qw(rest grpc web connect connect-proto);

# Below which section calls are made, unless the test makes it another.
our $place = '/api';

my $json = JSON::PP->new->utf8->canonical;

my $management = 'zitadel.management.v1.ManagementService';
my $auth       = 'zitadel.auth.v1.AuthService';
my $user       = 'zitadel.user.v2.UserService';

# Service, HTTP method and path, type of the request and of the answer.
my %calls = (
    GetHumanProfile    => [$management, 'GET', '/management/v1/users/{userId}/profile', 'GetHumanProfileRequest', 'ProfileResponse'],
    UpdateHumanProfile => [$management, 'PUT', '/management/v1/users/{userId}/profile', 'UpdateHumanProfileRequest', 'DetailsResponse'],
    GetMyProfile       => [$auth, 'GET',   '/auth/v1/users/me/profile', 'GetMyProfileRequest',    'ProfileResponse'],
    UpdateMyProfile    => [$auth, 'PUT',   '/auth/v1/users/me/profile', 'UpdateMyProfileRequest', 'DetailsResponse'],
    GetUserByID        => [$user, 'GET',   '/v2/users/{userId}',        'GetUserByIDRequest',     'GetUserByIDResponse'],
    UpdateHumanUser    => [$user, 'PUT',   '/v2/users/human/{userId}',  'UpdateHumanUserRequest', 'UpdateHumanUserResponse'],
    UpdateUser         => [$user, 'PATCH', '/v2/users/{userId}',        'UpdateUserRequest',      'UpdateUserResponse'],
);

# The HTTP status that Connect has for a code.
my @http = (200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401);
my @name = qw(
    ok canceled unknown invalid_argument deadline_exceeded not_found
    already_exists permission_denied resource_exhausted failed_precondition
    aborted out_of_range unimplemented internal unavailable data_loss
    unauthenticated
);

sub connect_http { return $http[ $_[0] ] }

# The path of $call as an RPC.
sub path_of {
    my ($call) = @_;
    return "$place/$calls{$call}[0]/$call";
}

sub rest {
    my ($call, $headers, $message) = @_;
    my (undef, $method, $path, undef, undef) = @{ $calls{$call} };
    my %rest = %$message;
    $path =~ s{\{userId\}}{
        join '', map { sprintf /[\w.~-]/ ? '%s' : '%%%02X', /[\w.~-]/ ? $_ : ord } split //,
            encode_utf8(delete $rest{userId} // '')
    }e;
    my $got = request($method => $place . $path, $headers,
        $method eq 'GET' ? undef : $json->encode(\%rest));
    my %got = (http => $got->code, body => $got->content,
        header => { map { lc $_ => scalar $got->header($_) } $got->header_field_names });
    my $said = eval { $json->decode($got->content) } // return \%got;
    return { %got, answer => $said } if $got->code == 200;
    return { %got, code => $said->{code}, message => $said->{message},
        details => [map { my %detail = %$_; [(delete $detail{'@type'}) =~ s{^type\.googleapis\.com/}{}r, \%detail] }
            @{ $said->{details} }] };
}

# The details of the bytes of google.rpc.Status, whose own code and message must
# be those given.
sub details_of {
    my ($base64, $code, $message) = @_;
    my $status = Protobuf::fields(decode_base64($base64));
    die "the details have another code: $status->{1}[0], not $code\n" if $status->{1}[0] ne $code;
    die "the details have another message: $status->{2}[0], not $message\n" if $status->{2}[0] ne $message;
    return [map {
        my $any = Protobuf::fields($_);
        my $type = $any->{1}[0] =~ s{^type\.googleapis\.com/}{}r;
        [$type, detail_of($type, $any->{2}[0])]
    } @{ $status->{3} }];
}

# A detail of $type as JSON would have it.
sub detail_of {
    my ($type, $bytes) = @_;
    my $detail = Protobuf::detail($type, $bytes);
    return { fieldViolations => [map { { field => $_->[0], description => $_->[1] } } @$detail] } if ref $detail eq 'ARRAY';
    return $detail;
}

sub percent_decoded {
    return $_[0] =~ s/%([0-9A-F]{2})/chr hex $1/ger;
}

sub said_by_grpc {
    my ($got, $said, $call, $message) = @_;
    my $code = $said->{'grpc-status'} // die 'no grpc-status: ' . ($got->{failed} // $got->{http} // '') . "\n";
    return { %$got, answer => from_protobuf($calls{$call}[4], $message) } if !$code;
    my $text = percent_decoded($said->{'grpc-message'} // '');
    return { %$got, code => $code, message => $text,
        details => details_of($said->{'grpc-status-details-bin'} // '', $code, $text) };
}

sub unframed {
    my ($bytes) = @_;
    return (Grpc::web($bytes))[0][1] if length $bytes;
    return '';
}

sub call_as {
    my ($form, $call, $headers, $message) = @_;
    my ($service, undef, undef, $type) = @{ $calls{$call} };

    return rest($call, $headers, $message) if $form eq 'rest';

    my %header = map { lc $_ => $headers->{$_} } keys %$headers;
    if ($form eq 'grpc') {
        my $got = grpc(POST => path_of($call), \%header, frame(to_protobuf($type, $message)));
        my %said = (%{ $got->{headers} }, %{ $got->{trailers} });
        return said_by_grpc({ http => $got->{http}, header => \%said, body => $got->{body},
            failed => $got->{failed} }, \%said, $call, unframed($got->{body}));
    }
    if ($form eq 'web') {
        my $got = request(POST => path_of($call), { %header, 'content-type' => 'application/grpc-web+proto' },
            frame(to_protobuf($type, $message)));
        my @frames = web($got->content);
        my ($end)  = grep { $_->[0] == 0x80 } @frames;
        my ($data) = grep { $_->[0] == 0 } @frames;
        my %said   = map { /^([^:]+): (.*)$/ } split /\r\n/, $end ? $end->[1] : '';
        return said_by_grpc({ http => $got->code, body => $got->content,
            header => { map { lc $_ => scalar $got->header($_) } $got->header_field_names } },
            \%said, $call, $data ? $data->[1] : '');
    }

    my $is_json = $form eq 'connect';
    my $got = request(POST => path_of($call),
        { %header, 'content-type' => $is_json ? 'application/json' : 'application/proto' },
        $is_json ? $json->encode($message) : to_protobuf($type, $message));
    return connect_answer($got, $call, $is_json);
}

# What a Connect answer, an HTTP::Response, says.
sub connect_answer {
    my ($got, $call, $is_json) = @_;
    my %got = (http => $got->code, body => $got->content,
        header => { map { lc $_ => scalar $got->header($_) } $got->header_field_names });
    return { %got, answer => $is_json ? $json->decode($got->content) : from_protobuf($calls{$call}[4], $got->content) }
        if $got->code == 200;
    my $said = $json->decode($got->content);
    my ($code) = grep { $name[$_] eq $said->{code} } 0 .. $#name;
    my @details;
    for my $detail (@{ $said->{details} }) {
        die "the value is padded\n" if $detail->{value} =~ /=/;
        my $decoded = detail_of($detail->{type}, decode_base64($detail->{value}));
        $json->encode($decoded) eq $json->encode($detail->{debug}) or die "debug is not the value: $got{body}\n";
        push @details, [$detail->{type}, $decoded];
    }
    return { %got, code => $code // $said->{code}, message => $said->{message}, details => \@details };
}

1;
