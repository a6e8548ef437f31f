# plain_json.t -- see plain_json.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('plain_json.mjs');
