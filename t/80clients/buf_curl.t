# buf_curl.t -- see buf_curl.mjs.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Clients;

run_client('buf_curl.mjs');
