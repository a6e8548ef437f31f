# Clients.pm -- what the published clients are given to call: users, tokens,
# addresses.
package Clients;

use strict;
use warnings;

use Cwd            qw(abs_path);
use Exporter       qw(import);
use File::Basename qw(dirname);
use JSON::PP       ();

use Grpc        qw(tls_port);
use UserProfile qw(fill human site);

our @EXPORT = qw(run_client);

# Become the program $name in the running test's folder, which prints TAP.
sub run_client {
    my ($name) = @_;
    my $top     = UserProfile::top();
    my $site    = site();
    my %machine = (
        id    => UserProfile::id('machine'),
        orgId => $site->{org},
        type  => 'machine'
    );
    fill({ user => \%machine });

    my $certificate = "$top/t/conf/tls.crt";
    $ENV{UP_SETUP} = JSON::PP->new->utf8->encode(
        {
            port        => UserProfile::vars()->{port},
            tls_port    => tls_port(),
            certificate => $certificate,
            protos      => "$top/src/wire/proto",
            ports_log   => UserProfile::vars()->{t_logs} . '/ports_log',
            org         => $site->{org},
            token       => $site->{token},
            reader      => site('ORG_OWNER_VIEWER')->{token},
            other_org   => site()->{org},
            user        => human($site),
            still       => human(
                $site,
                firstName   => 'Ada',
                lastName    => 'L',
                displayName => 'Ada L'
            ),
            machine => $machine{id},
        }
    );
    # Where a client takes no certificate, its library does.
    $ENV{GRPC_DEFAULT_SSL_ROOTS_FILE_PATH} = $certificate;
    exec 'node', abs_path(dirname($0)) . "/$name" or die "no node: $!\n";
}

1;
