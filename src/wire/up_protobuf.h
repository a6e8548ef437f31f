/* up_protobuf.h -- protobuf-c on APR pools. */
#ifndef UP_PROTOBUF_H
#define UP_PROTOBUF_H

#include <apr_pools.h>
#include <protobuf-c/protobuf-c.h>

/* An allocator of POOL for protobuf-c: what it unpacks lives as long as POOL,
 * and need not be freed. */
ProtobufCAllocator up_protobuf_allocator(apr_pool_t *pool);

#endif
