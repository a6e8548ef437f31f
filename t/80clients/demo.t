# demo.t -- "make run": each line that it prints does what it says when it is
# pasted, and "make stop" leaves nothing running.
use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use Test::More;
use lib "$FindBin::Bin/../lib";
use FreePort;
use UserProfile ();

my $top  = UserProfile::top();
my $port = free_port();
my $run  = "$top/build/run";

# A make that ran the tests says things not meant for this one.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES)};
$ENV{PATH} = "$top/node_modules/.bin:$ENV{PATH}";
chdir $top or die "chdir $top: $!\n";

# The output, with the errors, of bash.
sub bash {
    my ($line) = @_;
    open my $from, '-|', 'timeout', 60, 'bash', '-c', "exec 2>&1; $line"
        or die "bash: $!\n";
    local $/;
    my $said = <$from> // '';
    close $from;
    return $said;
}

# "make $goal" with the products as they are: their objects were not copied.
sub make {
    my ($goal) = @_;
    my @old = map { "-o build/$_" }
        qw(config.mk mod_userprofile.so userprofilectl);
    return bash("make --no-print-directory @old $goal BUILD=build"
            . " PORT=$port HTTPD='$ENV{UP_HTTPD}'");
}

sub servers {
    return grep { UserProfile::slurp($_) =~ m{\Q$run/demo.conf} }
        glob '/proc/[0-9]*/cmdline';
}

sub answers {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
}

END {
    local $?;
    bash('BUILD=build sh conf/demo.sh clean');
    kill TERM => map { m{(\d+)} } servers(); # what "make stop" has missed
}

my $said = make('run');
like($said, qr/runs on 127\.0\.0\.1:$port;/, 'make run starts the server');

# What it prints to be pasted.
my ($text) = $said =~ /To paste, first of all:\n(.*)/s
    or BAIL_OUT("make run printed: $said");
my ($env, @lines) = grep { /\S/ && !/^#/ } split /\n/, $text;
is($env, '. build/run/env', 'first of all a file to source');

sub paste {
    my ($line) = @_;
    return bash("$env && $line");
}

# By what a line has, what its answer has the first time and later.
my @expected = (
    [qr{-X PUT .*/gigi/profile}, qr{HTTP/1.1 200 .*"sequence"}s],
    [qr{^curl (?!.*-X).*/gigi/profile},
        qr{HTTP/1.1 200 .*"displayName":"Gigi at \d\d:}s],
    [qr{/nobody/profile}, qr{HTTP/1.1 404 .*"USER_NOT_FOUND"}s],
    [qr{-X PATCH .*/v2/users/leo}, qr{HTTP/1.1 200 .*"changeDate"}s],
    [qr{^buf curl}, qr{^\{.*"displayName": "Gigi at \d\d:}s],
    [qr{userprofilectl user list}, qr{^admin\b.*^gigi\b.*^leo\b}ms],
    [qr{^http://.*/people/profile/$}, undef],
    [qr{^http://.*/profile/$}, undef],
);
is(@lines, @expected, 'as many lines as are tried here');
for my $expected (@expected) {
    my ($line) = grep { $_ =~ $expected->[0] } @lines;
    ok($line, "a line has $expected->[0]") or next;
    my $what = substr $line, -50;
    if ($expected->[1]) {
        like(paste($line), $expected->[1], "it answers: $what");
        next;
    }
    my $page = bash("curl -si '$line'");
    like($page, qr{HTTP/1.1 200 .*Content-Security-Policy: default-src 'none'}s,
        "$line is a page");
    for my $name ($page =~ /(?:href|src)="([^":]+\.(?:css|js))"/g) {
        like(bash("curl -si '$line$name'"),
            qr{HTTP/1.1 200 .*Content-Type: text/(?:css|javascript)}s,
            "with its $name");
    }
    my $signed_in = $line =~ /people/ ? '-u gigi:demo'
        : '-H "Authorization: Bearer $TOKEN"';
    like(paste("curl -si $signed_in ${line}../auth/v1/users/me/profile"),
        qr{HTTP/1.1 200 .*"firstName"}s, 'and the calls beside it');
}

# Updates again.
my ($put)   = grep { /-X PUT/ } @lines;
my ($patch) = grep { /-X PATCH/ } @lines;
my ($read)  = grep { /^curl (?!.*-X).*gigi/ } @lines;
my $sequence = sub { (paste($read) =~ /"sequence":"(\d+)"/)[0] };
my $before = $sequence->();
sleep 1; # the name has the second in it
like(paste($put), qr{HTTP/1.1 200 }, 'the update can be pasted again');
cmp_ok($sequence->(), '>', $before, 'and changes the profile again');
like(paste($patch), qr{HTTP/1.1 200 }, 'so can the other, which changes nothing');

like(make('run'), qr/runs on 127\.0\.0\.1:$port;/,
    'make run replaces the server that runs');
like(paste($read), qr{HTTP/1.1 200 .*"displayName":"Gigi Giraffe"}s,
    'and its store');

is(make('stop'), '', 'make stop says nothing');
is_deeply([servers()], [], 'and leaves no process');
ok(!answers(), 'and nothing that answers');
is(make('stop'), '', 'a second make stop has nothing to do');

done_testing;
