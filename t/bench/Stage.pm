# Stage.pm -- what the rows of the benchmark need: servers, stores, and rounds
# of load on them.
package Stage;

use strict;
use warnings;

use Exporter qw(import);

use BenchCalls;
use Httpd;
use Load;
use Users;

our @EXPORT = qw(
    $QUICK $FULL $ROUNDS $SECONDS $WARM_UP $USERS $USER
    $FEW_THREADS $THREADS $WIDE_THREADS $SCRATCH
    run server load idle behind_token change bare bare_changes
    ctl make_store settle learn_answers served
);

# What $BENCH says: "quick", and which groups of rows, if not all.
our %WANTED = map { $_ => 1 } split ' ', $ENV{BENCH} || '';
our $QUICK  = delete $WANTED{quick};
our $FULL   = $ENV{BENCH_FULL};

# Two builds are compared in more rounds, with fewer users.
my $COMPARE = $ENV{BASE};
our $ROUNDS  = $ENV{ROUNDS} || ($COMPARE ? 15 : $QUICK ? 3 : 7);
our $SECONDS = { get => 1, put => $QUICK ? 1 : 2 };
our $USERS   = $QUICK || $COMPARE ? 100_000 : 1_000_000;

# For how long load runs on another server's new connections before it counts,
# in seconds: PostgreSQL's processes are up to speed by then.
our $WARM_UP = 20;

# More threads than connections.
our $THREADS      = 192;
our $FEW_THREADS  = 40;
our $WIDE_THREADS = 700;

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

# A function that measures one round of wrk; %load is as Load.pm says.
sub load {
    my ($server, %load) = @_;
    my $changes = grep { BenchCalls::is_change($_) }
        ref $load{call} ? @{ $load{call} } : $load{call};
    my %all = (
        users   => $USERS,
        token   => 1,
        seconds => $SECONDS->{ $changes ? 'put' : 'get' },
        %load
    );
    return sub { wrk($server, %all) };
}

# The same on the handler that does nothing, without authentication.
sub idle {
    my ($server, %load) = @_;
    return load($server, %load, place => "/idle/$load{call}", token => 0);
}

# The same on the handler that does nothing, behind our tokens.
sub behind_token {
    my ($server, %load) = @_;
    return load($server, %load, place => "/token/$load{call}");
}

# The same for changes, with the mean number of changes in a transaction.
sub change {
    my ($server, $connections, %load) = @_;
    my $round =
        load($server, call => 'change', connections => $connections, %load);
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

# The command that works on $store: $program, or this build's.
sub ctl {
    my ($store, $program) = @_;
    return ($program // "$SCRATCH/userprofilectl", '-s', "lmdb:$store");
}

sub make_store {
    my ($store, $count, $program) = @_;
    my @ctl = ctl($store, $program);
    write_users("$SCRATCH/users", $count);
    run(@ctl, 'init');
    Users::timed('/dev/null', @ctl, 'import', "$SCRATCH/users");
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

# The user of the probe.
my $NUMBER = 7;
our $USER = sprintf '3%017d', $NUMBER;

# What a build without a call answers.
my %NOT_SERVED = map { $_ => 1 } 404, 405, 415, 501;

# Our answer to the call $name.
sub answer_to {
    my ($server, $name) = @_;
    my $call = BenchCalls::call($name);
    my ($path, $body) =
        map { BenchCalls::fill($_ // '', $NUMBER, $USERS, $NUMBER) }
        @$call{qw(path body)};
    return answer(
        '-X', $call->{method},
        length $body ? ('-H', "Content-Type: $JSON", '-d', $body) : (),
        $server->url("$call->{place}$path")
    );
}

my $probes = 0;

# Learn what we answer, for the yardstick to answer as much, and write the
# bodies that h2load sends. %build says which build, if it is not this one.
sub learn_answers {
    my (%build) = @_;
    my $server = server('probe' . ++$probes, %build);
    my $same = BenchCalls::call('same');
    spew("$SCRATCH/same.json", BenchCalls::fill($same->{body}, $NUMBER, 0, 0));
    spew("$SCRATCH/get.grpc", pack 'C N C C a*', 0, 2 + length $USER, 0x0a,
        length $USER, $USER);

    $answers{$_} = answer_to($server, $_) for BenchCalls::names();
    answer_to($server, 'same');
    $answers{grpc} = [
        @{  answer(
                '--http2-prior-knowledge', '-H', "Content-Type: $GRPC",
                '--data-binary', "\@$SCRATCH/get.grpc",
                $server->url("$RPC/GetHumanProfile"))
        },
        'grpc'
    ];
    $server->stop;
    for my $name (sort keys %answers) {
        my $status = $answers{$name}[0];
        my $right = $name eq 'grpc' ? 200 : BenchCalls::call($name)->{status};
        die "'$name' is answered with $status\n" . $server->log
            if $status != $right && !$NOT_SERVED{$status};
    }
}

# Whether this build serves the call $name, as the probe learned.
sub served {
    my ($name) = @_;
    return $answers{$name}[0] == BenchCalls::call($name)->{status};
}

1;
