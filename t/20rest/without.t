# The rest of a site does not notice us: its answers are the same, to the byte, on
# a server without the module, on one that has loaded it, and on one that serves
# profiles beside them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Find ();
use File::Path qw(make_path);
use File::Temp ();
use Test::More;
use OwnServer;
# After it, so that its connections are closed before servers stop.
use Grpc;
use UserProfile;

my $lines  = UserProfile::slurp(UserProfile::top() . '/modules.conf');
my ($more) = $lines =~ m{^LoadModule \w+ (/\S+)/mod_}m;
my $is_prefork = $lines =~ /mod_mpm_prefork/;
my $cgi = $is_prefork ? 'cgi' : 'cgid';

# The site, which all of them share.
my $folder = File::Temp->newdir('site-XXXXXX', TMPDIR => 1);
my $site   = "$folder/files";

sub put {
    my ($path, $text, $mode) = @_;
    my ($in) = "$site/$path" =~ m{^(.*)/};
    make_path($in);
    open my $out, '>', "$site/$path" or die "$path: $!";
    print $out $text;
    close $out or die "$path: $!";
    chmod $mode || 0644, "$site/$path" or die "$path: $!";
}

put('text.txt', join '', map { "line $_ of a text\n" } 1 .. 60);
put('empty.txt', '');
put('page.html', '<html><body>a page</body></html>');
put('index/index.html', 'the index');
put("list/$_.txt", $_) for qw(a b c);
put('list/.hidden', 'x');
put('ssi/page.shtml', "<!--#set var=\"x\" value=\"1\" -->a <!--#include virtual=\"/text.txt\" -->\n"
    . "<!--#echo var=\"DOCUMENT_URI\" --> <!--#include virtual=\"/cgi/env?ssi\" --> <!--#include virtual=\"/nothing\" -->"
    . '<!--#fsize virtual="/text.txt" --> <!--#if expr="v(\'x\') = 1" -->yes<!--#endif -->');
put('ssi/users.shtml', '<!--#include virtual="/users/U/profile" -->|<!--#include virtual="/v2/users/U" -->');
put('users/U/profile', 'a file where a profile could be');
put('management/v1/users/U/profile', 'another');
put('management/v1/healthz', 'fine');
put('v2/users/U', 'a third');
put('fallback/here.txt', 'here');
put('auth/secret.txt', 'secret');
put('htaccess/.htaccess', "Header set X-Htaccess yes\nErrorDocument 404 \"none of mine\"\nRewriteEngine On\nRewriteRule ^old\$ new.txt [L]\n");
put('htaccess/new.txt', 'new');
put('broken/.htaccess', "Nonsense\n");
put('broken/x.txt', 'x');
put('forbidden/x.txt', 'x');
put('errors/404.shtml', 'lost: <!--#echo var="REQUEST_URI" --> <!--#echo var="REDIRECT_STATUS" -->');
put('errors/403.html', 'keep out');
put('neg/doc.en.html', 'English');
put('neg/doc.de.html', 'Deutsch');
put('cgi/env', <<'END', 0755);
#!/usr/bin/perl
my $body = do { local $/; <STDIN> } // '';
print "Status: 201\r\n" if $ENV{QUERY_STRING} eq 'created';
print "Location: /text.txt\r\n\r\n" and exit if $ENV{QUERY_STRING} eq 'local';
my $text = join '', "body: $body\n", map { "$_=$ENV{$_}\n" } grep { !/^(?:UNIQUE_ID|REMOTE_PORT|PATH|H2_STREAM_\w+)$/ } sort keys %ENV;
print "Content-Type: text/plain\r\nETag: \"cgi\"\r\nX-Cgi: yes\r\n\r\n$text";
END
put('cgi/fail', "#!/bin/sh\nexit 3\n", 0755);
put('cgi/nph-raw', "#!/bin/sh\nprintf 'HTTP/1.1 299 Odd\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nhi'\n", 0755);

# The entity tags of a file or folder change when it is a second old.
File::Find::find(sub { utime 1e9, 1e9, $_ }, $site);

