# Load.pm -- one round of load: wrk for HTTP/1.1, h2load for HTTP/2.
package Load;

use strict;
use warnings;

use Exporter qw(import);

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

# Requests of $load->{kind} (see load.lua) to $load->{path} of a server. All
# have to be answered; as errors: $load->{refused}, "none", "some" or "all".
sub wrk {
    my ($server, %load) = @_;
    my $said = output_of(
        'wrk', '-t1', '-c', $load{connections}, '-d', "$load{seconds}s",
        '--timeout', '10s', '-s', "$server->{folder}/load.lua",
        $server->url, '--', $load{kind}, $load{path}, $load{users},
        $load{token} ? "Authorization: Bearer $Users::TOKEN" : (),
        @{ $load{headers} || [] });
    my ($requests, $duration, $refused, $failed, @latency) =
        ($said =~ /^figures (.*)/m ? $1 : '') =~ /[\d.]+/g;

    die "wrk says nothing of use:\n$said" unless $requests;
    die "$failed requests failed:\n$said" if $failed;
    my %expected = (none => 0, some => $refused, all => $requests);
    die "$refused of $requests answers were errors:\n$said" . $server->log
        if $refused != $expected{ $load{refused} || 'none' };
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
