/* temp_store.c -- an open store in the temporary folder. */
#include "temp_store.h"
#include "tap.h"
#include "temp_lmdb.h"
#include "temp_postgresql.h"

#include <apr_general.h>
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

static up_store_t *
open_lmdb(apr_pool_t *pool)
{
    static int count;

    return temp_lmdb_make(apr_psprintf(pool, "store%d", ++count),
                          temp_lmdb_options("64M", "off", pool), pool);
}

static const struct {
    const char *name;
    up_store_t *(*open)(apr_pool_t *pool);
} drivers[] = {
    {"lmdb", open_lmdb},
#ifdef UP_POSTGRESQL
    {"postgresql", temp_postgresql_open},
#endif
};

static size_t driver; /* the one to use now */

up_store_t *
temp_store_open(apr_pool_t *pool)
{
    return drivers[driver].open(pool);
}

const char *
temp_store_driver(void)
{
    return drivers[driver].name;
}

int
run_for_each_driver(void (*test)(apr_pool_t *pool))
{
    apr_pool_t *pool;

    apr_initialize();
    for (driver = 0; driver < sizeof(drivers) / sizeof(drivers[0]); driver++) {
        apr_pool_create(&pool, NULL);
        printf("# %s\n", drivers[driver].name);
        test(pool);
        apr_pool_destroy(pool);
    }
    apr_terminate();
    return done_testing();
}
