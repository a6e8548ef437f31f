# Typical mistakes in a configuration: what "apachectl configtest" says to each,
# that it makes nothing, and what the log says when a server starts all the same.
use strict;
use warnings;

use Test::More;
use OwnServer;
use UserProfile;

# A section that serves, and what stands before it in most of the cases.
my $STORE = 'UserProfileStore "lmdb:${FOLDER}/store"';
my $GOOD  = <<'END';
Protocols h2c http/1.1
<Location /api>
    UserProfile On
    AuthType UserProfile
    Require valid-user
</Location>
END

# The lines of a section for all calls.
sub section {
    my ($begin, @lines) = @_;
    my ($name) = $begin =~ /^<(\w+)/;
    return join "\n", 'Protocols h2c http/1.1', $STORE, $begin, @lines, "</$name>";
}

# A file of the LoadModule lines but that of mod_$name.
sub modules_without {
    my ($name) = @_;
    my $file = File::Temp->new;
    print $file UserProfile::slurp(UserProfile::top() . '/modules.conf')
        =~ s/^LoadModule ${name}_module .*\n//mr;
    close $file;
    return $file;
}

# A folder that others may write to.
my $open = File::Temp->newdir;
chmod 0777, $open or die "$open: $!";

# Stops: configtest fails. Each: the mistake, the configuration, what is said.
my @stops = (
    ['the store has no scheme', 'UserProfileStore /var/lib/x', qr/UserProfileStore: '\/var\/lib\/x' is not the URI of a store, such as lmdb:/],
    ['the store has a relative path', 'UserProfileStore lmdb:store', qr/does not name a folder by its absolute path/],
    ['the store has a driver that there is not', 'UserProfileStore mysql:x', qr/is not the URI of a store/],
    ['no store is named', 'UserProfileStore', qr/UserProfileStore takes one argument/],
    ['the store stands in a <Location>', "<Location /api>\n$STORE\n</Location>", qr/UserProfileStore not allowed in <Location> context/],
    ['the map size has a wrong unit', 'UserProfileMapSize 1GB', qr/UserProfileMapSize: '1GB' is not a size from 1M to 16384G/],
    ['the map size is too small', 'UserProfileMapSize 16', qr/is not a size from 1M/],
    ['sync is on', 'UserProfileSync on', qr/UserProfileSync: 'on' is not 'full' or 'off'/],
    ['UserProfile is neither On nor Off', 'UserProfile Yes', qr/UserProfile must be On or Off/],
    ['a directive is misspelled', 'UserProfiles On', qr/Invalid command 'UserProfiles', perhaps misspelled/],
    ['a protocol is misspelled', 'UserProfileProtocols grpcweb', qr/'grpcweb' is not a protocol: rest, grpc, grpc-web or connect/],
    ['protocols are separated by commas', 'UserProfileProtocols rest,grpc', qr/'rest,grpc' is not a protocol/],
    ['no protocol is named', 'UserProfileProtocols', qr/takes one or more of/],
    ['what callers may do to themselves is On', 'UserProfileSelf On', qr/'On' is not Off, Read or Write/],
    ['the body limit is 0', 'UserProfileMaxBody 0', qr/'0' is not a size from 1 to 1G/],
    ['the body limit has words', 'UserProfileMaxBody 64 K', qr/UserProfileMaxBody takes one argument/],
    ['a role has no permission', 'UserProfileRole READER', qr/takes the name of a role and at least one permission/],
    ['a permission is misspelled', 'UserProfileRole READER user:read', qr/'user:read' is not a permission: user.read or user.write/],
    ['roles are separated by commas', 'UserProfileRole A,B user.read', qr/'A,B' is not the name of a role/],
    ['a section is not closed', "<Location /api>\nUserProfile On", qr/<Location> was not closed/],
    ['the folder above the store is not there', "UserProfileStore \"lmdb:\${FOLDER}/no/store\"\n$GOOD",
        qr/UP0001: the LMDB store '\S+\/no\/store' cannot be made, as there is no folder '\S+\/no\/'/],
    ['the store is a file', "UserProfileStore \"lmdb:\${FOLDER}/httpd.conf\"\n$GOOD", qr/UP0001: '\S+\/httpd.conf' is not a folder/],
    ['the store is below a file', "UserProfileStore \"lmdb:\${FOLDER}/httpd.conf/store\"\n$GOOD", qr/UP0001: '\S+\/httpd.conf\/store' is not a folder/],
    ['others may write to the store\'s folder', "UserProfileStore lmdb:$open\n$GOOD", qr/UP0001: the folder '\S+' of the LMDB store may be written to by others/],
    ['the store\'s folder is another user\'s', "UserProfileStore lmdb:/usr\n$GOOD", qr/UP0001: the folder '\/usr' belongs to user root, but .* user ${\scalar getpwuid $>}'s: give it away with 'chown -R ${\scalar getpwuid $>}'/],
    (
        map { ["AuthType is $_", section('<Location /api>', 'UserProfile On', "AuthType $_", 'Require valid-user'),
                qr/UP0041: \S+httpd.conf:\d+: no module has AuthType \S+; is AuthType UserProfile meant\?/] }
            qw(Userprofle UserProfiles User-Profile UserProfil)
    ),
    ['AuthType UserProfile has no store', "<Location /private>\nAuthType UserProfile\nRequire valid-user\n</Location>",
        qr/UP0040: \S+httpd.conf:\d+: AuthType UserProfile has no store/],
    (
        map { ["mod_$_ is not loaded", section('<Location /api>', 'UserProfile On'), qr/UP0048: \S+httpd.conf:\d+: UserProfile On needs mod_$_, which is not loaded/, $_] }
            qw(authn_core authz_core authz_user)
    ),
);

# Is said: configtest succeeds, and so does the start.
my $AUTH = "AuthType UserProfile\nRequire valid-user";
my @warnings = (
    ['nothing says who calls', section('<Location /api>', 'UserProfile On', 'Require all granted'), qr/:warn\].* UP0043: \S+httpd.conf:\d+: UserProfile On has no AuthType in reach/],
    ['AuthType is None', section('<Location /api>', 'UserProfile On', 'AuthType None', 'Require all granted'), qr/UP0043/],
    ['nothing says who may', section('<Location /api>', 'UserProfile On', 'AuthType UserProfile'), qr/:warn\].* UP0044: \S+httpd.conf:\d+: UserProfile On has an AuthType but no Require/],
    ['who may is said of another path', section('<Location /api>', 'UserProfile On', 'AuthType UserProfile') . "\n<Location /apis>\nRequire valid-user\n</Location>", qr/UP0044/],
    ['who calls is said of files', section('<Location /api>', 'UserProfile On') . "\n<Directory />\n$AUTH\n</Directory>", qr/UP0043/],
    ['who calls is said of another host', section('<VirtualHost *:${PORT}>', '<Location /api>', 'UserProfile On', '</Location>') . "\n<VirtualHost *:\${PORT}>\n<Location /api>\n$AUTH\n</Location>\n</VirtualHost>", qr/UP0043/],
    ['a <Location> has an expression', section('<Location ^/(management|auth)/>', 'UserProfile On', $AUTH), qr/:warn\].* UP0045: .*<LocationMatch> an expression/],
    ['UserProfile On stands in <Files>', section('<Files x>', 'UserProfile On', $AUTH), qr/:warn\].* UP0046: .* UserProfile On in <Files serves nothing/],
    ['AuthType is that of a module that is not loaded', section('<Location /api>', 'UserProfile On', 'AuthType Bearer', 'Require valid-user'), qr/:warn\].* UP0042: .*AuthType Bearer is that of mod_auth_bearer, which is not loaded; tokens of userprofilectl are AuthType UserProfile/],
    ['a directive stands beside the section that serves', "$STORE\n$GOOD<Location /other>\nUserProfileMaxBody 1M\n</Location>", qr/:warn\].* UP0049: .*: UserProfileMaxBody applies to nothing/],
    ['a store is named, and nothing serves it', $STORE, qr/:warn\].* UP0049: .*: UserProfileStore applies to nothing/],
    ['the store is where Apache serves files from', "DocumentRoot \"\${FOLDER}\"\n$STORE\n$GOOD", qr/:warn\].* UP0050: .*: the store 'lmdb:\S+\/store' is in the DocumentRoot/],
    ['two hosts give one store other options', "$STORE\nUserProfileMapSize 64M\n$GOOD<VirtualHost *:\${PORT}>\nUserProfileMapSize 128M\n</VirtualHost>", qr/:warn\].* UP0002: .*another UserProfileMapSize; that server's apply to both/],
    ['gRPC has no HTTP/2', "$STORE\n" . $GOOD =~ s/^Protocols.*\n//r, qr/:notice\].* UP0047: .*: gRPC, which needs HTTP\/2, cannot be called, as no 'Protocols h2 h2c http\/1\.1' is said/],
    ['gRPC alone has no HTTP/2', "$STORE\nUserProfileProtocols grpc\n" . $GOOD =~ s/^Protocols.*\n//r, qr/:warn\].* UP0047/],
    ['mod_http2 is not loaded', "$STORE\n" . $GOOD =~ s/^Protocols.*\n//r, qr/:notice\].* UP0047: .*as mod_http2 is not loaded/, 'http2'],
    ['more threads than readers', "$STORE\n${GOOD}ServerLimit 300\nThreadLimit 100\nThreadsPerChild 100\nMaxRequestWorkers 30000", qr/:warn\].* UP0003: /],
);

# Right, though they look like one of these: nothing is said.
my @right = (
    ['all is in one section', "$STORE\n$GOOD"],
    ['UserProfile On is the server\'s', "$STORE\nProtocols h2c\nUserProfile On\n<Location />\n$AUTH\n</Location>"],
    ['a host has its own section', section('<VirtualHost *:${PORT}>', '<Location /api>', 'UserProfile On', '</Location>') . "\n<Location /api>\n$AUTH\n</Location>"],
    ['AuthType and Require are those of an outer path', section('<Location /api/v2>', 'UserProfile On') . "\n<Location /api/>\n$AUTH\n</Location>"],
    ['Require is in a <RequireAny>', section('<Location /api>', 'UserProfile On', 'AuthType UserProfile', '<RequireAny>', 'Require valid-user', '</RequireAny>')],
    ['AuthType is in a <LocationMatch>', section('<Location /api>', 'UserProfile On') . "\n<LocationMatch ^/a>\n$AUTH\n</LocationMatch>"],
    ['AuthType is in an <If>', section('<Location /api>', 'UserProfile On', '<If "true">', $AUTH, '</If>')],
    ['AuthType is in an <IfModule>', section('<Location /api>', '<IfModule userprofile_module>', 'UserProfile On', '</IfModule>', $AUTH)],
    ['health is for everyone', "$STORE\n$GOOD<Location /grpc.health.v1.Health>\nUserProfile On\nRequire all granted\n</Location>"],
    ['AuthType is Basic', section('<Location /api>', 'UserProfile On', 'AuthType Basic', 'AuthName x', 'Require valid-user')],
    ['AuthType is another module\'s', section('<Location /api>', 'UserProfile On', 'AuthType something-else', 'Require valid-user')],
    ['UserProfileCaller says who calls', section('<Location /api>', 'UserProfile On', 'UserProfileCaller "%{req:X-User}"', 'Require all granted')],
    ['gRPC is off', "$STORE\nUserProfileProtocols rest connect\n" . $GOOD =~ s/^Protocols.*\n//r],
    ['tokens are for other content', "$STORE\n<Location /private>\n$AUTH\n</Location>"],
    ['files are served by <Directory>', section('<Directory />', 'UserProfile On', $AUTH)],
    ['a pattern of <Location ~>', section('<Location ~ "^/(management|auth)/">', 'UserProfile On', $AUTH)],
    ['the store is beside the DocumentRoot', "DocumentRoot /usr/lib\nUserProfileStore lmdb:/usr/lib-store\n$GOOD"],
);

for my $case (@stops) {
    my ($mistake, $text, $said, $without) = @$case;
    my $file = $without && modules_without($without);
    local $OwnServer::modules = "$file" if $file;
    my $server = OwnServer->prepare($text);
    my ($status, $output) = $server->httpd('-t');
    isnt $status, 0, "configtest fails: $mistake";
    like $output, $said, "it says what is wrong: $mistake";
    ok !-e $server->file('store'), "it makes no store: $mistake";
}
for my $case (@warnings) {
    my ($mistake, $text, $said, $without) = @$case;
    my $file = $without && modules_without($without);
    local $OwnServer::modules = "$file" if $file;
    my $server = OwnServer->prepare($text);
    my ($status, $output) = $server->httpd('-t');
    is $status, 0, "configtest succeeds: $mistake" or diag $output;
    like $output, $said, "it says what may be wrong: $mistake";
    is scalar(() = $output =~ /UP\d{4}/g), 1, "it says nothing else: $mistake" or diag $output;
    ok !-e $server->file('store'), "it makes no store: $mistake";
}
for my $case (@right) {
    my ($what, $text) = @$case;
    my ($status, $output) = OwnServer->configtest($text);
    is $status, 0, "configtest succeeds: $what" or diag $output;
    unlike $output, qr/UP\d{4}/, "nothing is said: $what";
}
cmp_ok @stops + @warnings, '>=', 35, 'there are as many mistakes';

# A server that starts says the same in its log.
my $server = OwnServer->prepare(section('<Location /api>', 'UserProfile On', 'Require all granted'));
$server->launch;
is scalar(() = $server->log =~ /:warn\].* UP0043: \S+httpd.conf:\d+: UserProfile On has no AuthType/g), 1, 'a start logs a warning once';
$server->reload;
is scalar(() = $server->log =~ /UP0043/g), 2, 'so does each restart';
$server->stop;

# What configtest stops for is no reason not to start: the disk may come.
$server = OwnServer->start("UserProfileStore \"lmdb:\${FOLDER}/no/store\"\n$GOOD");
like $server->log, qr/:error\].* UP0001: /, 'a server without the folder above its store starts, and logs an error';
$server->stop;

done_testing;
