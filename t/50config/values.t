# What configtest says to the values of each directive.
use strict;
use warnings;

use Test::More;
use OwnServer;

# Accepted anywhere that a place is described, or on a server only.
my @right = (
    'UserProfileStore lmdb:${FOLDER}/store',
    'UserProfileMapSize 1M',
    'UserProfileMapSize 16G',
    'UserProfileMapSize 1048576',
    'UserProfileMapSize 64m',
    'UserProfileSync full',
    'UserProfileSync OFF',
    'UserProfileStore postgresql://db1,db2:5433/site?target_session_attrs=read-write&sslmode=verify-full',
    'UserProfileStore postgresql:///site?host=/run/postgresql&passfile=/etc/apache2/pgpass',
    'UserProfilePool 1',
    'UserProfilePool 1000',
    'UserProfileReads primary',
    'UserProfileReads Any',
    'UserProfileStoreTimeout 1',
    'UserProfileStoreTimeout 3600',
    'UserProfile On',
    'UserProfile Off',
    'UserProfileMaxBody 1',
    'UserProfileMaxBody 64K',
    'UserProfileMaxBody 1G',
    'UserProfileProtocols rest',
    'UserProfileProtocols REST gRPC grpc-WEB Connect',
    'UserProfileProtocols connect connect',
    'UserProfileSelf Off',
    'UserProfileSelf read',
    'UserProfileSelf WRITE',
    'UserProfileCaller %{REMOTE_USER}',
    'UserProfileCaller "%{reqenv:OIDC_CLAIM_sub}"',
    'UserProfileCallerOrg Off',
    'UserProfileCallerOrg "%{reqenv:OIDC_CLAIM_org}"',
    'UserProfileCallerOrg O1',
    'UserProfileCallerRoles OFF',
    'UserProfileCallerRoles "ORG_OWNER %{reqenv:ROLES}"',
    'UserProfileCors *',
    'UserProfileCors off',
    'UserProfileCors https://app.example.com http://localhost:3000 HTTP://[::1]:80 capacitor://localhost',
    'UserProfileLanguages *',
    'UserProfileLanguages en',
    'UserProfileLanguages en DE_ch zh-Hans x-klingon',
    'UserProfileUnchanged error',
    'UserProfileUnchanged OK',
    'UserProfileRole READER user.read',
    'UserProfileRole BOTH user.read user.write',
    "<Location /p>\nUserProfile On\nUserProfileMaxBody 1K\n"
        . "UserProfileRole A user.read\nUserProfileProtocols rest\n"
        . "UserProfileSelf Off\n</Location>",
    "<Directory /nowhere>\nUserProfile On\n</Directory>",
    "<VirtualHost *:\${PORT}>\nUserProfileStore lmdb:\${FOLDER}/other\n"
        . "UserProfile On\n</VirtualHost>",
);
for my $line (@right) {
    my ($status, $output) = OwnServer->configtest($line);
    is($status, 0, "configtest accepts: $line") or diag $output;
}

