# openapi.t -- conf/openapi.json has the calls, the fields and the reasons that
# the code has.
use strict;
use warnings;

use JSON::PP ();
use Test::More;
use SourceTree;

my $doc     = JSON::PP->new->utf8->decode(slurp('conf/openapi.json'));
my $schemas = $doc->{components}{schemas};

# Methods and paths of the rows of the api's tables that are REST.
my $proto = join '', map { slurp($_) } files(qr/\.proto$/, 'src/wire/proto');
my (@rows, %id);
for my $file (files(qr/up_api_\w+\.c$/, 'src/api')) {
    my $code   = slurp($file);
    # The last macro first, as it may have others in it.
    my @macros;
    unshift @macros, [$1, $2] while $code =~ /^#define (\w+) (.*"[^"]*")$/mg;
    for my $macro (@macros) {
        my ($name, $text) = @$macro;
        $code =~ s/^(?!#define)(.*)\b$name\b/$1$text/m
            while $code =~ /^(?!#define).*\b$name\b/m;
    }
    $code =~ s/"\s+"//g;
    push @rows, "$2 $3" while $code =~ m{\{"(\w+)", "([A-Z]+)",\s*"(/[^"]*)"}g;
}
my @described = map {
    my $path = $_;
    map { uc($_) . " $path" } grep { $_ ne 'parameters' }
        keys %{ $doc->{paths}{$path} };
} keys %{ $doc->{paths} };
s/\{userId\}/{user_id}/ for @described;
is_deeply([sort @described], [sort @rows], 'it has every call, and no other');

# Reasons: those that are described for a status have it in the table, or are
# what other modules' errors are called.
my $code = slurp('src/core/up_error.c');
my (%http, %rpc);
while ($code =~ /\{\s*"([A-Z_]+)",\s*(\d+),\s*(\d+),/g) {
    $http{$1} = $2;
    $rpc{$1}{$3} = 1;
}
my %foreign = map { $_ => 1 } qw(BAD_REQUEST INTERNAL);
# The tool's; the health of a service, and deadlines, which only RPCs have.
delete @http{qw(CONFLICT SERVICE_NOT_FOUND DEADLINE_EXCEEDED)};
my %responses = map { %{ $_->{responses} } }
    map { values %$_ }
    map { my %methods = %$_; delete $methods{parameters}; \%methods }
    values %{ $doc->{paths} };
my %seen;
for my $status (grep { $_ eq 'default' || $_ >= 400 } sort keys %responses) {
    my ($name) = $responses{$status}{'$ref'} =~ m{/(\w+)$};
    my $schema = $doc->{components}{responses}{$name}{content}
        {'application/json'}{schema}{allOf}[1]{properties};
    my %code = map { $_ => 1 } @{ $schema->{code}{enum} };
    for my $reason (@{ $schema->{details}{contains}{properties}{reason}{enum} }) {
        $seen{$reason} = 1;
        ok(exists $http{$reason}, "$status: $reason exists");
        ok($status eq 'default' || $foreign{$reason} || $http{$reason} eq $status,
            "$status: $reason has this status");
        ok((grep { $code{$_} } keys %{ $rpc{$reason} || {} }),
            "$status: the code of $reason is among those of the status");
    }
}
is_deeply([sort keys %seen], [sort keys %http],
    'it has every reason that a REST call can have');

# Fields, by the messages: schema, message, fields that are left out.
my %message;
$message{$1} = $2 while $proto =~ /^message (\w+) \{\n(.*?)^\}/msg;

sub fields_of {
    my ($text) = @_;
    my @names = map { s/_(\w)/\u$1/gr }
        $text =~ /^ +(?:optional |repeated )?[\w.]+ (\w+) = \d+;/mg;
    return sort @names;
}

for my $case (
    [Profile         => 'UpdateHumanProfileRequest', 'userId'],
    [Profile         => 'UpdateMyProfileRequest'],
    [ReadProfile     => 'Profile', 'avatarUrl'],
    [SetHumanProfile => 'SetHumanProfile'],
    [HumanProfile    => 'HumanProfile', 'avatarUrl'],
    [Details         => 'ObjectDetails'],
    [ChangeResponse  => 'UpdateUserResponse'],
    )
{
    my ($name, $message, @out) = @$case;
    my %out = map { $_ => 1 } @out;
    is_deeply([sort keys %{ $schemas->{$name}{properties} }],
        [grep { !$out{$_} } fields_of($message{$message})],
        "$name has the fields of $message");
}
is_deeply([sort keys %{ $schemas->{UpdateUser}{properties}{human}{properties}{profile}{properties} }],
    [sort keys %{ $schemas->{SetHumanProfile}{properties} }],
    'UpdateUser has the fields of UpdateHumanUser');

done_testing;
