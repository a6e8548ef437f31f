# connect_transport.t -- see connect_transport.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('connect_transport.mjs');