my $htpasswd = UserProfile::top() . '/t/conf/htpasswd';
my $shared = <<"END";
LoadModule ${cgi}_module $more/mod_$cgi.so
LoadModule include_module $more/mod_include.so
LoadModule autoindex_module $more/mod_autoindex.so
LoadModule negotiation_module $more/mod_negotiation.so
@{[$is_prefork ? '' : 'ScriptSock "${FOLDER}/cgid.sock"']}
Protocols h2c http/1.1
DocumentRoot "$site"
AllowEncodedSlashes On
TraceEnable On
# They proxy to themselves, and would wait for each other as they stop.
KeepAlive Off
<IfModule mpm_prefork_module>
    StartServers 6
</IfModule>
Header always set X-Site kept
<Directory "$site">
    Options +Indexes +Includes +MultiViews +FollowSymLinks
    AllowOverride All
    Require all granted
    AddOutputFilter INCLUDES .shtml
    AddLanguage en .en
    AddLanguage de .de
    AddType text/html .shtml
</Directory>
IndexOptions FancyIndexing
<Directory "$site/cgi">
    Options +ExecCGI
    SetHandler cgi-script
    AcceptPathInfo On
</Directory>
<Directory "$site/fallback">
    FallbackResource /fallback/here.txt
</Directory>
<Directory "$site/auth">
    AuthType Basic
    AuthName "theirs"
    AuthUserFile "$htpasswd"
    Require valid-user
</Directory>
<Directory "$site/forbidden">
    Require all denied
    ErrorDocument 403 /errors/403.html
</Directory>
ErrorDocument 404 /errors/404.shtml
ErrorDocument 405 "not like that"
<Location /limited>
    LimitRequestBody 10
</Location>
<Location /deflate>
    SetOutputFilter DEFLATE
</Location>
Alias /deflate "$site"
Alias /limited "$site/cgi"
RewriteEngine On
RewriteRule ^/rewritten/(.*) /\$1 [PT]
RewriteRule ^/gone/ - [G]
RewriteRule ^/moved/(.*) http://example.org/\$1 [R=301,L]
ProxyPass /proxied/ http://127.0.0.1:\${PORT}/
ProxyPass /away/ http://127.0.0.1:1/
ProxyPass /users/P/ http://127.0.0.1:\${PORT}/list/
RewriteRule ^/proxyrule/(.*) http://127.0.0.1:\${PORT}/\$1 [P]
END

# Modules, without ours.
my $without = "$folder/modules.conf";
open my $out, '>', $without or die "$without: $!";
print $out $lines =~ s/^LoadModule userprofile_module .*\n//mr;
close $out or die "$without: $!";

my %server = (
    loaded => OwnServer->start($shared),
    beside => OwnServer->start(<<"END"),
$shared
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
<Location /profiles>
    UserProfile On
    AuthType UserProfile
    Require valid-user
</Location>
END
    off => OwnServer->start(<<"END"),
$shared
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
UserProfile On
<Location "/">
    UserProfile Off
</Location>
END
    # All paths but those that have the form of a call.
    everywhere => OwnServer->start(<<"END"),
$shared
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
UserProfile On
END
);
$server{without} = do { local $OwnServer::modules = $without; OwnServer->start($shared) };

# What an answer is, without the time and what a server has of its own: the order
# in which it knows methods, the boundary of its parts. Whether the output of a script has a length or is in
# chunks depends on the time that the script takes.
sub same_for_all {
    my ($text, $server) = @_;
    $text =~ s/^Date: .*\r\n//mg;
    $text =~ s/\b$server->{port}\b/PORT/g;
    $text =~ s/\Q$server->{folder}\E/FOLDER/g;
    $text =~ s/^(Allow: )(.*)\r$/$1 . join(',', sort split m{,}, $2) . "\r"/em;
    if ($text =~ /^X-Cgi: yes\r$/m) {
        $text =~ s/^Content-Length: .*\r\n//m;
        $text =~ s/^[0-9a-f]+\r\n//mg if $text =~ s/^Transfer-Encoding: .*\r\n//m;
        $text =~ s/(?:\r\n)+\z//;
    }
    if ($text =~ s/(multipart\/byteranges; boundary=)(\w+)/$1BOUNDARY/) {
        my $boundary = $2;
        $text =~ s/--$boundary/--BOUNDARY/g;
        $text =~ s/^Content-Length: .*\r\n//m;
    }
    return $text;
}

