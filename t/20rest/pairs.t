# Two updates of different fields at the same moment: both hold, every time.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::INET;
use Test::More;
use Background;
use UserProfile;

my ($PAIRS, $CLIENTS) = (2000, 64);
my $couples = $CLIENTS / 2;
my $rounds  = int(($PAIRS + $couples - 1) / $couples);
my $site    = site();

sub connection {
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => UserProfile::port(), Timeout => 30)
        || die "cannot connect: $@";
}

sub send_request {
    my ($socket, $method, $id, $body) = @_;
    print $socket "$method /api/v2/users/$id HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer $site->{token}\r\n",
        'Content-Length: ', length $body, "\r\n\r\n$body";
    $socket->flush;
}

# The status and body of the next answer on $socket.
sub answer {
    my ($socket) = @_;
    my ($status) = (<$socket> // '') =~ /^HTTP\/1\.1 (\d+)/ or die "no answer\n";
    my ($length, $body) = (0);
    while (defined(my $line = <$socket>)) {
        last if $line eq "\r\n";
        $length = $1 if $line =~ /^Content-Length: (\d+)/;
    }
    read $socket, $body, $length;
    return ($status, $body);
}

# Two clients that change the user $id, $rounds times at once; what went wrong.
sub couple {
    my ($id) = @_;
    my ($one, $other) = (connection(), connection());
    my @wrong;
    for my $round (1 .. $rounds) {
        # httpd closes a connection after 100 requests.
        ($one, $other) = (connection(), connection()) if $round % 45 == 0;
        my @both = ([$one, "\"nickName\":\"nick $round\""], [$other, "\"displayName\":\"name $round\""]);
        @both = reverse @both if $round % 2;
        send_request($_->[0], PATCH => $id, "{\"human\":{\"profile\":{$_->[1]}}}") for @both;
        for my $one (@both) {
            my ($status, $body) = answer($one->[0]);
            push @wrong, "round $round: $status $body" if $status != 200;
        }
        send_request($one, GET => $id, '');
        my (undef, $body) = answer($one);
        my $sequence = 1 + 2 * $round;
        push @wrong, "round $round: $body"
            if grep { $body !~ $_ } qr/"nickName":"nick $round"/, qr/"displayName":"name $round"/, qr/"sequence":"$sequence"/;
    }
    return ("$rounds rounds", @wrong);
}

my @users  = map { human($site) } 1 .. $couples;
my @result = map { my $id = $_; in_background(sub { couple($id) }) } @users;
my $pairs  = 0;
my @wrong;
for my $result (@result) {
    my ($done, @more) = $result->();
    $pairs += $done =~ /^(\d+) rounds$/ ? $1 : 0;
    push @wrong, @more;
}
is $pairs, $rounds * $couples, "$CLIENTS clients make $pairs pairs of updates";
is_deeply \@wrong, [], 'of each pair both hold';

done_testing;
