# UserProfileProtocols: what is listed is served, and what is not is Apache's to
# answer.
use strict;
use warnings;

use Test::More;
use Calls;
use Grpc;
use OwnServer;
use Protobuf;
use UserProfile;

my @names = qw(rest grpc grpc-web connect);
my @subsets = map { my $set = $_; [map { $set & 1 << $_ ? $names[$_] : () } 0 .. $#names] } 1 .. 15;

my $places = join '', map {
    my $list = join ' ', @{ $subsets[$_] };
    "<Location /set$_>\nUserProfile On\nUserProfileProtocols $list\n</Location>\n"
} 0 .. $#subsets;

my $server = OwnServer->start(<<"END");
UserProfileStore "lmdb:\${FOLDER}/store"
UserProfileMapSize 64M
Protocols h2c http/1.1
DocumentRoot "\${FOLDER}"
<Location />
    AuthType UserProfile
    Require valid-user
</Location>
$places
<Location /default>
    UserProfile On
</Location>
<Location /outer>
    UserProfile On
    UserProfileProtocols rest
</Location>
<Location /outer/inner>
    UserProfileProtocols connect grpc
</Location>
<Location /outer/other>
    UserProfile On
    UserProfileProtocols grpc-web
</Location>
<Location /outer/same>
    UserProfile On
</Location>
<Location /twice>
    UserProfile On
    UserProfileProtocols connect
    UserProfileProtocols rest
</Location>
<VirtualHost *:\${PORT}>
    ServerName first
</VirtualHost>
<VirtualHost *:\${PORT}>
    ServerName second
    UserProfile On
    UserProfileProtocols connect
    <Location /here>
        UserProfile On
    </Location>
    <Location /there>
        UserProfile On
        UserProfileProtocols rest
    </Location>
</VirtualHost>
END
local $UserProfile::store = $server->store;
local $UserProfile::port  = $server->{port};
my $site   = site();
my %auth   = (authorization => "Bearer $site->{token}");
my $origin = 'http://127.0.0.1:' . $server->{port};
my $user   = $site->{admin};
my $rpc    = MANAGEMENT . '/GetHumanProfile';
my $rest   = "/users/$user/profile";

# What comes of a read below $place, by protocol; "page" is a page of Apache's.
sub answers {
    my ($place, %header) = @_;
    my $status = sub {
        my ($got) = @_;
        my $type = $got->header('Content-Type') // '';
        return $type =~ /^text\/html/ ? $got->code . ' page' : $got->code . ' ' . $type;
    };
    my $h2 = sub {
        my ($method, $path, $body) = @_;
        my $got = h2($method => $place . $path, { %auth, 'content-type' => 'application/grpc', te => 'trailers',
            map { (($_ eq 'Host' ? ':authority' : $_) => $header{$_}) } keys %header }, $body, $origin);
        my $type = $got->{headers}{'content-type'} // '';
        return $type =~ /^text\/html/ ? "$got->{headers}{':status'} page" : "$got->{headers}{':status'} $type";
    };
    my %way = (
        'rest'          => sub { $status->(request(GET => $place . $rest, { %auth, %header })) },
        'rest put'      => sub { $status->(request(PUT => $place . $rest, { %auth, %header }, {})) },
        'rest, no body type' => sub { $status->(request(GET => $place . $rest, { %auth, %header, 'Content-Type' => undef })) },
        'connect'       => sub { $status->(request(POST => $place . $rpc, { %auth, %header }, { userId => $user })) },
        'connect proto' => sub { $status->(request(POST => $place . $rpc, { %auth, %header, 'Content-Type' => 'application/proto' }, text(1, $user))) },
        'grpc-web'      => sub { $status->(request(POST => $place . $rpc, { %auth, %header, 'Content-Type' => 'application/grpc-web' }, frame(text(1, $user)))) },
        'grpc-web text' => sub { $status->(request(POST => $place . $rpc, { %auth, %header, 'Content-Type' => 'application/grpc-web-text' }, '')) },
        'grpc'          => sub { $h2->(POST => $rpc, frame(text(1, $user))) },
        'grpc on rest'  => sub { $h2->(GET => $rest, frame('')) },
        'unknown type'  => sub { $status->(request(POST => $place . $rpc, { %auth, %header, 'Content-Type' => 'text/plain' }, 'x')) },
        'unknown type on rest' => sub { $status->(request(PUT => $place . $rest, { %auth, %header, 'Content-Type' => 'text/plain' }, 'x')) },
    );
    return { map { $_ => $way{$_}->() } keys %way };
}

# What is to come of it where @protocols are served. Where a file is asked for by
# another method than GET, Apache answers 405; where it is by GET or POST, 404.
sub wanted {
    my (@protocols) = @_;
    my %on = map { $_ => 1 } @protocols;
    my $page = '404 page';
    my $is_rpc = $on{connect} || $on{grpc} || $on{'grpc-web'};
    return {
        'rest'               => $on{rest} ? '200 application/json' : $page,
        'rest put'           => $on{rest} ? '400 application/json' : '405 page',
        'rest, no body type' => $on{rest} ? '200 application/json' : $page,
        'connect'            => $on{connect} ? '200 application/json' : $page,
        'connect proto'      => $on{connect} ? '200 application/proto' : $page,
        'grpc-web'           => $on{'grpc-web'} ? '200 application/grpc-web' : $page,
        'grpc-web text'      => $on{'grpc-web'} ? '200 application/grpc-web-text' : $page,
        'grpc'               => $on{grpc} ? '200 application/grpc' : $page,
        'grpc on rest'       => $on{grpc} ? '200 application/grpc' : $page,
        'unknown type'       => $is_rpc ? '415 application/json' : $page,
        'unknown type on rest' => $on{rest} ? '415 application/json' : '405 page',
    };
}

for my $i (0 .. $#subsets) {
    my @set = @{ $subsets[$i] };
    is_deeply answers("/set$i"), wanted(@set), "UserProfileProtocols @set: these are served, and no others";
}
is_deeply answers('/default'), wanted(@names), 'without the directive all are';
is_deeply answers('/outer/same'), wanted('rest'), 'a place inside has the protocols of the one outside';
is_deeply answers('/outer/other'), wanted('grpc-web'), 'or its own, and then no others';
is_deeply answers('/twice'), wanted('rest'), 'the last line of a place counts';
is_deeply answers('', Host => 'second'), wanted('connect'), 'a virtual host has protocols';
is_deeply answers('/here', Host => 'second'), wanted('connect'), 'and a place in it has them too';
is_deeply answers('/there', Host => 'second'), wanted('rest'), 'or its own';
is_deeply answers('/elsewhere'), wanted(), 'elsewhere nothing is served';

# What is accepted is what is on.
for my $case (
    [connect => 'application/json, application/proto'],
    [grpc    => 'application/grpc, application/grpc+proto'],
    ['grpc-web' => 'application/grpc-web, application/grpc-web+proto, application/grpc-web-text, application/grpc-web-text+proto'],
    )
{
    my ($name, $types) = @$case;
    my ($i) = grep { "@{ $subsets[$_] }" eq $name } 0 .. $#subsets;
    my $got = request(POST => "/set$i$rpc", { %auth, 'Content-Type' => 'text/plain' }, 'x');
    is $got->header('Accept-Post'), $types, "Accept-Post has $name only";
    for my $type ('application/json', 'application/grpc', 'application/grpc-web') {
        my $got = request(PUT => "/set$i$rpc", { %auth, 'Content-Type' => $type }, 'x');
        my $is_on = $types =~ /\Q$type\E(?:,|$)/;
        is $got->code, 405, "PUT of $type there: 405";
        is $got->header('Content-Type') =~ /json/ ? 'ours' : 'a page', $is_on ? 'ours' : 'a page', $is_on ? 'ours' : 'Apache\'s';
    }
}

# A protocol that is not on is not told apart from a path that is not ours: the
# same page, but for the path in it.
my ($rest_only) = grep { "@{ $subsets[$_] }" eq 'rest' } 0 .. $#subsets;
my $not_on = request(POST => "/set$rest_only$rpc", {%auth}, {});
my $not_ours = request(POST => "/set$rest_only/no.such.Service/X", {%auth}, {});
is $not_on->content, $not_ours->content, 'the page of a protocol that is not on is that of any other path';
is_deeply [sort grep { !/^Client/ } $not_on->header_field_names], [sort grep { !/^Client/ } $not_ours->header_field_names], 'with the same headers';
is request(POST => "/set$rest_only$rpc", {}, {})->code, 401, 'and the site\'s authentication comes before it';

done_testing;
