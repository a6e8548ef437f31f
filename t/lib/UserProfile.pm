# UserProfile.pm -- what the HTTP tests share: filling the server's store,
# sending requests, reading replies and the error log.
#
# A test that uses it belongs to the server of the folder that it lies in, and
# dies where there is none.
package UserProfile;

use strict;
use warnings;

use Cwd            qw(abs_path);
use Encode         qw(encode_utf8);
use Exporter       qw(import);
use File::Basename qw(dirname);
use File::Temp     ();
use HTTP::Request;
use IO::Socket::INET;
use JSON::PP ();
use LWP::Protocol::http ();
use LWP::UserAgent;

use OpenApi ();

our @EXPORT = qw(
    store ctl fill site human
    request bearer basic decode reason
    raw plain_request
    log_mark log_since
    PROFILES
);

# Below it, AuthType UserProfile.
use constant PROFILES => '/management/v1/users';

# No "TE" and "Connection: TE" of LWP's own.
push @LWP::Protocol::http::EXTRA_SOCK_OPTS, SendTE => 0;

# The folder that holds the t/ of the running test.
my $top = abs_path(dirname($0)) =~ s{/t/[^/]+$}{}r;
my $build = $ENV{UP_BUILD} || "$top/build";
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
my $agent = LWP::UserAgent->new(max_redirect => 0, timeout => 120);

sub top {
    return $top;
}

my $vars;

# What Apache::Test knows of this server: {port}, {t_logs}, ...
sub vars {
    return $vars if $vars;
    my $file = "$top/t/conf/apache_test_config.pm";
    -e $file or die "no test server was started in $top\n";
    require $file;
    return $vars = apache_test_config->new->{vars};
}

# Made local, another store than the server's for those below.
our $store;

# Made local, another port than the server's for requests.
our $port;

sub port {
    return $port || vars()->{port};
}

# The store that they work on, as userprofilectl takes it.
sub store {
    return $store || slurp("$top/t/conf/store");
}

# Run userprofilectl with @arguments; if the first is a reference, it is to what
# the tool reads. Returns exit status, output, errors.
sub ctl {
    my $input = ref $_[0] ? ${ +shift } : '';
    my (@arguments) = @_;
    my ($in, $out, $err) = map { File::Temp->new } 1 .. 3;
    print $in $input;
    close $in;

    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN,  '<', "$in"  or die;
        open STDOUT, '>', "$out" or die;
        open STDERR, '>', "$err" or die;
        exec "$build/userprofilectl", '-s', store(), @arguments;
        die "cannot run userprofilectl: $!";
    }
    waitpid $pid, 0;
    my $status = $? & 127 ? "signal " . ($? & 127) : $? >> 8;
    return ($status, slurp("$out"), slurp("$err"));
}

sub slurp {
    my ($path, $from) = @_;
    open my $in, '<', $path or return '';
    seek $in, $from || 0, 0;
    local $/;
    return scalar(<$in>) // '';
}

# Import @items, each a line as export would write it, as a hash.
sub fill {
    my (@items) = @_;
    my $lines = join '', map { $json->encode($_) . "\n" } @items;
    my ($status, undef, $errors) = ctl(\$lines, 'import', '--allow-weak', '--force', '-');
    die "import failed: $errors" if $status ne 0;
}

my $count = 0;

# An id that no other test has.
sub id {
    my ($kind) = @_;
    return join '-', $kind, $$, ++$count;
}

# A new organisation with one administrator, a stored human who is ORG_OWNER
# (or has @roles) there: { org, admin, token }.
sub site {
    my (@roles) = @_;
    my %site = map { $_ => id($_) } qw(org admin token);
    fill(
        { org => { id => $site{org} } },
        user($site{org}, $site{admin}),
        {
            member => {
                orgId  => $site{org},
                userId => $site{admin},
                roles  => @roles ? [@roles] : ['ORG_OWNER'],
            }
        },
        { token => { userId => $site{admin}, token => $site{token} } }
    );
    return \%site;
}

# The import line of a human in organisation $org.
sub user {
    my ($org, $id, %profile) = @_;
    return {
        user => {
            id      => $id,
            orgId   => $org,
            type    => 'human',
            profile => {
                firstName   => 'Gigi',
                lastName    => 'Giraffe',
                displayName => 'Gigi Giraffe',
                %profile,
            },
        }
    };
}

