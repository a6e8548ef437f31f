# Reads.pm -- rows of calls that read, over REST and gRPC, and of the calls that
# are measured at one number of connections only.
package Rows::Reads;

use strict;
use warnings;

use Exporter qw(import);

use BenchCalls;
use Figures;
use Load;
use Stage;
use Users ();

our @EXPORT = qw(gets checks grpc calls);

sub gets {
    my ($server) = @_;
    for my $connections ($QUICK ? 32 : (1, 32, 128)) {
        my %get = (call => 'get', connections => $connections);
        my $result = alternate(
            $ROUNDS,
            ours  => load($server, %get),
            idle  => idle($server, %get),
            token => behind_token($server, %get)
        );
        note_rows(
            $result, "1x$THREADS",
            ours  => "GET, $connections connections",
            idle  => '  no-op, no authentication',
            token => '  no-op behind the same AuthType'
        );
        bars(
            reads => $connections,
            ours  => figure($result, 'ours'),
            'a handler that does nothing' => figure($result, 'idle')
        );
        next if $connections != 32;
        mark("GET, $connections connections : no-op without authentication",
            ratio($result, 'ours', 'idle'), 'at least', 0.80);
        mark("GET, $connections connections : no-op behind the same AuthType",
            ratio($result, 'ours', 'token'), 'at least', 0.90);
    }
}

# What the token costs, and what the caller's rights do.
sub checks {
    my ($server) = @_;
    my $accessless = server('accessless',
        module => "$SCRATCH/mod_userprofile_without_access.so");
    my %get = (
        call        => 'get',
        connections => 32,
        headers     => ["X-Zitadel-Orgid: $Users::ORG"]
    );
    my %free = (%get, place => '/caller', token => 0);
    my $result = alternate(
        $ROUNDS,
        ours    => load($server,     %get),
        caller  => load($server,     %free),
        neither => load($accessless, %free)
    );
    $accessless->stop;
    note_rows(
        $result, "1x$THREADS",
        ours    => 'GET, 32 connections, organisation named',
        caller  => '  the same without the token',
        neither => '  the same without token and membership'
    );
}

sub grpc {
    my ($server) = @_;
    my %call = (
        connections => 32,
        streams     => 1,
        method      => 'POST',
        type        => $GRPC,
        body        => "$SCRATCH/get.grpc",
        seconds     => $SECONDS->{get},
        status      => 200
    );
    my $result = alternate(
        $ROUNDS,
        ours => sub {
            h2load($server, %call, token => 1, path => "$RPC/GetHumanProfile");
        },
        idle  => sub { h2load($server, %call, path => '/idle/grpc/1') },
        token => sub {
            h2load($server, %call, token => 1, path => '/token/grpc/1');
        }
    );
    note_rows(
        $result, "1x$THREADS",
        ours  => 'gRPC GetHumanProfile over h2c, 32 connections',
        idle  => '  no-op, same bytes and trailers, no authentication',
        token => '  no-op behind the same AuthType'
    );
}

# A call of BenchCalls.pm, and what its row is called. Each is measured with 32
# connections, beside the handler that does nothing.
my @CALLS = (
    [get_user   => 'GetUserByID over REST'],
    [connect    => 'GetHumanProfile over Connect'],
    [patch_user => 'UpdateUser over REST, changed, flushed'],
);

sub calls {
    my ($server) = @_;
    for my $row (@CALLS) {
        my ($call, $what) = @$row;
        if (!served($call)) {
            note("$what: not measured, this build does not serve it", '');
            next;
        }
        my %load = (call => $call, connections => 32);
        my $result = alternate(
            $ROUNDS,
            ours  => load($server, %load),
            token => behind_token($server, %load)
        );
        note_rows(
            $result, "1x$THREADS",
            ours  => "$what, 32 connections",
            token => '  no-op behind the same AuthType'
        );
    }
}

1;
