# Stage.pm -- what the rows of the benchmark need: servers, stores, and rounds
# of load on them.
package Stage;

use strict;
use warnings;

use Exporter qw(import);

use Httpd;
use Load;
use Users;

our @EXPORT = qw(
    $QUICK $FULL $ROUNDS $SECONDS $USERS $USER $FEW_THREADS $THREADS
    $WIDE_THREADS $API $RPC $JSON $GRPC $SCRATCH
    run server load change bare bare_changes ctl make_store settle
    learn_answers
);

our $QUICK = ($ENV{BENCH} || '') eq 'quick';
our $FULL  = $ENV{BENCH_FULL};

our $ROUNDS = $QUICK ? 3 : 7;
our $SECONDS = { get => 1, put => $QUICK ? 1 : 2 };
our $USERS   = $QUICK ? 100_000 : 1_000_000;

# More threads than connections.
our $THREADS      = 192;
our $FEW_THREADS  = 40;
our $WIDE_THREADS = 700;

our $API  = '/management/v1';
our $RPC  = '/zitadel.management.v1.ManagementService';
our $JSON = 'application/json';
our $GRPC = 'application/grpc';

# The scratch folder, and our answers: name => [status, bytes].
our $SCRATCH;
my %answers;

# Helpers.

sub run {
    system(@_) == 0 or die "failed: @_\n";
}

sub output_of {
    my (@command) = @_;
    open my $in, '-|', @command or die "cannot run $command[0]: $!\n";
    my $said = join '', <$in>;
    close $in or die "failed: @command\n";
    return $said;
}

sub server {
    my ($name, %options) = @_;
    return Httpd->start(
        name     => $name,
        folder   => $SCRATCH,
        module   => "$SCRATCH/mod_userprofile.so",
        store    => "$SCRATCH/store",
        children => 1,
        threads  => $THREADS,
        answers  => \%answers,
        %options
    );
}

# A function that measures one round of wrk.
sub load {
    my ($server, %load) = @_;
    my %all = (
        users   => $USERS,
        token   => 1,
        seconds => $SECONDS->{ $load{kind} eq 'change' ? 'put' : 'get' },
        %load
    );
    return sub { wrk($server, %all) };
}

# The same for changes, with the mean number of changes in a transaction.
sub change {
    my ($server, $connections, %load) = @_;
    my $round = load(
        $server,
        kind        => 'change',
        path        => $API,
        connections => $connections,
        %load
    );
    return sub {
        my $before  = transactions($server->{store});
        my $figures = $round->();
        my $made    = transactions($server->{store}) - $before;
        $figures->{batch} = $figures->{count} / $made if $made;
        return $figures;
    };
}

sub transactions {
    return output_of("$SCRATCH/bare_lmdb", 'transaction', $_[0]);
}

# A function that measures one round of bare_lmdb.
sub bare {
    my (@command) = @_;
    return sub {
        my %figures;
        @figures{qw(rate p50 p95 p99 max)} =
            split ' ', output_of("$SCRATCH/bare_lmdb", @command);
        return \%figures;
    };
}

sub bare_changes {
    my ($batch) = @_;
    return bare('change', "$SCRATCH/store", $Users::ORG, $USERS,
        sprintf('%.0f', $batch), $SECONDS->{put});
}

# What the store is filled with.

sub ctl { return ("$SCRATCH/userprofilectl", '-s', "lmdb:$_[0]") }

sub make_store {
    my ($store, $count) = @_;
    write_users("$SCRATCH/users", $count);
    run(ctl($store), 'init');
    Users::timed('/dev/null', ctl($store), 'import', "$SCRATCH/users");
    unlink "$SCRATCH/users";
    settle($store);
}

# What a bulk load leaves in the page cache spoils figures.
sub settle { run("$SCRATCH/bare_lmdb", 'settle', $_[0]) }

# The bytes of our answer to curl's @arguments.
sub answer {
    my (@arguments) = @_;
    my ($status, $bytes) = split ' ',
        output_of(qw(curl -s -o /dev/null -w), '%{http_code} %{size_download}',
        '-H', "Authorization: Bearer $Users::TOKEN", @arguments);
    return [$status, $bytes];
}

sub spew {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "cannot write $path: $!\n";
    print $out $text;
    close $out or die "cannot write $path: $!\n";
}

our $USER = sprintf '3%017d', 7;

# Learn what we answer, for the yardstick to answer as much, and write the
# bodies that h2load sends.
sub learn_answers {
    my $server = server('probe');
    my $url    = $server->url("$API/users/$USER/profile");
    my $profile =
          '{"firstName":"First0000007","lastName":"Last0000007","nickName":'
        . '"%s","displayName":"First0000007 Last0000007",'
        . '"preferredLanguage":"en","gender":"GENDER_FEMALE"}';
    my @put = ('-X', 'PUT', '-H', "Content-Type: $JSON", '-d');

    spew("$SCRATCH/same.json", sprintf $profile, 'N000000007');
    spew("$SCRATCH/get.grpc", pack 'C N C C a*', 0, 2 + length $USER, 0x0a,
        length $USER, $USER);
    $answers{get}  = answer($url);
    $answers{same} = answer(@put, "\@$SCRATCH/same.json", $url);
    $answers{put}  = answer(@put, sprintf($profile, 'C000000007'), $url);
    answer(@put, "\@$SCRATCH/same.json", $url);
    $answers{grpc} = [
        @{  answer(
                '--http2-prior-knowledge', '-H', "Content-Type: $GRPC",
                '--data-binary', "\@$SCRATCH/get.grpc",
                $server->url("$RPC/GetHumanProfile"))
        },
        'grpc'
    ];
    $server->stop;
    my %expected = (get => 200, same => 400, put => 200, grpc => 200);
    for my $name (sort keys %expected) {
        die "'$name' is answered with $answers{$name}[0]\n" . $server->log
            if $answers{$name}[0] != $expected{$name};
    }
}

1;
