# grpc_js.t -- see grpc_js.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('grpc_js.mjs');
