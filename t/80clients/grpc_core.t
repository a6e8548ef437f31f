# grpc_core.t -- see grpc_core.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('grpc_core.mjs');
