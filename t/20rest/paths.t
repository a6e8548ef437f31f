# Which requests are ours: those whose path is a call's directly below the section
# that says UserProfile On.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use Pipeline;
use UserProfile;

my $RPC = '/zitadel.management.v1.ManagementService';

# The paths of the calls, and what an answer to another method says of each: what
# is allowed, and whose profile it is.
my %path = (
    long   => ["/management/v1/users/U/profile",  'GET, HEAD, PUT U'],
    short  => ["/users/U/profile",                'GET, HEAD, PUT U'],
    health => ["/management/v1/healthz",          'GET, HEAD '],
    me     => ["/auth/v1/users/me/profile",       'GET, HEAD, PUT '],
    alive  => ["/auth/v1/healthz",                'GET, HEAD '],
    user   => ["/v2/users/U",                     'GET, HEAD, PATCH U'],
    human  => ["/v2/users/human/U",               'PUT U'],
    rpc    => ["$RPC/GetHumanProfile",            'POST '],
    auth   => ["/zitadel.auth.v1.AuthService/GetMyProfile", 'POST '],
    v2     => ["/zitadel.user.v2.UserService/X",  'POST '],
);
my @management = qw(long health);
my @auth       = qw(me alive);
my @v2         = qw(user human);

# Prefixes of <Location>s that say On; then, for the calls whose path does not
# simply follow it, what stands before their path instead; undef: nothing does.
my @locations = (
    ['/'],
    ['/p'],
    ['/p/'],
    ['/p/q'],
    ['/Management'],
    ['/v1'],
    ['/management',           map { $_ => '' } @management],
    ['/management/',          map { $_ => '' } @management],
    ['/management/v1',        map { $_ => '' } @management],
    ['/management/v1/',       map { $_ => '' } @management],
    ['/management/v2',        map { $_ => '/management' } @v2],
    ['/x/management',         map { $_ => '/x' } @management],
    ['/x/management/v1',      map { $_ => '/x' } @management],
    ['/management/management/v1', map { $_ => '/management' } @management],
    ['/xmanagement/v1'],
    ['/auth',                 map { $_ => '' } @auth],
    ['/auth/v1',              map { $_ => '' } @auth],
    ['/x/auth/v1',            map { $_ => '/x' } @auth],
    ['/auth/v1/users',        short => '/auth/v1', me => '', alive => '/auth/v1/users'],
    ['/auth/v1/users/me',     me => ''],
    ['/v2',                   map { $_ => '' } @v2],
    ['/x/v2',                 map { $_ => '/x' } @v2],
    ['/v2/users',             short => '/v2', map { $_ => '' } @v2],
    ['/users',                short => ''],
    ['/x/users',              short => '/x'],
    ['/users/acme'],
    ['/users/U/profile',      short => ''],
    ['/management/v1/users',   short => undef, long => ''],
    ['/management/v1/users/U', short => undef, long => ''],
    ['/management/v1/users/U/profile', short => undef, long => ''],
    ['/management/v1/healthz', health => ''],
    ['/v2/users/U',           user => ''],
    [$RPC,                    rpc => ''],
    ["/x$RPC",                rpc => '/x'],
    ["$RPC/GetHumanProfile",  rpc => ''],
    ['/zitadel.user.v2.UserService', v2 => ''],
);

