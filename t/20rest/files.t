# Our paths never touch the file system: what system calls on files a server
# makes for 100 requests.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my $tmp = File::Temp->newdir('strace-XXXXXX', TMPDIR => 1);
my $script = "$tmp/httpd";
open my $out, '>', $script or die "$script: $!";
print $out qq(#!/bin/sh\nexec strace -D -f -o $tmp/trace -e trace=file $ENV{UP_HTTPD} "\$@"\n);
close $out or die "$script: $!";
chmod 0755, $script;

my $server = do {
    local $ENV{UP_HTTPD} = $script;
    OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
CustomLog "${FOLDER}/access.log" "%r"
# One child, which does all: another one would read files as it starts.
Include "${CONF}/one_child.conf"
DocumentRoot "${FOLDER}"
<Directory "${FOLDER}">
    AllowOverride All
</Directory>
Include "${CONF}/everywhere.conf"
<Location /file>
    UserProfile Off
    AuthType None
    Require all granted
</Location>
END
};
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
my $user = human($site);
my %auth = bearer($site);
my $path = "/users/$user/profile";
my $turn = 0;

# What stands between one look at the file $name and the next in the trace.
sub round_trips {
    my ($name, $what) = @_;
    request(GET => "/file-$name-begin");
    $what->();
    request(GET => "/file-$name-end");
    $server->wait_until(sub { UserProfile::slurp("$tmp/trace") =~ /file-$name-end/ });
    my ($between) = UserProfile::slurp("$tmp/trace")
        =~ /file-$name-begin(?!.*file-$name-begin)[^\n]*\n(.*?)^[^\n]*file-$name-end/ms;
    return [split /\n/, $between // 'the trace is not complete'];
}

# A child opens the store, and libraries read theirs, when they first need to.
request(GET => $path, {%auth});
request(PUT => $path, {%auth}, { firstName => 'F', lastName => 'L', displayName => 'D' });

my @cases = (
    ['GET',     sub { request(GET => $path, {%auth})->code },  200],
    ['HEAD',    sub { request(HEAD => $path, {%auth})->code }, 200],
    ['PUT',     sub { request(PUT => $path, {%auth}, { firstName => 'N' . ++$turn, lastName => 'L', displayName => 'D' })->code }, 200],
    ['unknown', sub { request(GET => '/users/nobody/profile', {%auth})->code }, 404],
    ['refused', sub { request(GET => $path)->code },           401],
    ['method',  sub { request(POST => $path)->code },          405],
);
for my $case (@cases) {
    my ($name, $request, $status) = @$case;
    my $good = 0;
    my $calls = round_trips($name, sub { $good += $request->() == $status for 1 .. 100 });
    is $good, 100, "$name: all 100 requests are answered with $status";
    # A child looks at the store's files each second, and before it stores.
    my @others = grep { !m{stat\w*\(.*/store/(?:data|lock)\.mdb"} } @$calls;
    is_deeply \@others, [], "$name: 100 requests make no system call on a file but the store's";
    cmp_ok scalar @$calls, '<', 100, "$name: the store's files are not looked at for each request"
        unless $name eq 'PUT';
}
my $calls = round_trips('other', sub { request(GET => "/other/$path/x", {%auth}) });
isnt scalar @$calls, 0, 'a path that is not ours does make system calls on files';

done_testing;
