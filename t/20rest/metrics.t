# What is counted of the calls, as Prometheus and as mod_status show it.
#
# Prometheus' own checker, promtool, is in a package of 90 MB, so the text is
# read by a parser of this file, which takes nothing but what the format allows
# and nothing that promtool complains of.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use OwnServer;
use UserProfile;

my $config = <<'END';
UserProfileStore "lmdb:${FOLDER}/store"
UserProfileMapSize 64M
UserProfileSync off
StartServers 2
Include "${CONF}/everywhere.conf"
ExtendedStatus Off
<Location /metrics>
    UserProfile Off
    AuthType None
    Require all granted
    SetHandler userprofile-metrics
</Location>
<Location /server-status>
    UserProfile Off
    AuthType None
    Require all granted
    SetHandler server-status
</Location>
<Location /cors>
    UserProfile On
    UserProfileCors *
</Location>
<Location /elsewhere>
    UserProfile Off
</Location>
<Location /denied>
    Require all denied
    AuthMerging Off
    ErrorDocument 403 "the site's own words"
</Location>
END
my $server = OwnServer->start($config);
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site = site();
my %auth = bearer($site);

my $NUMBER = qr/(?:[0-9]+(?:\.[0-9]+)?(?:e[-+][0-9]+)?|\+Inf)/;
my $NAME   = qr/[a-z][a-z0-9_]*/;