# Sections of other kinds: their text, and the paths below them that are ours.
my @names    = sort keys %path;
my %anywhere = map { $_ => '' } @names;
my @sections = (
    ['a virtual host',  'UserProfile On', %anywhere],
    ['a <Directory>',   "<Directory \"\${FOLDER}/files\">\nUserProfile On\n</Directory>", %anywhere],
    ['an <If>',         "<If \"true\">\nUserProfile On\n</If>", %anywhere],
    ['an <If> in an <If>', "<If \"true\">\n<If \"true\">\nUserProfile On\n</If>\n</If>", %anywhere],
    ['an <If> in a <Location /p>', "<Location /p>\n<If \"true\">\nUserProfile On\n</If>\n</Location>",
        map { $_ => '/p' } @names],
    ['a nested <If> in a <Location /auth>',
        "<Location /auth>\n<If \"true\">\n<If \"true\">\nUserProfile On\n</If>\n</If>\n</Location>",
        (map { $_ => '/auth' } @names), me => '', alive => ''],
    ['a <Location "/p"> in quotes', "<Location \"/p\">\nUserProfile On\n</Location>",
        map { $_ => '/p' } @names],
    ['a <Location ~ "^/p">', "<Location ~ \"^/p\">\nUserProfile On\n</Location>",
        map { $_ => '/p' } @names],
    ['a <LocationMatch "^/(p|x)">', "<LocationMatch \"^/(p|x)\">\nUserProfile On\n</LocationMatch>",
        map { $_ => ['/p', '/x'] } @names],
    ['a <LocationMatch "^/management/v1/users/[^/]+/profile$">',
        "<LocationMatch \"^/management/v1/users/[^/]+/profile\$\">\nUserProfile On\n</LocationMatch>",
        long => ''],
    ['a <LocationMatch "^/p/users/[^/]+$">, which has no call', 
        "<LocationMatch \"^/p/users/[^/]+\$\">\nUserProfile On\n</LocationMatch>"],
    ['a <LocationMatch "^/man"> that ends inside a segment',
        "<LocationMatch \"^/man\">\nUserProfile On\n</LocationMatch>"],
    ['a <Location "/p/users/*/profile">', "<Location \"/p/users/*/profile\">\nUserProfile On\n</Location>",
        short => '/p'],
    ['a <Location "/?/v1/users/*/profile">', "<Location \"/?/v1/users/*/profile\">\nUserProfile On\n</Location>",
        short => qr{/[pPx]/v1}],
    ['a <Location "/management/*/users/*/profile">',
        "<Location \"/management/*/users/*/profile\">\nUserProfile On\n</Location>",
        long => '', short => qr{/management/[^/]+}],
    ['a <Location /p> in a virtual host that says Off',
        "UserProfile Off\n<Location /p>\nUserProfile On\n</Location>", map { $_ => '/p' } @names],
    ['a virtual host, but for its <Location /p> with Off',
        "UserProfile On\n<Location /p>\nUserProfile Off\n</Location>", %anywhere],
    ['a virtual host whose <Location /p> does not say On itself',
        "UserProfile On\n<Location /p>\nUserProfileMaxBody 1K\n</Location>", %anywhere],
    ['a virtual host whose <Location /p> says On too',
        "UserProfile On\n<Location /p>\nUserProfile On\n</Location>", map { $_ => ['', '/p'] } @names],
    ['a <Location /p> whose <Location /p/q> says On too',
        "<Location /p>\nUserProfile On\n</Location>\n<Location /p/q>\nUserProfile On\n</Location>",
        map { $_ => ['/p', '/p/q'] } @names],
);

my @hosts;
for my $case (@locations) {
    my ($place, %before) = @$case;
    my $prefix = $place =~ s{/$}{}r;
    push @hosts, ["<Location $place>", "<Location $place>\nUserProfile On\n</Location>", $prefix,
        (map { $_ => $prefix } @names), %before];
}
push @hosts, map { my ($what, $text, @before) = @$_; [$what, $text, '', @before] } @sections;
my $count = 0;
my $server = OwnServer->prepare(join "\n", <<'END',
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
DocumentRoot "${FOLDER}/files"
MaxKeepAliveRequests 0
Header always set X-User "expr=%{note:userprofile-user}"
<Directory "${FOLDER}/files">
    Require all granted
</Directory>
END
    map { "<VirtualHost *:\${PORT}>\nServerName host" . $count++ . "\n$_->[1]\n</VirtualHost>" } @hosts);
mkdir $server->file('files') or die "mkdir: $!";
$server->launch;
local $UserProfile::port = $server->{port};

