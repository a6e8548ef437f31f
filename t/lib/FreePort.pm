# FreePort.pm -- ports for test servers.
package FreePort;

use strict;
use warnings;

use Exporter qw(import);
use IO::Socket::INET;

our @EXPORT = qw(free_port);

# A port that nothing listens on, below those that the kernel gives out.
sub free_port {
    for (1 .. 100) {
        my $port = 20000 + int rand 12000;
        return $port
            if IO::Socket::INET->new(
            LocalAddr => '0.0.0.0', LocalPort => $port, Listen => 1);
    }
    die "found no free port\n";
}

1;
