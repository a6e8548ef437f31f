# grpc_web.t -- see grpc_web.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('grpc_web.mjs');
