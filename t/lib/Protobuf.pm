# Protobuf.pm -- protobuf messages by hand, right and wrong ones.
package Protobuf;

use strict;
use warnings;

use Exporter     qw(import);
use MIME::Base64 qw(decode_base64);

our @EXPORT = qw(varint number text update_message get_message fields status);

sub varint {
    my ($value) = @_;
    my $bytes = '';
    while ($value > 0x7f) {
        $bytes .= chr($value & 0x7f | 0x80);
        $value >>= 7;
    }
    return $bytes . chr $value;
}

# Field $number as a varint, and as a string of bytes.
sub number {
    my ($number, $value) = @_;
    return varint($number << 3) . varint($value);
}

sub text {
    my ($number, $bytes) = @_;
    return varint($number << 3 | 2) . varint(length $bytes) . $bytes;
}

# UpdateHumanProfileRequest for user $id.
sub update_message {
    my ($id, %profile) = @_;
    my @names = qw(firstName lastName nickName displayName preferredLanguage);

    my $message = text(1, $id);
    for my $i (0 .. $#names) {
        my $value = $profile{ $names[$i] };
        $message .= text($i + 2, $value) if defined $value;
    }
    $message .= number(7, $profile{gender}) if $profile{gender};
    return $message;
}

# GetHumanProfileRequest
sub get_message {
    my ($id) = @_;
    return text(1, $id);
}

sub read_varint {
    my ($bytes) = @_;
    my ($value, $shift) = (0, 0);
    while (1) {
        my $byte = ord substr $$bytes, 0, 1, '';
        $value |= ($byte & 0x7f) << $shift;
        $shift += 7;
        return $value if $byte < 0x80;
    }
}

# What a message of varints and strings has: number => [value, ...].
sub fields {
    my ($bytes) = @_;
    my %field;
    while (length $bytes) {
        my $tag = read_varint(\$bytes);
        my $value = read_varint(\$bytes);
        $value = substr $bytes, 0, $value, '' if ($tag & 7) == 2;
        push @{ $field{ $tag >> 3 } }, $value;
    }
    return \%field;
}

# What the details of an error hold, by type.
my %details = (
    'zitadel.v1.ErrorDetail' => [qw(id message)],
    'google.rpc.ErrorInfo'   => [qw(reason domain)],
);

sub detail {
    my ($type, $bytes) = @_;
    my $field = fields($bytes);

    return [map { [map { $_->[0] } @{ fields($_) }{ 1, 2 }] } @{ $field->{1} }]
        if $type eq 'google.rpc.BadRequest';
    my $names = $details{$type} or die "no detail has type '$type'\n";
    return { map { $names->[$_] => $field->{ $_ + 1 }[0] } 0, 1 };
}

# google.rpc.Status, as grpc-status-details-bin has it: { code, message, order
# => [short names of its details], ErrorDetail => { id, message }, ErrorInfo =>
# { reason, domain }, BadRequest => [[field, description], ...] }.
sub status {
    my ($text) = @_;
    my $status = fields(decode_base64($text));
    my %status = (code => $status->{1}[0], message => $status->{2}[0]);

    for my $any (map { fields($_) } @{ $status->{3} }) {
        my $type = $any->{1}[0] =~ s{^type\.googleapis\.com/}{}r;
        my ($name) = $type =~ /(\w+)$/;
        push @{ $status{order} }, $name;
        $status{$name} = detail($type, $any->{2}[0]);
    }
    return \%status;
}

1;
