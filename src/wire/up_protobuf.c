/* up_protobuf.c -- protobuf-c on APR pools. */
#include "wire/up_protobuf.h"

static void *
allocate(void *pool, size_t size)
{
    return apr_palloc(pool, size);
}

/* The pool frees it. */
static void
release(void *pool, void *memory)
{
    (void)pool;
    (void)memory;
}

ProtobufCAllocator
up_protobuf_allocator(apr_pool_t *pool)
{
    ProtobufCAllocator allocator = {allocate, release, pool};

    return allocator;
}