my $auth = 'Authorization: Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=';
my $old  = 'Thu, 01 Jan 1998 00:00:00 GMT';
my $new  = 'Fri, 01 Jan 2038 00:00:00 GMT';
# Request lines and headers, or those and a body.
my @requests = (
    (map { ["GET $_"], ["HEAD $_"] } qw(
        /text.txt /empty.txt /page.html /nothing /index/ /index /list/ /list /ssi/page.shtml /cgi/env /cgi/env/path/info?query
        /cgi/fail /cgi/nothing /cgi/env?created /cgi/env?local /cgi/nph-raw /fallback/here.txt /fallback/nothing /htaccess/old
        /htaccess/nothing /broken/x.txt /forbidden/x.txt /auth/secret.txt /neg/doc /neg/doc.html /rewritten/text.txt /gone/x
        /moved/x /proxied/text.txt /proxied/nothing /proxied/cgi/env /proxyrule/text.txt /away/x /text.txt/path/info
        /text%2etxt /list%2fa.txt /%00 /.. /list/../text.txt //text.txt /?C=M;O=D /list/?C=N;O=D /users/P/a.txt
        /profil /users /users/ /users/U /management /management/v1 /v2/users/ /auth/v1/users/me/ /zitadel.user.v2.UserService
    ), '/', '*'),
    (map { ["$_ /text.txt"], ["$_ /cgi/env", 'Content-Length: 0'], ["$_ /list/"], ["$_ /nothing"], ["$_ /proxied/text.txt"] }
        qw(POST PUT PATCH DELETE OPTIONS TRACE PROPFIND BREW)),
    ['OPTIONS *'],
    (map { ['GET /text.txt', "Range: bytes=$_"], ['GET /proxied/text.txt', "Range: bytes=$_"], ['GET /cgi/env', "Range: bytes=$_"],
        ['GET /ssi/page.shtml', "Range: bytes=$_"] }
        '0-0', '0-9', '-5', '100-', '0-1,5-6', '99999-', '5-1', 'x', '0-0,-1'),
    ['GET /text.txt', 'Range: bytes=0-4', 'If-Range: "no"'],
    ['GET /text.txt', 'Range: bytes=0-4', "If-Range: $new"],
    (map { my $header = $_; map { ["GET $_", $header] } qw(/text.txt /cgi/env /ssi/page.shtml /proxied/text.txt /index/) }
        "If-Modified-Since: $old", "If-Modified-Since: $new", "If-Unmodified-Since: $old", "If-Unmodified-Since: $new",
        'If-None-Match: *', 'If-None-Match: "no"', 'If-Match: *', 'If-Match: "no"', 'If-None-Match: "cgi"', 'Accept-Encoding: gzip',
        'Content-Type: application/json', 'Content-Type: application/grpc', 'Content-Type: application/proto', 'TE: trailers',
        'Authorization: Bearer x', 'x-zitadel-orgid: x', 'Connect-Protocol-Version: 2', 'grpc-timeout: x', 'Expect: 100-continue', 'Expect: x'),
    (map { ["GET $_", 'Accept-Encoding: gzip'] } qw(/deflate/text.txt /deflate/nothing /deflate/list/)),
    (map { ['GET /neg/doc', "Accept-Language: $_"] } qw(de en fr)),
    ['GET /auth/secret.txt', $auth], ['GET /auth/nothing', $auth], ['PUT /auth/secret.txt', $auth],
    ['GET /auth/secret.txt', 'Authorization: Bearer x'], ['GET /auth/secret.txt', 'Authorization: Basic x'],
    ['POST /cgi/env', 'Content-Length: 5', \'hello'], ['POST /limited/env', 'Content-Length: 5', \'hello'],
    ['POST /limited/env', 'Content-Length: 11', \'hello world'], ['POST /proxied/cgi/env', 'Content-Length: 5', \'hello'],
    ['POST /cgi/env', 'Transfer-Encoding: chunked', \"5\r\nhello\r\n0\r\n\r\n"],
    ['POST /cgi/env', 'Transfer-Encoding: chunked', \"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"],
    ['POST /cgi/env', 'Content-Type: application/json', 'Content-Length: 2', \'{}'],
    ['POST /cgi/env', 'Content-Type: application/grpc', 'Content-Length: 5', \"\0\0\0\0\0"],
    ['POST /cgi/env', 'Content-Length: x'], ['POST /cgi/env', 'Transfer-Encoding: x'],
    ['GET /text.txt', 'Host:'], ['GET /' . 'x' x 9000], ['GET /text.txt', 'X: ' . 'x' x 9000],
);
# Paths that would be calls where UserProfile is On.
my @calls = (
    map { my $path = $_; map { ["$_ $path"] } qw(GET HEAD PUT POST DELETE OPTIONS) }
        qw(/users/U/profile /management/v1/users/U/profile /management/v1/healthz /v2/users/U /v2/users/human/U /users/X/profile
        /auth/v1/users/me/profile /grpc.health.v1.Health/Check /zitadel.user.v2.UserService/GetUserByID /ssi/users.shtml
        /proxied/users/U/profile /rewritten/users/U/profile)
);
push @calls, map { ['POST /grpc.health.v1.Health/Check', "Content-Type: $_", 'Content-Length: 2', \'{}'] }
    qw(application/json application/proto application/grpc application/grpc-web text/plain);

