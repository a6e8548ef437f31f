# frames.t -- the HTTP/2 frames of an answer, as nghttp sees them.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Grpc;
use Protobuf;
use UserProfile;

my $site = site();
my $user = human($site);

# The frames of stream 13, nghttp's first, that a POST of $body gets, each as
# "TYPE length flags"; the streams of several are together.
sub frames {
    my ($path, $body, $origin, $times) = @_;
    my $file = File::Temp->new;
    print $file $body;
    close $file;
    my @said = qx(nghttp -nv -m @{[$times || 1]} -d $file \\
        -H ':method: POST' -H 'content-type: application/grpc' \\
        -H 'te: trailers' -H 'authorization: Bearer $site->{token}' \\
        @{[$origin || h2c_origin()]}$path 2>&1);
    return map {
        /recv (\w+) frame <length=(\d+), flags=(0x\w+), stream_id=(\d+)>/ && $4
            ? "$1 $2 $3"
            : ()
    } @said;
}

my $get = MANAGEMENT . '/GetHumanProfile';
for my $origin (h2c_origin(), tls_origin()) {
    my @got = frames($get, frame(get_message($user)), $origin);
    is scalar(@got), 3, "an answer is three frames over $origin" or diag explain \@got;
    like $got[0], qr/^HEADERS \d+ 0x04$/, 'an answer begins with HEADERS';
    like $got[1], qr/^DATA [1-9]\d* 0x00$/, 'an answer has one DATA frame';
    like $got[2], qr/^HEADERS \d+ 0x05$/, 'an answer ends with HEADERS that end the stream';

    @got = frames($get, frame(get_message('nobody')), $origin);
    is scalar(@got), 1, "an error is one frame over $origin" or diag explain \@got;
    like $got[0], qr/^HEADERS \d+ 0x05$/, 'an error is HEADERS that end the stream';

    @got = frames("/refused$get", frame(get_message($user)), $origin);
    is scalar(@got), 1, "an error of another module is one frame over $origin" or diag explain \@got;
    like $got[0], qr/^HEADERS \d+ 0x05$/, 'an error is HEADERS that end the stream';
}

# One stream's body that is too large is none of the others' business.
my @refused = frames($get, frame('x' x 70000), undef, 10);
is scalar(grep { /^HEADERS \d+ 0x05$/ } @refused), 10, 'of 10 calls on one connection with bodies too large each is answered';

# mod_http2 would send one with every message.
my @got = frames($get, frame(get_message($user)), undef, 100);
is scalar(grep { /^HEADERS \d+ 0x05$/ } @got), 100, 'of 100 calls at once on one connection each ends';
is scalar(grep { /^DATA 0 0x00$/ } @got), 0, 'no DATA frame is empty';

done_testing;
