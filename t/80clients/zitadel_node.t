# zitadel_node.t -- see zitadel_node.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('zitadel_node.mjs');
