# layers.t -- which room may include which, and which library is included
# where: the map of src/README.md.
use strict;
use warnings;

use Test::More;
use SourceTree;

# The rooms whose headers a room may include, besides its own. A store's driver
# is a room that no other one includes.
my %rooms = (
    core         => [],
    wire         => [qw(core)],
    store        => [qw(core wire)],
    'store/lmdb' => [qw(core wire store)],
    'store/postgresql' => [qw(core store)],
    service      => [qw(core store)],
    api          => [qw(core wire service)],
    httpd        => [qw(core wire store service api)],
    ctl          => [qw(core wire store service)],
    module       => [qw(core wire store service api httpd)],
);

# Where the headers of a library may be included.
my @libraries = (
    [qr{^lmdb\.h$},                       qr{^src/store/lmdb/}],
    [qr{^libpq-fe\.h$|\.sql\.h$},           qr{^src/store/postgresql/}],
    [qr{^protobuf-c/|\.pb-c\.h$},         qr{^src/(?:wire|api|store/lmdb)/}],
    [qr{^zlib\.h$},                       qr{^src/wire/}],
    [qr{^openssl/},                       qr{^src/service/up_sha256\.c$}],
    [qr{^apr_?\w*\.h$|^apu_?\w*\.h$},     qr{}],
    [
        qr{^(?:httpd|(?:http|ap|util|mod)_\w+|scoreboard|unixd|mpm_common)\.h$},
        qr{^src/httpd/|^mod_userprofile\.c$}
    ],
);

# The C library and the system.
my $system = qr{^(?:
    assert|ctype|errno|float|inttypes|limits|locale|math|setjmp|signal|stdarg|
    stddef|stdint|stdio|stdlib|string|time|dirent|fcntl|getopt|grp|poll|
    pthread|pwd|strings|termios|unistd|semaphore|wchar|wctype|(?:sys/\w+)
)\.h$}x;

sub room_of {
    my ($path) = @_;
    return $path =~ m{^src/(.+)/} ? $1 : 'module';
}

# What is wrong with $path including $header, or nothing.
sub wrong {
    my ($path, $header) = @_;
    if ($header =~ m{^([\w/]+)/\w+\.h$} && $rooms{$1}) {
        my $from = $1;
        my $room = room_of($path);
        return if grep { $_ eq $from } $room, @{ $rooms{$room} };
        return "$room must not know $from";
    }
    for my $library (@libraries) {
        my ($headers, $places) = @$library;
        next unless $header =~ $headers;
        return $path =~ $places ? () : "that library has no place there";
    }
    return $header =~ $system ? () : "no rule knows that header";
}

for my $path (files(qr/\.[ch]$/, qw(src mod_userprofile.c))) {
    my @includes = slurp($path) =~ /^\s*#\s*include\s*[<"]([^>"]+)[>"]/mg;
    my @wrong = map { my $why = wrong($path, $_); $why ? "$_: $why" : () }
        @includes;
    is_deeply(\@wrong, [], "$path includes only what its room may");

    (my $own = $path) =~ s/\.c$/.h/ or next;
    $own =~ s{^src/}{};
    is($includes[0], $own, "$path includes its own header first")
        if -e "src/$own";
}

done_testing;
