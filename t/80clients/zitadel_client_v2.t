# zitadel_client_v2.t -- see zitadel_client_v2.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('zitadel_client_v2.mjs');
