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

# A new token of the user $id.
sub token {
    my ($id) = @_;
    my $token = UserProfile::id('token');
    fill({ token => { userId => $id, token => $token } });
    return $token;
}

# Become the program $name in the running test's folder, which prints TAP.
sub run_client {
    my ($name) = @_;
    my $top  = UserProfile::top();
    my $site = site();
    my $org  = $site->{org};
    my ($self, $viewer) = (human($site), human($site));
    my $machine = UserProfile::id('machine');
    fill(
        { user => { id => $machine, orgId => $org, type => 'machine' } },
        {
            member => {
                orgId  => $org,
                userId => $viewer,
                roles  => ['ORG_OWNER_VIEWER']
            }
        }
    );

    my $certificate = "$top/t/conf/tls.crt";
    $ENV{UP_SETUP} = JSON::PP->new->utf8->encode(
        {
            port        => UserProfile::vars()->{port},
            tls_port    => tls_port(),
            certificate => $certificate,
            protos      => "$top/src/wire/proto",
            openapi     => "$top/conf/openapi.json",
            examples    => "$top/conf/examples",
            ports_log   => UserProfile::vars()->{t_logs} . '/ports_log',
            org         => $org,
            token       => $site->{token},
            viewer      => token($viewer),
            self        => { id => $self, token => token($self) },
            reader      => site('ORG_OWNER_VIEWER')->{token},
            other_org   => site()->{org},
            user        => human($site),
            still       => human(
                $site,
                firstName   => 'Ada',
                lastName    => 'L',
                displayName => 'Ada L'
            ),
            machine       => $machine,
            machine_token => token($machine),
        }
    );
    # Where a client takes no certificate, its library does.
    $ENV{GRPC_DEFAULT_SSL_ROOTS_FILE_PATH} = $certificate;
    exec 'node', abs_path(dirname($0)) . "/$name" or die "no node: $!\n";
}

1;
