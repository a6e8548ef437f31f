# zitadel_client.t -- see zitadel_client.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('zitadel_client.mjs');