# Refused: the line, and what would be right. Every answer names the directive.
my $size  = qr/a size from \d+\w? to \d+\w?/;
my @wrong = (
    ['UserProfileStore',                   qr/takes one argument/],
    ['UserProfileStore /var/lib/x',        qr/lmdb:/],
    ['UserProfileStore lmdb:',             qr/./],
    ['UserProfileStore lmdb:relative',     qr/absolute|'\/'/],
    ['UserProfileStore mysql:x',           qr/lmdb:/],
    ['UserProfileStore postgresql:site',   qr{is not a URI such as postgresql://host/database}],
    ['UserProfileStore postgresql://db/site?colour=red', qr/colour/],
    ['UserProfileStore postgresql://u:secret@db/site', qr/^(?!.*secret).*UserProfileStore: a URI of PostgreSQL must not have a password/m],
    ['UserProfileStore postgresql://db/site?password=secret', qr/must not have a password/],
    ['UserProfileStore postgresql://u:se%%cret@db/site', qr/must not have a password/],
    ['UserProfilePool 0',                  qr/'0' is not a number of connections from 1 to 1000/],
    ['UserProfilePool 1001',               qr/a number of connections from 1 to 1000/],
    ['UserProfileReads standby',           qr/'standby' is not 'primary' or 'any'/],
    ['UserProfileReads standbys any',      qr/takes one argument/],
    ['UserProfileReads',                   qr/takes one argument/],
    ['UserProfileMapSize 0',               $size],
    ['UserProfileMapSize 1K',              $size],
    ['UserProfileMapSize 16T',             $size],
    ['UserProfileMapSize -1G',             $size],
    ['UserProfileMapSize 1.5G',            $size],
    ['UserProfileMapSize 1GB',             $size],
    ['UserProfileMapSize 99999999999999999999', $size],
    ['UserProfileMapSize 9999999999G',     $size],
    ['UserProfileSync maybe',              qr/'full' or 'off'/],
    ['UserProfileStoreTimeout 0',          qr/'0' is not a number of seconds from 1 to 3600/],
    ['UserProfileStoreTimeout 3601',       qr/a number of seconds from 1 to 3600/],
    ['UserProfileStoreTimeout -1',         qr/a number of seconds from 1 to 3600/],
    ['UserProfileStoreTimeout 10s',        qr/a number of seconds from 1 to 3600/],
    ['UserProfileStoreTimeout 1.5',        qr/a number of seconds from 1 to 3600/],
    ['UserProfile Perhaps',                qr/On or Off/],
    ['UserProfileMaxBody 0',               $size],
    ['UserProfileMaxBody 2G',              $size],
    ['UserProfileMaxBody many',            $size],
    ['UserProfileMaxBody 0x10',            $size],
    ['UserProfileMaxBody 1KK',             $size],
    ['UserProfileMaxBody 1 2',             qr/takes one argument/],
    ['UserProfileProtocols',               qr/one or more of rest, grpc, grpc-web and connect/],
    (
        map { ["UserProfileProtocols $_", qr/is not a protocol: rest, grpc, grpc-web or connect/] }
            'http', 'grpcweb', 'grpc,rest', 'rest soap', 'All', 'none', '-rest', 'rest Off'
    ),
    ['UserProfileSelf',                    qr/takes one argument/],
    ['UserProfileSelf Read Write',         qr/takes one argument/],
    (
        map { ["UserProfileSelf $_", qr/is not Off, Read or Write/] }
            'On', 'None', 'ReadWrite', 'Write,Read', 'Of', '1'
    ),
    (
        map {
            my $name = "UserProfileCaller$_";
            (
                [$name, qr/takes one argument/],
                ["$name A B", qr/takes one argument/],
                map { [qq($name "$_"), qr/: '\Q$_\E' is not an expression that gives text, such as %\{REMOTE_USER\}: ./] }
                    '%{NO_SUCH_VARIABLE}', '%{nosuch:x}', '%{REMOTE_USER'
            )
        } '', 'Org', 'Roles'
    ),
    ['UserProfileCors',                    qr/takes one or more origins, \* or Off/],
    (
        map { ["UserProfileCors $_", qr/is not an origin, such as https:\/\/app\.example\.com or http:\/\/localhost:3000; \* and Off stand alone/] }
            'app.example.com', 'https://app.example.com/', 'https://*.example.com', 'https://', 'https://:8080',
            'https://app.example.com:', 'https://a:99999', 'https://me@app.example.com', 'https://app.example.com?x', 'null',
            'https://a,https://b', '* https://a', 'https://a Off', 'file:///x', "https://\xc3\xa9.example"
    ),
    ['UserProfileLanguages',               qr/takes one or more language tags, or \*/],
    (
        map { ["UserProfileLanguages $_", qr/is not a language tag of up to 10 characters, such as en or de-CH/] }
            'english', 'en,de', 'en *', '* en', 'en-', 'en de-', 'sl-nedisabc', 'en-*'
    ),
    ['UserProfileUnchanged',               qr/takes one argument/],
    (
        map { ["UserProfileUnchanged $_", qr/is not error or ok/] }
            'On', 'okay', 'none', '"ok "'
    ),
    ['UserProfileRole',                    qr/user\.read or user\.write/],
    ['UserProfileRole READER',             qr/user\.read or user\.write/],
    ['UserProfileRole READER user.delete', qr/user\.read or user\.write/],
    (
        map { ["UserProfileRole \"$_\" user.read", qr/the name of a role: .* without blanks, commas/] }
            '', 'TWO WORDS', 'ONE,TWO', 'x' x 201
    ),
    ["<Location /p>\nUserProfileStore lmdb:\${FOLDER}/x\n</Location>",
        qr/not allowed/],
    ["<Location /p>\nUserProfileMapSize 1G\n</Location>", qr/not allowed/],
    ["<Location /p>\nUserProfileSync off\n</Location>",   qr/not allowed/],
    ["<Location /p>\nUserProfileStoreTimeout 5\n</Location>", qr/not allowed/],
);
for my $case (@wrong) {
    my ($line, $right) = @$case;
    my ($directive) = $line =~ /(UserProfile\w*)/;
    my ($status, $output) = OwnServer->configtest($line);
    isnt($status, 0, "configtest refuses: $line");
    like($output, $right, "the message says what would be right: $line");
    like($output, qr/$directive\b/, "the message names the directive: $line");
}

done_testing;
