/* up_lmdb_lock.c -- LMDB's lock file, looked at: which process holds the writer
 * lock.
 *
 * LMDB does not say so, but its lock file does. It begins with a magic number;
 * at OFFSET_TXN is the number of the last transaction; at OFFSET_MUTEX a robust
 * mutex of glibc, whose first word is the id of the thread that holds it. The
 * file is mapped before LMDB opens it: LMDB's locks of it would go with any
 * descriptor that this process closes later. */
#include "store/lmdb/up_lmdb.h"
#include "core/up_clock.h"

#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MAGIC 0xBEEFC0DEu
#define OFFSET_TXN 48
#define OFFSET_MUTEX 64
#define MAPPED (OFFSET_MUTEX + 64)

/* How often to look again. */
#define AWAIT_PAUSE apr_time_from_msec(20)

/* Held while a map is used, or changed: a store can be opened again while
 * another thread looks at its lock. */
static pthread_mutex_t map_mutex = PTHREAD_MUTEX_INITIALIZER;

void
up_lmdb_lock_map(lmdb_store_t *store, int file, apr_off_t size)
{
    void *map = MAP_FAILED;

    if (size >= MAPPED)
        map = mmap(NULL, MAPPED, PROT_READ, MAP_SHARED, file, 0);
    pthread_mutex_lock(&map_mutex);
    store->lock_map = map == MAP_FAILED ? NULL : map;
    pthread_mutex_unlock(&map_mutex);
}

void
up_lmdb_lock_unmap(lmdb_store_t *store)
{
    pthread_mutex_lock(&map_mutex);
    if (store->lock_map)
        munmap(store->lock_map, MAPPED);
    store->lock_map = NULL;
    pthread_mutex_unlock(&map_mutex);
}

/* Set *THREAD to the id of the thread that holds STORE's writer lock, 0 if it
 * is free or that cannot be told, and *TXN to the number of the last
 * transaction, as far as it fits. */
static void
look(unsigned *thread, unsigned *txn, const lmdb_store_t *store)
{
    *thread = *txn = 0;
    pthread_mutex_lock(&map_mutex);
    const char *map = store->lock_map;
    if (map && *(const unsigned *)map == MAGIC) {
        *thread = __atomic_load_n((const unsigned *)(map + OFFSET_MUTEX),
                                  __ATOMIC_RELAXED) &
                  FUTEX_TID_MASK;
        *txn = __atomic_load_n((const unsigned *)(map + OFFSET_TXN),
                               __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&map_mutex);
}

/* The rest of the line of FILE, of /proc/PID/status, that begins with NAME, in
 * POOL; "" if there is none. Lines are asked for in the order of the file. */
static const char *
status_field(FILE *file, const char *name, apr_pool_t *pool)
{
    size_t length = strlen(name);
    char line[128];

    while (fgets(line, sizeof(line), file)) {
        if (!strncmp(line, name, length)) {
            line[strcspn(line, "\n")] = '\0';
            return apr_pstrdup(pool, line + length);
        }
    }
    return "";
}

const char *
up_lmdb_process_name(unsigned thread, apr_pool_t *pool)
{
    const char *path = apr_psprintf(pool, "/proc/%u/status", thread);

    FILE *file = fopen(path, "re");
    if (!file)
        return apr_psprintf(pool, "process %u", thread);
    const char *name = status_field(file, "Name:\t", pool);
    const char *state = status_field(file, "State:\t", pool);
    const char *pid = status_field(file, "Tgid:\t", pool);
    fclose(file);
    int stands_still = *state == 'T' || *state == 't';
    return apr_psprintf(pool, "process %s (%s%s)", pid, name,
                        stands_still ? ", which is stopped" : "");
}

const char *
up_lmdb_lock_holder(apr_uint32_t *episode,
                    const lmdb_store_t *store,
                    apr_pool_t *pool)
{
    unsigned thread, txn;

    look(&thread, &txn, store);
    if (episode)
        *episode = (thread ^ txn * 2654435761u) | 1; /* not 0: no episode */
    return thread ? up_lmdb_process_name(thread, pool) : NULL;
}

/* Whether another process holds LMDB's lock of FILE as long as it sets it up.
 */
static int
is_being_set_up(int file)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};

    return !fcntl(file, F_GETLK, &lock) && lock.l_type == F_WRLCK;
}

int
up_lmdb_lock_await_setup(int file, const lmdb_store_t *store)
{
    apr_time_t until = up_clock() + store->timeout;

    while (is_being_set_up(file)) {
        if (up_clock() > until)
            return EBUSY;
        apr_sleep(AWAIT_PAUSE);
    }
    return 0;
}

int
up_lmdb_lock_await(const lmdb_store_t *store)
{
    apr_time_t until = up_clock() + store->timeout;
    unsigned thread, txn;

    for (look(&thread, &txn, store); thread; look(&thread, &txn, store)) {
        if (up_clock() > until)
            return EBUSY;
        apr_sleep(AWAIT_PAUSE);
    }
    return 0;
}
