# with_postgres.pl COMMAND... -- runs COMMAND beside a PostgreSQL server of its
# own, whose URI is in $UP_POSTGRESQL then. For a C test by itself:
#
#     perl -It/lib t/lib/with_postgres.pl build/t/10store/store.t
use strict;
use warnings;

use PostgresServer;
use sigtrap handler => sub { exit 1 }, 'normal-signals';

my $postgres = PostgresServer->start;
$ENV{UP_POSTGRESQL} = $postgres->uri('postgres');
my $status = system { $ARGV[0] } @ARGV;
undef $postgres;
exit($status ? 1 : 0);
