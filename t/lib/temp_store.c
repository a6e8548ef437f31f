/* temp_store.c -- an open store in the temporary folder. */
#include "temp_store.h"
#include "temp_lmdb.h"

#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>

void
must(up_error_t *err)
{
    apr_pool_t *pool;

    if (!err)
        return;
    apr_pool_create(&pool, NULL);
    printf("Bail out! %s\n", up_error_story(err, pool));
    exit(1);
}

const char *
reason_of(const up_error_t *err)
{
    return err ? up_reason_info(err->reason)->name : "";
}

up_store_t *
temp_store_open(apr_pool_t *pool)
{
    static int count;

    return temp_lmdb_make(apr_psprintf(pool, "store%d", ++count),
                          temp_lmdb_options("64M", "off", pool), pool);
}