# Read $text: {samples => {'name{labels}' => value}, type => {family => type}},
# and the sentences that say what is wrong with it.
sub parse {
    my ($text) = @_;
    my (%samples, %type, %help, $family, @wrong);
    push @wrong, 'the last line does not end' unless $text =~ /\n\z/;
    for my $line (split /\n/, $text) {
        if ($line =~ /^# HELP ($NAME) (\S.*)$/) {
            push @wrong, "two families $1" if $help{$1}++;
            $family = $1;
        }
        elsif ($line =~ /^# TYPE ($NAME) (counter|gauge|histogram)$/) {
            my ($name, $type) = ($1, $2);
            push @wrong, "TYPE $name without its HELP before it" if $name ne ($family // '');
            push @wrong, "two types of $name" if $type{$name};
            $type{$name} = $type;
            push @wrong, "a $type named $name" if ($type eq 'counter') != ($name =~ /_total$/);
            push @wrong, "a $type named $name" if $name =~ /_(?:count|sum|bucket)$/;
        }
        elsif ($line =~ /^($NAME)(?:\{((?:$NAME="(?:[^"\\\n]|\\["\\n])*",?)+)\})? ($NUMBER)$/) {
            my ($name, $labels, $value) = ($1, $2 // '', $3);
            push @wrong, "a comma at the end of $labels" if $labels =~ /,$/;
            my @names = $labels =~ /($NAME)="/g;
            my $of = $family && ($type{$family} // '') eq 'histogram'
                ? $name =~ s/_(?:bucket|sum|count)$//r : $name;
            push @wrong, "the bound $1" if $labels =~ /\ble="(.*?)"/ && $1 !~ /^(?:0\.[0-9]*[1-9]|[1-9][0-9]*|\+Inf)$/;
            push @wrong, "$name in the family " . ($family // 'none') if $of ne ($family // '');
            my $key = $labels eq '' ? $name : "$name\{$labels\}";
            push @wrong, "two samples $key" if exists $samples{$key};
            $samples{$key} = $value;
        }
        else {
            push @wrong, "not a line of the format: $line";
        }
    }
    push @wrong, wrong_histograms(\%samples, grep { $type{$_} eq 'histogram' } keys %type);
    return ({ samples => \%samples, type => \%type }, @wrong);
}

# Buckets add up, in order, and the last one has all.
sub wrong_histograms {
    my ($samples, @families) = @_;
    my @wrong;
    for my $family (@families) {
        my %bucket;
        for my $key (keys %$samples) {
            $bucket{$1}{$2} = $samples->{$key}
                if $key =~ /^${family}_bucket\{(.*),le="(.*)"\}$/;
        }
        for my $labels (keys %bucket) {
            my $last = 0;
            my $buckets = $bucket{$labels};
            for my $bound (sort { ($a eq '+Inf') <=> ($b eq '+Inf') || $a <=> $b } keys %$buckets) {
                push @wrong, "$family\{$labels\} goes back at $bound" if $buckets->{$bound} < $last;
                $last = $buckets->{$bound};
            }
            push @wrong, "$family\{$labels\} has no +Inf" unless exists $buckets->{'+Inf'};
            push @wrong, "$family\{$labels\}: count is not +Inf's"
                unless ($samples->{"${family}_count{$labels}"} // -1) == $last;
            push @wrong, "$family\{$labels\} has no sum" unless exists $samples->{"${family}_sum{$labels}"};
        }
    }
    return @wrong;
}

my $text;

# The sum of all samples of a family.
sub sum {
    my ($samples, $family) = @_;
    my $sum = 0;
    $sum += $samples->{$_} for grep { /^userprofile_$family\b/ } keys %$samples;
    return $sum;
}

# The samples now.
sub metrics {
    my $response = request(GET => '/metrics');
    $text = $response->content;
    my ($metrics, @wrong) = parse($text);
    is_deeply \@wrong, [], 'the metrics are in Prometheus\' text format';
    return $metrics->{samples};
}

# The samples as soon as they have $count calls: a call is counted after its
# answer is sent.
sub metrics_after {
    my ($count) = @_;
    my $samples;
    $server->wait_until(sub {
        $samples = (parse(request(GET => '/metrics')->content))[0]{samples};
        return sum($samples, 'call_duration_seconds_count') >= $count;
    });
    return metrics();
}

# The count of calls.
sub calls {
    my ($samples, $service, $method, $protocol, $reason) = @_;
    return $samples->{qq(userprofile_calls_total{service="$service",method="$method",)
            . qq(protocol="$protocol",reason="$reason"})} || 0;
}

my $response = request(GET => '/metrics');
is $response->code, 200, 'the handler userprofile-metrics answers';
is $response->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8',
    'the metrics have the media type of Prometheus\' text format';
my $post = request(POST => '/metrics', {}, {});
is $post->code, 405, 'the metrics are read by GET alone';
like $post->header('Allow') // '', qr/\bGET\b/, 'as its Allow says';
my $head = request(HEAD => '/metrics');
is $head->code, 200, 'HEAD of the metrics is answered';
unlike request(GET => '/metrics')->content, qr/^userprofile_calls_total\{/m, 'nothing was called yet';

# Each: how often, what is sent, and what it counts as.
my $MANAGEMENT = 'zitadel.management.v1.ManagementService';
my $AUTH       = 'zitadel.auth.v1.AuthService';
my $V2         = 'zitadel.user.v2.UserService';
my $human      = human($site);
my %json       = ('Content-Type' => 'application/json');
my $profile    = { firstName => 'A', lastName => 'B', displayName => 'C' };
my @calls = (
    [3, [GET => "/management/v1/users/$human/profile", {%auth}], $MANAGEMENT, 'GetHumanProfile', 'rest', 'OK'],
    [1, [PUT => "/management/v1/users/$human/profile", {%auth}, $profile], $MANAGEMENT, 'UpdateHumanProfile', 'rest', 'OK'],
    [2, [PUT => "/management/v1/users/$human/profile", {%auth}, $profile],
        $MANAGEMENT, 'UpdateHumanProfile', 'rest', 'PROFILE_NOT_CHANGED'],
    [1, [GET => '/management/v1/healthz', {%auth}], $MANAGEMENT, 'Healthz', 'rest', 'OK'],
    [2, [GET => '/auth/v1/users/me/profile', {%auth}], $AUTH, 'GetMyProfile', 'rest', 'OK'],
    [1, [PUT => '/auth/v1/users/me/profile', {%auth}, $profile], $AUTH, 'UpdateMyProfile', 'rest', 'OK'],
    [1, [GET => '/auth/v1/healthz', {%auth}], $AUTH, 'Healthz', 'rest', 'OK'],
    [1, [GET => "/v2/users/$human", {%auth}], $V2, 'GetUserByID', 'rest', 'OK'],
    [1, [PATCH => "/v2/users/$human", {%auth}, { human => { profile => { nickName => 'N' } } }], $V2, 'UpdateUser', 'rest', 'OK'],
    [1, [PUT => "/v2/users/human/$human", {%auth}, { profile => { nickName => 'M', givenName => 'A', familyName => 'B' } }], $V2, 'UpdateHumanUser', 'rest', 'OK'],
    [1, [GET => '/v2/users/nobody', {%auth}], $V2, 'GetUserByID', 'rest', 'USER_NOT_FOUND'],
    [1, [POST => "/$V2/GetUserByID", {%auth, %json}, { userId => $human }], $V2, 'GetUserByID', 'connect', 'OK'],
    [1, [POST => "/$V2/GetUserByID", {%auth, 'Content-Type' => 'application/grpc-web'}, "\0\0\0\0\0"], $V2, 'GetUserByID', 'grpc-web', 'FIELD_INVALID'],
    [1, [POST => "/$V2/NoSuchMethod", {%auth, %json}, {}], $V2, 'unknown', 'connect', 'UNIMPLEMENTED'],
    [1, [POST => "/$V2/GetUserByID", {%auth, 'Content-Type' => 'text/html'}, 'x'], $V2, 'GetUserByID', 'none', 'MEDIA_TYPE_UNSUPPORTED'],
    [1, [POST => "/grpc.health.v1.Health/Check", {%auth, %json}, {}], 'grpc.health.v1.Health', 'Check', 'connect', 'OK'],
    [1, [DELETE => "/v2/users/$human", {%auth}], $V2, 'unknown', 'none', 'METHOD_NOT_ALLOWED'],
    [4, [GET => "/v2/users/$human", { bearer('wrong') }], $V2, 'GetUserByID', 'rest', 'TOKEN_INVALID'],
    [1, [GET => "/v2/users/$human", { Authorization => 'Basic x' }], $V2, 'GetUserByID', 'rest', 'AUTH_HEADER_INVALID'],
    [1, [GET => "/v2/users/$human"], $V2, 'GetUserByID', 'rest', 'AUTH_HEADER_MISSING'],
);
my $total = 0;
for my $call (@calls) {
    my ($count, $request, @counted) = @$call;
    my $before = metrics();
    request(@$request) for 1 .. $count;
    my $after = metrics_after($total += $count);
    is calls($after, @counted) - calls($before, @counted), $count, "counted: $count of @counted";
    for my $family (qw(calls_total call_duration_seconds_count)) {
        is sum($after, $family) - sum($before, $family), $count,
            "each of these is once in $family: @counted[1, 2]";
    }
}

# What other modules and sites do.
my $before = metrics();
request(GET => '/denied/v2/users/1', {%auth});
is calls(metrics_after(++$total), $V2, 'GetUserByID', 'rest', 'FORBIDDEN'), 1,
    'an error of another module is counted where the site has a document for it too';
$before = metrics();
request(GET => '/elsewhere');
request(GET => '/server-status');
is request(OPTIONS => '/cors/v2/users/1', { Origin => 'http://a', 'Access-Control-Request-Method' => 'GET' })->code, 204,
    'a preflight is answered';
is sum(metrics(), 'calls_total'), sum($before, 'calls_total'), 'what is not ours, or a preflight, is not counted';

my $now = metrics();
is $now->{'userprofile_tokens_refused_total{reason="TOKEN_INVALID"}'}, 4, 'refused tokens are counted';
is $now->{'userprofile_tokens_refused_total{reason="AUTH_HEADER_INVALID"}'}, 1, 'what is no token is counted apart';
is $now->{userprofile_changes_total}, 4, 'changes are counted';
is $now->{userprofile_batches_total}, 4, 'changes that come one by one have a transaction each';
cmp_ok $now->{userprofile_flush_seconds_total}, '>', 0, 'the time of flushes is counted';
my ($label) = map { qq({store="$_"}) } $server->store;
is $now->{"userprofile_store_up$label"}, 1, 'the store is up';
cmp_ok $now->{"userprofile_store_bytes_used$label"}, '>', 0, 'the store has a size';
is $now->{"userprofile_store_bytes_used$label"} + $now->{"userprofile_store_bytes_free$label"},
    $now->{"userprofile_store_bytes_max$label"}, 'what is not used is free';
is $now->{"userprofile_store_bytes_max$label"}, 64 << 20, 'the store has its map size';
cmp_ok $now->{"userprofile_store_readers$label"}, '>', 0, 'the store has readers';
my (undef, $events) = do { local $UserProfile::store = $server->store; ctl('--json', 'events') };
is scalar(() = $events =~ /"type":"profile\.changed"/g), 4, 'each change is an event';
is $now->{qq(userprofile_store_items{store="${\$server->store}",kind="event"})}, scalar(() = $events =~ /\n/g),
    'the store\'s items are counted by kind';

# Two children, restarts, kills: sums never go back.
sub rest {
    my ($samples) = @_;
    return { map { $_ => $samples->{$_} } grep { /^userprofile_(?:calls|call_|tokens|changes|batches|flush)/ } keys %$samples };
}
my $kept = rest(metrics());
$server->reload;
is_deeply rest(metrics()), $kept, 'after a graceful restart the counts are as before';
request(GET => "/v2/users/$human", {%auth}) for 1 .. 5;
is calls(metrics_after($total += 5), $V2, 'GetUserByID', 'rest', 'OK') - calls($kept, $V2, 'GetUserByID', 'rest', 'OK'), 5,
    'after a graceful restart counting goes on';
$kept = rest(metrics());
my @children = $server->children;
kill KILL => @children;
$server->wait_until(sub {
    my %old = map { $_ => 1 } @children;
    my @new = grep { !$old{$_} } $server->children;
    return @new && !grep { $old{$_} } $server->children;
});
is_deeply rest(metrics()), $kept, 'children that were killed keep their counts';
$server->reload for 1 .. 3;
is_deeply rest(metrics()), $kept, 'after further restarts the counts are as before';
unlike $server->log, qr/exit signal (?!Kill)/, 'no process crashes at a restart';

# mod_status.
my $auto = request(GET => '/server-status?auto')->content;
like $auto, qr/^UserProfileCalls: \d+$/m, 'mod_status says to programs how many calls there were';
like $auto, qr/^UserProfileError-TOKEN_INVALID: 4$/m, 'mod_status says to programs which errors there were';
like $auto, qr/^UserProfileChanges: 4$/m, 'mod_status says to programs how many changes there were';
like $auto, qr/^UserProfileStore1-bytesUsed: \d+$/m, 'mod_status says to programs how large the store is';
is scalar(() = $auto =~ /^UserProfile(?![\w-]+: \S)/mg), 0, 'each line for programs is a name and a value';
my $page = request(GET => '/server-status')->content;
my ($section) = $page =~ m{<h1>User Profiles</h1>\n<dl>\n((?:<dt>[^<]+: [^<]+</dt>\n)+)</dl>};
ok $section, 'mod_status has a section for people';
like $section // '', qr/<dt>Calls: \d+</, 'the section says how many calls there were';
unlike $text, qr/\bsite-|$site->{token}/, 'the metrics name no user, organisation or token';

# Two stores, the second with a name that a label cannot hold as it is.
{
    my $two = OwnServer->start(<<'END');
UserProfileStore "lmdb:${FOLDER}/store"
Include "${CONF}/everywhere.conf"
<VirtualHost 127.0.0.1:${PORT}>
    UserProfileStore 'lmdb:${FOLDER}/a"b\c'
    <Location /metrics>
        UserProfile Off
        AuthType None
        Require all granted
        SetHandler userprofile-metrics
    </Location>
</VirtualHost>
END
    my ($metrics, @wrong) = parse(request(GET => $two->url('/metrics'))->content);
    my ($first, $second) = map { $two->store =~ s/store$/$_/r } 'store', 'a\\"b\\\\c';
    is_deeply \@wrong, [], 'the metrics of two stores are in the format, each family once';
    is $metrics->{samples}{qq(userprofile_store_up{store="$_"})}, 1, "a label names the store $_"
        for $first, $second;
    cmp_ok $metrics->{samples}{qq(userprofile_store_readers{store="$_"})}, '>', 0, "$_ has its figures"
        for $first, $second;

    my ($section) = UserProfile::slurp(UserProfile::top() . '/conf/mod_userprofile.5')
        =~ /^\.Sh METRICS\n(.*?)^\.Sh /ms;
    my %named = map { $_ => 1 } $section =~ /\b(userprofile_\w+)/g;
    is_deeply [sort keys %named], [sort keys %{ $metrics->{type} }],
        'the manual page has every metric';
}

done_testing;