# What is said of each of @targets on $host that is ours.
sub ours {
    my ($host, @targets) = @_;
    my @answers = pipeline(map { [DELETE => $_, $host] } @targets);
    my %ours;
    for my $i (0 .. $#targets) {
        my $header = $answers[$i]{header};
        next unless $header->{'content-type'} eq 'application/json';
        $ours{ $targets[$i] } = "$header->{allow} " . ($header->{'x-user'} // '') =~ s/^\(null\)$//r;
    }
    return \%ours;
}

# Every prefix before every path, and before what is left of a path that begins
# inside of the prefix.
my @tails  = map { $_->[0] } values %path;
my @places = map { $_->[0] =~ s{/$}{}r } @locations;
my @cut    = qw(/v1/users/U/profile /U/profile /profile /me/profile /human/U /U /v1/healthz /GetHumanProfile);
my %before = map { $_ => 1 } '', qw(/x /P /x/v1 /P/v1 /p/v1), map { ($_, "/x$_", "$_$_", "$_/management/v1") } @places;
my %target = map { my $before = $_; map { $before . $_ => 1 } @tails, @cut } keys %before;
my @targets = sort keys %target;

# Those of @targets below $place that the calls %before have prefixes for stand
# for, as ours() has them. A user's id is any segment, and so is an RPC's method;
# of two calls with one path the longer path counts.
sub wanted {
    my ($place, %before) = @_;
    my (@shapes, %want);
    for my $name (keys %before) {
        my ($path, $said, $length) = (@{ $path{$name} }, length $path{$name}[0]);
        my $shape = $path =~ s{\.}{\\.}gr =~ s{/U\b}{/([^/]+)}r;
        $shape =~ s{/\w+\z}{/[^/]+} if $said eq 'POST ';
        push @shapes, map { [ref ? qr{^$_$shape\z} : qr{^\Q$_\E$shape\z}, $said, $length] }
            map { ref eq 'ARRAY' ? @$_ : $_ } grep { defined } $before{$name};
    }
    @shapes = sort { $b->[2] <=> $a->[2] } @shapes;
    for my $target (grep { m{^\Q$place\E(?:/|\z)} } @targets) {
        for my $shape (@shapes) {
            my ($pattern, $said) = @$shape;
            my ($id) = $target =~ $pattern or next;
            $want{$target} = $said =~ s{U\z}{$id}r;
            last;
        }
    }
    return \%want;
}

# What is wrong with $ours, in lines.
sub differs {
    my ($ours, $want) = @_;
    my @extra   = map { "ours, but should not be: $_ ($ours->{$_})\n" } grep { !exists $want->{$_} } sort keys %$ours;
    my @missing = map { "not ours, but should be: $_\n" } grep { !exists $ours->{$_} } sort keys %$want;
    my @other   = map { "$_ is '$ours->{$_}', not '$want->{$_}'\n" }
        grep { exists $ours->{$_} && $ours->{$_} ne $want->{$_} } sort keys %$want;
    return join '', @extra, @missing, @other;
}

for my $i (0 .. $#hosts) {
    my ($what, undef, $place, %before) = @{ $hosts[$i] };
    my $want = wanted($place, %before);
    my $count = keys %$want;
    is differs(ours("host$i", @targets), $want), '',
        "below $what, $count of " . @targets . ' paths are ours, and no others';
}

# No spelling of a call passes a stricter <Location> for the call's own path: one
# that is read differently there and by us. Sections with such rules for each path
# that names the user V, under each way of httpd to read a path.
my @readings = ('', 'MergeSlashes Off', 'AllowEncodedSlashes On', "MergeSlashes Off\nAllowEncodedSlashes On",
    'AllowEncodedSlashes NoDecode', "MergeSlashes Off\nAllowEncodedSlashes NoDecode");
my @sites = (
    # section, and its paths that name a user
    ['<Location />',               '',            qw(/management/v1/users/V /users/V /v2/users/V)],
    ['<Location /p/>',             '/p',          qw(/management/v1/users/V /users/V /v2/users/V)],
    ['<Location /management>',     '/management', qw(/v1/users/V /users/V /v2/users/V)],
    ['<Location /management/v1>',  '/management/v1', qw(/users/V /v2/users/V)],
    ['<Location /management/v1/users>', '/management/v1/users', qw(/V /v2/users/V)],
    ['<Location /v2/users/>',      '/v2/users',   qw(/V /management/v1/users/V)],
    ['<LocationMatch "^/p(?=/)">', '/p',          qw(/management/v1/users/V /users/V /v2/users/V)],
);
my $text = '';
for my $i (0 .. $#sites) {
    my ($section, $place, @named) = @{ $sites[$i] };
    my ($kind) = $section =~ /(\w+)/;
    for my $j (0 .. $#readings) {
        $text .= join "\n", "<VirtualHost *:\${PORT}>", "ServerName site$i-$j", $readings[$j],
            $section, 'UserProfile On', 'AuthType UserProfile', 'Require valid-user', "</$kind>",
            (map { "<Location $place$_>\nRequire all denied\n</Location>" } @named),
            "</VirtualHost>\n";
    }
}
$server->stop;
$server = OwnServer->start(<<"END");
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
$text
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
fill(map { UserProfile::user($site->{org}, $_, firstName => "first name of $_") } qw(V W));
my %auth = bearer($site);

# Other spellings of $target, below $place: some that httpd makes the same, some
# that it does not, some that it refuses.
sub spellings {
    my ($place, $target) = @_;
    my $rest = substr $target, length $place;
    my $insert = sub {
        my ($what) = @_;
        return map { substr($target, 0, $_) . $what . substr $target, $_ }
            grep { substr($target, $_, 1) eq '/' } 0 .. length($target) - 1;
    };
    my $replace = sub {
        my ($from, $to) = @_;
        my @found;
        push @found, substr($target, 0, $-[0]) . $to . substr $target, $+[0] while $target =~ /$from/g;
        return @found;
    };
    return $target, (map { "$place$_$rest" } $place, map { ($_, "$place$_") }
            qw(/p /x /management /management/v1 /v1 /v2 /users /users/x /v2/users /management/v1/users/V)),
        (map { $insert->($_) } '/', '/.', '/x/..', '/%2e', '/x/%2E%2e', '%2F', '%2f.', '/;', ';x', '%00', '%20', '%3b'),
        (map { $replace->('/', $_) } '%2F', '%2f', '/%2F', '%2f/', '%252F', '\\', '%5C', "\xc0\xaf", '%c0%af', '/./', '//', '///'),
        $replace->('V', '%56'), $replace->('V', '%2556'), $replace->('V', 'v'), $replace->('V', '/V'), $replace->('V', 'V/.'),
        (map { $replace->('users', $_) } qw(%75sers Users USERS users%00 user%73 %2575sers)),
        $replace->('p', '%70'), $replace->('1', '%31'), $replace->('v2', 'V2'), $replace->('m', '%6d'),
        map { "$target$_" } '#', qw(/ // /. /.. /x ;x ? ?x=/users/W/profile %2F %00 /../profile .json %20 /%2e);
}

my @lines = map { "$_: $auth{$_}" } keys %auth;
for my $i (0 .. $#sites) {
    my ($section, $place, @named) = @{ $sites[$i] };
    for my $path (map { /v2/ || $place =~ /v2/ && !/management/ ? $place . $_ : "$place$_/profile" } @named) {
        my (%status, @passed);
        for my $j (0 .. $#readings) {
            my $other = $path =~ s/V/W/r;
            my ($got) = plain_request(GET => $other, "Host: site$i-$j", @lines);
            my @spellings = spellings($place, $path);
            my @answers   = pipeline(map { [GET => $_, "site$i-$j", @lines] } @spellings);
            for my $k (0 .. $#spellings) {
                push @passed, "$spellings[$k] ($readings[$j])"
                    if $answers[$k]{body} =~ /first name of V/;
            }
            $status{$got}++;
        }
        is_deeply \%status, { 200 => scalar @readings }, "in $section, $path is a call's but for the user";
        is_deeply \@passed, [], 'and no spelling of it passes a stricter <Location> for it';
    }
}

done_testing;