# A new human in the organisation of $site; returns its id. %profile says what
# differs from Gigi Giraffe.
sub human {
    my ($site, %profile) = @_;
    my $id = id('human');
    fill(user($site->{org}, $id, %profile));
    return $id;
}

# Send one request and return its HTTP::Response. $path may be the URL of an
# OwnServer. A $body that is a reference goes as JSON; a header that is undef is
# left out.
sub request {
    my ($method, $path, $headers, $body) = @_;
    my %header = %{ $headers || {} };
    if (ref $body && ref $body ne 'CODE') {
        $body = $json->encode($body);
        $header{'Content-Type'} = 'application/json'
            unless exists $header{'Content-Type'};
    }
    delete @header{ grep { !defined $header{$_} } keys %header };
    $path = encode_utf8($path) if utf8::is_utf8($path);
    $path = 'http://127.0.0.1:' . port() . $path if $path =~ m{^/};
    my $got =
        $agent->request(HTTP::Request->new($method, $path, [%header], $body));
    OpenApi::check_answer($top, $method, $path, $got->code,
        { map { lc $_ => scalar $got->header($_) } $got->header_field_names },
        $got->content);
    return $got;
}

# Authorization headers: the token of a site, or a token; a user of /basic.
sub bearer {
    my ($token) = @_;
    $token = $token->{token} if ref $token;
    return (Authorization => "Bearer $token");
}

sub basic {
    my ($user, $password) = @_;
    require MIME::Base64;
    $password = "$user-password" unless defined $password;
    return (Authorization => 'Basic '
            . MIME::Base64::encode_base64("$user:$password", ''));
}

# The body of $response, decoded; undef if it is not JSON.
sub decode {
    my ($response) = @_;
    return scalar eval { $json->decode($response->content) };
}

# The stable name of an error, from its ErrorInfo; '' if it has none.
sub reason {
    my ($response) = @_;
    my $status = decode($response);
    return '' unless ref $status eq 'HASH' && ref $status->{details} eq 'ARRAY';
    my ($info) = grep { ($_->{'@type'} || '') =~ /ErrorInfo$/ }
        @{ $status->{details} };
    return $info ? $info->{reason} : '';
}

# Send @bytes as they are over one connection, say that no more will come
# unless $keep_open, and return all that comes back.
sub raw {
    my ($bytes, $keep_open) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1',
        PeerPort => port(),
        Timeout  => 30
    ) or die "cannot connect: $@";
    $socket->print($bytes);
    $socket->flush;
    $socket->shutdown(1) unless $keep_open;
    local $/;
    my $answer = scalar(<$socket>) // '';
    check_raw($bytes, $answer);
    return $answer;
}

# Whether $answer to the request $bytes is as described, if it is one whole
# answer.
sub check_raw {
    my ($bytes, $answer) = @_;
    my ($method, $path) = $bytes =~ m{\A([A-Z]+) (\S+) HTTP/1\.[01]\r\n} or return;
    my ($status, $lines, $body) = $answer =~
        m{\A(?:HTTP/1\.1 1\d\d.*?\r\n\r\n)?HTTP/1\.1 (\d+)[^\r]*\r\n(.*?)\r\n\r\n(.*)\z}s
        or return;
    my %header = map { /^([^:]+): ?(.*)/s ? (lc $1 => $2) : () }
        split /\r\n/, $lines;
    OpenApi::check_answer($top, $method, $path, $status, \%header, $body)
        if $method eq 'HEAD'
        || length $body == ($header{'content-length'} // -1);
}

# Send one request as it is, without what LWP would add, and return status,
# headers by lower-case name, and body. @lines are header lines. What httpd says
# of itself and of the connection is left out.
sub plain_request {
    my ($method, $target, @lines) = @_;
    my $answer = raw(join '', map { "$_\r\n" } "$method $target HTTP/1.1",
        (grep { /^Host:/i } @lines) ? () : 'Host: 127.0.0.1',
        'Connection: close', @lines, '');
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;
    my ($status, @headers) = split /\r\n/, $head // '';
    my %header = map { /^([^:]+): (.*)/s ? (lc $1 => $2) : () } @headers;
    delete @header{qw(date server connection upgrade)};
    return ($status =~ m{^HTTP/1\.1 (\d+) } ? $1 : 0, \%header, $body);
}

# Where the error log ends now, and what was added since such a mark.
sub log_mark {
    return -s vars()->{t_logs} . '/error_log';
}

sub log_since {
    my ($mark) = @_;
    return slurp(vars()->{t_logs} . '/error_log', $mark);
}

1;
