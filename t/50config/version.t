# The tool, the notice at the start and the metrics say the version of the
# Makefile; t/check/version.t compares that with what stands in files.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my ($version) = UserProfile::slurp(UserProfile::top() . '/Makefile')
    =~ /^VERSION +?= (\S+)$/m;
ok $version, 'the Makefile has a version';

my $server = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
Include "${CONF}/everywhere.conf"
<Location /metrics>
    SetHandler userprofile-metrics
    UserProfile Off
    AuthType None
    Require all granted
</Location>
<Location /status>
    SetHandler server-status
    UserProfile Off
    AuthType None
    Require all granted
</Location>
END
is +(ctl('--version'))[1], "userprofilectl $version\n", 'userprofilectl says it';
like $server->log, qr{UP0033: mod_userprofile/\Q$version\E serves },
    'the notice at the start says it';
like request(GET => $server->url('/metrics'))->content,
    qr/^userprofile_info\{version="\Q$version\E"\} 1$/m, 'the metrics say it';
like request(GET => $server->url('/status?auto'))->content,
    qr/^UserProfileVersion: \Q$version\E$/m, 'mod_status says it';

done_testing;
