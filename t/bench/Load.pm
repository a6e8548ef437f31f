# Load.pm -- one round of load: wrk for HTTP/1.1, h2load for HTTP/2.
package Load;

use strict;
use warnings;

use Exporter qw(import);

use BenchCalls ();
use Users ();

our @EXPORT = qw(wrk h2load);

# Run @command and return what it prints.
sub output_of {
    my (@command) = @_;
    open my $in, '-|', @command or die "cannot run $command[0]: $!\n";
    my $said = join '', <$in>;
    close $in or die "failed: @command\n$said\n";
    return $said;
}

# Die unless as many of $requests answers were errors as the calls @names are
# to be answered with. Where some are and some are not, any number is right.
sub check_errors {
    my ($errors, $requests, @names) = @_;
    my $failing = grep { BenchCalls::call($_)->{status} >= 400 } @names;
    return if $failing && $failing < @names;
    die "$errors of $requests answers to '@names' were errors\n"
        if $errors != ($failing ? $requests : 0);
}

# Requests for the call $load->{call}, or for several in turn, over
# $load->{connections} of a server; $load->{place}, {token} and {headers} are
# those of BenchCalls::request(). All have to be answered.
sub wrk {
    my ($server, %load) = @_;
    my @calls = ref $load{call} ? @{ $load{call} } : $load{call};
    my $said  = output_of(
        'wrk', '-t1', '-c', $load{connections}, '-d', "$load{seconds}s",
        '--timeout', '10s', '-s', "$server->{folder}/load.lua",
        $server->url, '--', $load{users},
        map { BenchCalls::request($_, %load) } @calls);
    my ($requests, $duration, $errors, $failed, @latency) =
        ($said =~ /^figures (.*)/m ? $1 : '') =~ /[\d.]+/g;

    die "wrk says nothing of use:\n$said" unless $requests;
    die "$failed requests failed:\n$said" if $failed;
    eval { check_errors($errors, $requests, @calls); 1 }
        or die $@ . $said . $server->log;
    my %figures = (rate => 1e6 * $requests / $duration, count => $requests);
    @figures{qw(p50 p95 p99 max)} = @latency;
    return \%figures;
}

# Requests for $load->{path} by $load->{method}, with the file $load->{body},
# $load->{streams} at a time on each connection.
sub h2load {
    my ($server, %load) = @_;
    my @headers = map { ('-H', $_) } ":method: $load{method}",
        "content-type: $load{type}",
        $load{token} ? "authorization: Bearer $Users::TOKEN" : ();
    my $said = output_of('h2load', '-t1', '-c', $load{connections}, '-m',
        $load{streams}, '-D', $load{seconds}, '-d', $load{body}, @headers,
        $server->url($load{path}));
    my ($done, $failed) =
        $said =~ /^requests: .* (\d+) done, .*?(\d+) failed/m;
    my ($good, $bad) = $said =~ /^status codes: (\d+) 2xx.* (\d+) 4xx/m;

    die "h2load says nothing of use:\n$said" unless $done && defined $good;
    die "requests failed or were not answered with $load{status}:\n$said"
        if $load{status} == 200 ? $bad : $good;
    return { rate => $done / $load{seconds} };
}

1;