sub answer {
    my ($server, $line, @rest) = @_;
    my $body = ref $rest[-1] ? ${ pop @rest } : '';
    my $host = (grep { /^Host:/ } @rest) ? '' : "Host: site\r\n";
    local $UserProfile::port = $server->{port};
    return same_for_all(raw("$line HTTP/1.1\r\n$host" . ((grep { /^Connection:/ } @rest) ? '' : "Connection: close\r\n")
        . join('', map { "$_\r\n" } @rest) . "\r\n$body"), $server);
}

my %want;
for my $case (['everywhere', @requests], ['loaded', @requests, @calls], ['beside', @requests, @calls], ['off', @requests, @calls]) {
    my ($name, @requests) = @$case;
    my @differ;
    for my $request (@requests) {
        my $want = $want{ join "\n", map { ref ? $$_ : $_ } @$request } //= answer($server{without}, @$request);
        my $got  = answer($server{$name},   @$request);
        next if $got eq $want;
        push @differ, join(' | ', map { ref ? 'a body' : substr $_, 0, 60 } @$request) . "\n--- without:\n$want\n--- $name:\n$got\n";
    }
    my %what = (
        loaded     => 'a server that has loaded the module only',
        beside     => 'a server that serves profiles below another path',
        off        => 'a server whose <Location /> turns UserProfile Off',
        everywhere => 'a server that serves profiles at its root, to paths of no call',
    );
    is join('', @differ[0 .. ($#differ > 2 ? 2 : $#differ)]), '', scalar(@requests) . " answers of $what{$name} are those without it";
}

# HTTP/2, which prefork has not.
if (!$is_prefork) {
    for my $name (qw(loaded beside off everywhere)) {
        my @differ;
        for my $request (map { my $path = $_; map { [$_, $path] } qw(GET HEAD POST PUT OPTIONS) }
            qw(/text.txt /empty.txt /nothing /index /list/ /cgi/env /cgi/fail /ssi/page.shtml /forbidden/x.txt /auth/secret.txt /proxied/text.txt /away/x)) {
            for my $type (undef, 'application/grpc', 'application/json') {
                my ($want, $got);
                # httpd itself, without the module too, cuts one in a thousand
                # answers of mod_include short over HTTP/2: such a one is asked for
                # again.
                for (1 .. 3) {
                    ($want, $got) = map {
                        my $answer = h2(@$request, { 'content-type' => $type }, '', "http://127.0.0.1:$_->{port}");
                        my %header = %{ $answer->{headers} };
                        same_for_all(join("\r\n", (map { ucfirst =~ s/-(\w)/-\u$1/gr . ": $header{$_}" } sort keys %header),
                            $header{'x-cgi'} ? () : $answer->{alone}, %{ $answer->{trailers} }, $answer->{failed} // '', '', $answer->{body}), $_);
                    } @server{ 'without', $name };
                    last if $got eq $want;
                }
                push @differ, "@$request: $got, not $want\n" if $got ne $want;
            }
        }
        is join('', @differ), '', "$name: and over HTTP/2";
    }
}

# Nothing of ours is said in their logs.
unlike $server{loaded}->log, qr/userprofile:(?:error|crit|emerg|alert|warn)|UP\d{4}/, 'a server that has loaded it only says nothing of it';

kill TERM => map { $_->pid } values %server; # all at once, which takes less time

done_testing;
