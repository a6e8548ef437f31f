/* temp_store.c -- a store in a temporary folder, for tests. */
#include "temp_store.h"
#include "wire/up_item_json.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

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
    const char *parent = getenv("TMPDIR"), *identity;
    int made;
    apr_table_t *options = apr_table_make(pool, 2);
    up_store_t *store;

    apr_snprintf(folder, sizeof(folder), "%s/up-store-XXXXXX",
                 parent ? parent : "/tmp");
    if (!mkdtemp(folder)) {
        printf("Bail out! cannot make a folder in %s\n", folder);
        exit(1);
    }
    const char *uri = apr_pstrcat(pool, "lmdb:", folder, NULL);
    apr_table_set(options, "map-size", "64M");
    apr_table_set(options, "sync", "off");
    must(up_store_prepare(&identity, &made, uri, options, geteuid(), getegid(),
                          pool, pool));
    must(up_store_open(&store, uri, options, pool));
    return store;
}

void
temp_store_fill(up_store_t *store, const char *const *lines)
{
    apr_pool_t *pool;
    up_batch_t *batch;

    apr_pool_create(&pool, NULL);
    must(up_batch_begin(&batch, store, pool));
    for (; *lines; lines++) {
        const char *token_text;
        up_item_t *item;
        must(up_item_json_decode(&item, &token_text, *lines, strlen(*lines),
                                 apr_time_now(), pool));
        must(up_batch_put(batch, item, pool));
    }
    must(up_batch_commit(batch));
    apr_pool_destroy(pool);
}

static up_error_t *
append_line(void *baton, const up_item_t *item, apr_pool_t *pool)
{
    apr_array_header_t *lines = baton;
    const char *line;
    apr_size_t length;

    up_item_json_encode(&line, &length, item, pool);
    APR_ARRAY_PUSH(lines, const char *) =
        apr_pstrcat(lines->pool, line, "\n", NULL);
    return NULL;
}

const char *
temp_store_dump(up_store_t *store, unsigned kinds, apr_pool_t *pool)
{
    up_filter_t filter = {.kinds = kinds};
    apr_array_header_t *lines = apr_array_make(pool, 10, sizeof(const char *));

    must(up_store_each(store, &filter, append_line, lines, pool));
    return apr_array_pstrcat(pool, lines, 0);
}

void
temp_store_close(up_store_t *store)
{
    apr_finfo_t info;
    apr_pool_t *pool;
    apr_dir_t *dir;

    up_store_close(store);
    apr_pool_create(&pool, NULL);
    if (!apr_dir_open(&dir, folder, pool)) {
        while (!apr_dir_read(&info, APR_FINFO_NAME, dir)) {
            if (strcmp(info.name, ".") && strcmp(info.name, ".."))
                apr_file_remove(apr_pstrcat(pool, folder, "/", info.name, NULL),
                                pool);
        }
        apr_dir_close(dir);
    }
    apr_dir_remove(folder, pool);
    apr_pool_destroy(pool);
}
