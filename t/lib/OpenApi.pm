# OpenApi.pm -- whether answers are as conf/openapi.json says.
#
# The helpers that send requests give every answer to check_answer(), which
# fails the test where an answer of a described call is not described.
package OpenApi;

use strict;
use warnings;

use B              ();
use Compress::Zlib ();
use Exporter       qw(import);
use JSON::PP       ();
use Test::Builder ();

our @EXPORT_OK = qw(description operation complaint check_answer);

my %description;

# The description in the folder $top.
sub description {
    my ($top) = @_;
    return $description{$top} //= do {
        open my $in, '<', "$top/conf/openapi.json"
            or die "cannot read $top/conf/openapi.json: $!\n";
        local $/;
        JSON::PP->new->utf8->decode(scalar <$in>);
    };
}

# What $node is, or refers to.
sub resolve {
    my ($doc, $node) = @_;
    while (ref $node eq 'HASH' && exists $node->{'$ref'}) {
        my $at = $doc;
        for my $name (split m{/}, $node->{'$ref'} =~ s{^#/}{}r) {
            $at = $at->{ $name =~ s{~1}{/}gr } // die "no $node->{'$ref'}\n";
        }
        $node = $at;
    }
    return $node;
}

# JSON Schema, as far as the description uses it. Each keyword is a function of
# the description, its value, the instance, the whole schema: true if it holds.

sub type_of {
    my ($value) = @_;
    return !defined $value ? 'null'
        : JSON::PP::is_bool($value) ? 'boolean'
        : ref $value eq 'HASH'      ? 'object'
        : ref $value eq 'ARRAY'     ? 'array'
        : B::svref_2object(\$value)->FLAGS & B::SVf_POK ? 'string'
        : $value =~ /\A-?[0-9]+\z/  ? 'integer'
        :                             'number';
}

sub same {
    my ($one, $two) = @_;
    return type_of($one) eq type_of($two) && $one eq $two;
}

my $DATE_TIME = qr/\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\z/;

# Keywords whose sub-schemas check_schema() itself looks into, or that say
# nothing of an instance.
my %passed = map { $_ => 1 } qw(properties items allOf description);

my %keyword = (
    type      => sub { type_of($_[2]) eq $_[1] },
    const     => sub { same($_[2], $_[1]) },
    enum      => sub { my $is = $_[2]; grep { same($is, $_) } @{ $_[1] } },
    pattern   => sub { type_of($_[2]) ne 'string' || $_[2] =~ /$_[1]/ },
    format    => sub { $_[1] eq 'date-time' && $_[2] =~ $DATE_TIME },
    minLength => sub { type_of($_[2]) ne 'string' || length $_[2] >= $_[1] },
    maxLength => sub { type_of($_[2]) ne 'string' || length $_[2] <= $_[1] },
    minItems  => sub { ref $_[2] ne 'ARRAY' || @{ $_[2] } >= $_[1] },
    maxProperties => sub { ref $_[2] ne 'HASH' || keys %{ $_[2] } <= $_[1] },
    required => sub {
        my ($doc, $names, $is) = @_;
        return ref $is ne 'HASH' || !grep { !exists $is->{$_} } @$names;
    },
    additionalProperties => sub {
        my ($doc, $allowed, $is, $schema) = @_;
        return $allowed || ref $is ne 'HASH'
            || !grep { !exists $schema->{properties}{$_} } keys %$is;
    },
    oneOf => sub {
        my ($doc, $schemas, $is) = @_;
        return 1 == grep { !complaint($doc, $_, $is) } @$schemas;
    },
    contains => sub {
        my ($doc, $schema, $is) = @_;
        return ref $is ne 'ARRAY' || grep { !complaint($doc, $schema, $_) } @$is;
    },
);

# Where $is breaks $schema of $doc, and by which keyword; '' if it does not.
sub complaint {
    my ($doc, $schema, $is, $where) = @_;
    $where //= 'the body';
    $schema = resolve($doc, $schema);

    for my $name (sort keys %$schema) {
        next if $passed{$name};
        my $check = $keyword{$name} or die "no check for the keyword $name\n";
        return "$where breaks $name"
            unless $check->($doc, $schema->{$name}, $is, $schema);
    }
    my @parts = map { [$_, $is, $where] } @{ $schema->{allOf} || [] };
    push @parts, map { [$schema->{properties}{$_}, $is->{$_}, "$where.$_"] }
        grep { exists $is->{$_} } sort keys %{ $schema->{properties} || {} }
        if ref $is eq 'HASH';
    push @parts, map { [$schema->{items}, $is->[$_], "$where\[$_]"] } 0 .. $#$is
        if $schema->{items} && ref $is eq 'ARRAY';
    for my $part (@parts) {
        my $complaint = complaint($doc, @$part);
        return $complaint if $complaint;
    }
    return '';
}

# Calls.

# The path, as $doc has it, that the request target $path ends in; undef if none
# does.
sub path_of {
    my ($doc, $path) = @_;
    $path =~ s{^\w+://[^/]*}{};
    $path =~ s/\?.*//s;
    $path =~ s{(?<!/v1)(/users/[^/]+/profile)$}{/management/v1$1};
    # A path without a variable goes before one that has it in this place.
    for my $known (sort { $a =~ tr/{// <=> $b =~ tr/{// || length $b <=> length $a }
        keys %{ $doc->{paths} })
    {
        my $pattern = join '[^/]+', map { quotemeta } split /\{\w+\}/, $known, -1;
        return $known if $path =~ /$pattern\z/;
    }
    return undef;
}

# The operation of $method on $path, or undef.
sub operation {
    my ($doc, $method, $path) = @_;
    my $known = path_of($doc, $path) // return undef;
    return $doc->{paths}{$known}{ lc($method eq 'HEAD' ? 'GET' : $method) };
}

# What $doc describes of an answer with $status to $method on $path. A method
# that the path does not have is answered as the others are refused.
sub response {
    my ($doc, $method, $path, $status) = @_;
    my $operation = operation($doc, $method, $path);
    if (!$operation && $status >= 400) {
        my $known = path_of($doc, $path) // return undef;
        my $methods = $doc->{paths}{$known};
        ($operation) = map { $methods->{$_} } grep { $methods->{$_} }
            qw(put patch get);
    }
    my $responses = $operation ? $operation->{responses} : {};
    return resolve($doc, $responses->{$status}
            // ($status >= 400 ? $responses->{default} : undef));
}

# What is not as described: '' if nothing is. $header has lower-case names.
sub difference {
    my ($doc, $method, $path, $status, $header, $body) = @_;
    my $response = response($doc, $method, $path, $status)
        // return 'the status is not described';

    for my $name (sort keys %{ $response->{headers} || {} }) {
        my $value = $header->{ lc $name } // next;
        my $complaint = complaint($doc,
            resolve($doc, $response->{headers}{$name})->{schema}, $value, $name);
        return $complaint if $complaint;
    }
    return '' if $method eq 'HEAD' || !$response->{content};
    $body = Compress::Zlib::memGunzip($body)
        if ($header->{'content-encoding'} // '') =~ /^(?:x-)?gzip$/;
    my $is = eval { JSON::PP->new->utf8->allow_nonref->decode($body) };
    return $@ ? 'the body is not JSON'
        : complaint($doc, $response->{content}{'application/json'}{schema}, $is);
}

# Fail the running test if the answer to a described call is ours, and not as
# the description in $top has it. What is not JSON is Apache's own.
sub check_answer {
    my ($top, $method, $path, $status, $header, $body) = @_;
    my $doc = description($top);

    return
        if !defined path_of($doc, $path)
        || ($header->{'content-type'} // '') ne 'application/json'
        && $status != 304;
    my $difference =
        difference($doc, $method, $path, $status, $header, $body);
    return if $difference eq '';
    my $test = Test::Builder->new;
    $test->ok(0, "conf/openapi.json describes the answer to $method $path");
    $test->diag("status $status: $difference\n$body");
}

1;
