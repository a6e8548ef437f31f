# Message.pm -- the messages of the API as nested Perl data, written and read as
# protobuf by a table of their fields. Data is what protobuf's JSON form has:
# lower-camel names, enums by name or number, 64-bit integers as text,
# timestamps as in RFC 3339.
package Message;

use strict;
use warnings;

use Encode   qw(decode_utf8 encode_utf8);
use Exporter qw(import);
use POSIX    qw(strftime);
use Time::Local qw(timegm);

use Protobuf;

our @EXPORT = qw(to_protobuf from_protobuf);

my %enum = (
    Gender => [qw(GENDER_UNSPECIFIED GENDER_FEMALE GENDER_MALE GENDER_DIVERSE)],
    State  => [
        map { "USER_STATE_$_" }
            qw(UNSPECIFIED ACTIVE INACTIVE DELETED LOCKED INITIAL)
    ],
);

# The fields of messages by name: their number and type, "string", "uint64",
# "Timestamp", an enum or a message; repeated where a "*" stands before it.
my %field = (
    Empty                    => {},
    GetHumanProfileRequest   => { userId => '1 string' },
    GetMyProfileRequest      => {},
    UpdateHumanProfileRequest => {
        userId   => '1 string',
        firstName => '2 string', lastName => '3 string', nickName => '4 string',
        displayName => '5 string', preferredLanguage => '6 string', gender => '7 Gender',
    },
    UpdateMyProfileRequest => {
        firstName => '1 string', lastName => '2 string', nickName => '3 string',
        displayName => '4 string', preferredLanguage => '5 string', gender => '6 Gender',
    },
    Profile => {
        firstName => '1 string', lastName => '2 string', nickName => '3 string',
        displayName => '4 string', preferredLanguage => '5 string', gender => '6 Gender',
        avatarUrl => '7 string',
    },
    ObjectDetails => {
        sequence => '1 uint64', creationDate => '2 Timestamp', changeDate => '3 Timestamp',
        resourceOwner => '4 string',
    },
    ProfileResponse => { details => '1 ObjectDetails', profile => '2 Profile' },
    DetailsResponse => { details => '1 ObjectDetails' },

    GetUserByIDRequest     => { userId => '1 string' },
    UpdateHumanUserRequest => {
        userId => '1 string', username => '2 string', profile => '3 V2Profile',
        email => '4 Any', phone => '5 Any', password => '6 Any',
    },
    UpdateUserRequest => {
        userId => '1 string', username => '2 string', human => '3 Human',
        machine => '4 Any', metadata => '5 *Any',
    },
    Human => {
        profile => '1 V2Profile', email => '2 Any', phone => '3 Any', password => '4 Any',
    },
    V2Profile => {
        givenName => '1 string', familyName => '2 string', nickName => '3 string',
        displayName => '4 string', preferredLanguage => '5 string', gender => '6 Gender',
        avatarUrl => '7 string',
    },
    V2Details => {
        sequence => '1 uint64', changeDate => '2 Timestamp', resourceOwner => '3 string',
        creationDate => '4 Timestamp',
    },
    User => {
        userId => '1 string', state => '2 State', username => '3 string',
        loginNames => '4 *string', preferredLoginName => '5 string',
        human => '6 HumanUser', machine => '7 Empty', details => '8 V2Details',
    },
    HumanUser               => { profile => '6 V2Profile' },
    GetUserByIDResponse     => { details => '1 V2Details', user => '2 User' },
    UpdateHumanUserResponse => { details => '1 V2Details' },
    UpdateUserResponse      => { changeDate => '1 Timestamp' },
    # What is refused, by members that all of them have.
    Any => { email => '1 string', phone => '1 string', password => '1 string', key => '1 string' },
);

sub value_of {
    my ($number, $type, $value) = @_;

    return text($number, encode_utf8($value)) if $type eq 'string';
    return number($number, $value) if $type eq 'uint64';
    return text($number, to_protobuf($type, $value)) unless $enum{$type};
    my ($at) = grep { $enum{$type}[$_] eq $value } 0 .. $#{ $enum{$type} };
    $at //= $value =~ /^-?\d+\z/ ? $value : 4711;
    # Negative ones are ten bytes long.
    return varint($number << 3) . ($at < 0 ? negative($at) : varint($at));
}

sub negative {
    my ($value) = @_;
    my $bytes = '';
    for (1 .. 9) {
        $bytes .= chr($value & 0x7f | 0x80);
        { use integer; $value >>= 7; }
    }
    return "$bytes\x01";
}

# The message $data of $type in protobuf's bytes, by the order of their numbers.
# What is undefined is absent; strings are characters.
sub to_protobuf {
    my ($type, $data) = @_;
    my $fields = $field{$type} or die "no message has type '$type'\n";
    my %part;

    for my $name (grep { defined $data->{$_} } keys %$data) {
        my ($number, $is_repeated, $of) = ($fields->{$name} // die "$type has no $name\n") =~ /^(\d+) (\*?)(\w+)$/;
        $part{$number} = join '', map { value_of($number, $of, $_) }
            $is_repeated ? @{ $data->{$name} } : $data->{$name};
    }
    return join '', map { $part{$_} } sort { $a <=> $b } keys %part;
}

sub timestamp {
    my ($bytes) = @_;
    my $field = fields($bytes);
    my $micro = int(($field->{2}[0] // 0) / 1000);
    my $fraction = $micro ? sprintf('.%06d', $micro) =~ s/(?<=\d{3})000$//r : '';
    return strftime('%Y-%m-%dT%H:%M:%S', gmtime($field->{1}[0] // 0)) . "${fraction}Z";
}

# The message of $type that $bytes are, as data; dies if a field is unknown.
sub from_protobuf {
    my ($type, $bytes) = @_;
    my $fields = $field{$type} or die "no message has type '$type'\n";
    my %by_number = map { $fields->{$_} =~ /^(\d+) (\*?)(\w+)$/ ? ($1 => [$_, $2, $3]) : () } keys %$fields;
    my $found = fields($bytes);
    my %data;

    for my $number (keys %$found) {
        my ($name, $is_repeated, $of) = @{ $by_number{$number} // die "$type has no field $number\n" };
        my @values = map {
                  $of eq 'string' ? decode_utf8($_)
                : $of eq 'uint64' ? "$_"
                : $of eq 'Timestamp' ? timestamp($_)
                : $enum{$of} ? $enum{$of}[$_]
                : from_protobuf($of, $_)
        } @{ $found->{$number} };
        $data{$name} = $is_repeated ? \@values : $values[-1];
    }
    return \%data;
}

1;
