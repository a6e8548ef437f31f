# A record that cannot be read: an error of our own, of which the client learns
# nothing and the log all; whoever else is in the store is served.
use strict;
use warnings;

use Test::More;
use Grpc;
use OwnServer;
use Protobuf;
use UserProfile;

my $server = OwnServer->prepare(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
Include "${CONF}/everywhere.conf"
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
is +(ctl('init'))[0], 0, 'the store is made';
my $site  = site();
my $sound = human($site);
my $user  = human($site, lastName => 'Unreadable');

# In LMDB's file a name follows its length, which is now more than there is.
my $file = $server->file('store/data.mdb');
my $data = UserProfile::slurp($file);
my $places = $data =~ s/\x0aUnreadable/\x7fUnreadable/g;
ok $places, 'a user\'s record is damaged';
open my $out, '>', $file or die "$file: $!";
print $out $data;
close $out or die "$file: $!";
$server->launch;

my %auth  = bearer($site);
my $names = { firstName => 'N', lastName => 'L', displayName => 'D' };
my $body  = '{"code":13,"message":"An internal error occurred","details":[{"@type":'
    . '"type.googleapis.com/google.rpc.ErrorInfo","reason":"INTERNAL","domain":"userprofile"}]}';
for my $method (qw(GET PUT)) {
    my $got = request($method => "/users/$user/profile", {%auth}, $method eq 'PUT' ? $names : undef);
    is $got->code, 500, "$method of an unreadable record: 500";
    is $got->content, $body, "$method of an unreadable record: the body, to the byte";
    is $got->header('Content-Type'), 'application/json', "$method of an unreadable record: Content-Type";
    like $server->log, qr{:error\] .*UP0010: $method /users/\Q$user\E/profile: INTERNAL: the stored user .* cannot be read},
        "$method of an unreadable record: the error log says why";
}
my $got = request(POST => MANAGEMENT . '/GetHumanProfile', { %auth, 'Content-Type' => 'application/grpc-web' },
    frame(get_message($user)));
like $got->content, qr/\r\ngrpc-status: 13\r\n/, 'gRPC-Web of an unreadable record: INTERNAL';
unlike $server->log, qr/Unreadable/, 'the error log has no value of the record';
is request(GET => "/users/$sound/profile", {%auth})->code, 200, 'another user can be read';
is request(PUT => "/users/$sound/profile", {%auth}, $names)->code, 200, 'another user can be changed';
unlike $server->log, qr/exit signal/, 'no child died';

done_testing;
