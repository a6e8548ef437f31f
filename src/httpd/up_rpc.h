/* up_rpc.h -- the two calls, and the health check, as gRPC and gRPC-Web. */
#ifndef UP_RPC_H
#define UP_RPC_H

#include <httpd.h>

/* zitadel.management.v1.ManagementService */
int up_rpc_update(request_rec *r);
int up_rpc_get(request_rec *r);

/* Any other method of a service that we serve: UNIMPLEMENTED. */
int up_rpc_unknown(request_rec *r);

/* grpc.health.v1.Health */
int up_rpc_health(request_rec *r);

#endif
