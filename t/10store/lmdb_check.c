/* lmdb_check.c -- the check of an LMDB store: pages and records that are not
 * what they should be. */
#include "raw_lmdb.h"
#include "service/up_check.h"
#include "store/lmdb/up_checksum.h"
#include "store/lmdb/up_lmdb_format.h"
#include "store_items.h"
#include "file_bytes.h"
#include "tap.h"
#include "temp_folder.h"
#include "temp_lmdb.h"
#include "temp_store.h"

#include <apr_strings.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096
#define MARK 0x07
/* The numbers of the databases, which checksums begin with. */
#define PROFILE 2
#define HOME 3

static up_error_t *
collect(void *baton, const char *what, const char *remedy, apr_pool_t *pool)
{
    apr_array_header_t *faults = baton;

    (void)remedy;
    (void)pool;
    APR_ARRAY_PUSH(faults, const char *) = apr_pstrdup(faults->pool, what);
    return NULL;
}

static up_error_t *
ignore(void *baton, apr_uint64_t done, apr_uint64_t all, apr_pool_t *pool)
{
    (void)baton;
    (void)done;
    (void)all;
    (void)pool;
    return NULL;
}

/* End a check where all but LAST things have been looked at. */
static apr_uint64_t last;

static up_error_t *
end_early(void *baton, apr_uint64_t done, apr_uint64_t all, apr_pool_t *pool)
{
    (void)baton;
    return done + last < all ? NULL
                             : up_error(pool, UP_INTERNAL, APR_SUCCESS,
                                        "nobody waits any longer");
}

/* Check the store NAME, and give its faults to LISTENER. */
static up_error_t *
check_store(const char *name, const up_check_t *listener, apr_pool_t *pool)
{
    up_check_result_t result;
    up_store_t *store;

    must(up_store_open(&store, temp_lmdb_uri(name, pool),
                       temp_lmdb_scratch(pool), pool));
    up_error_t *err = up_check_store(&result, store, listener, pool);
    up_store_close(store);
    return err;
}

/* The faults of the store NAME, a line each, in POOL. */
static const char *
faults_of(const char *name, apr_pool_t *pool)
{
    apr_array_header_t *faults = apr_array_make(pool, 4, sizeof(const char *));
    up_check_t listener = {collect, NULL, ignore, faults};

    must(check_store(name, &listener, pool));
    return apr_array_pstrcat(pool, faults, '\n');
}

/* A store NAME with some users in it, one of them with long values, and with
 * free pages. */
static void
make_store(const char *name, apr_pool_t *pool)
{
    up_store_t *store = temp_lmdb_make(name, temp_lmdb_scratch(pool), pool);
    up_item_t *event = apr_pcalloc(pool, sizeof(*event));
    up_profile_t *profile = up_profile_make(pool);

    put_org(store, "O1");
    put_org(store, "O2");
    for (int i = 0; i < 200; i++)
        put_human(store, "O1", apr_psprintf(pool, "U%03d", i), UP_ACTIVE);
    put_member(store, "O1", "U001", "ORG_OWNER");
    for (int i = 0; i < UP_GENDER; i++)
        profile->text[i] = i == UP_PREFERRED_LANGUAGE ? "" : LONGEST_TEXT;
    event->kind = UP_KIND_EVENT;
    event->as.event = (up_event_t){.type = UP_PROFILE_CHANGED,
                                   .time = LONG_AGO,
                                   .org = "O1",
                                   .user = "",
                                   .author = "",
                                   .fields = UP_FIELD_BIT(UP_FIRST_NAME),
                                   .before = profile,
                                   .after = profile};
    must(put_item(store, event, pool));
    up_store_close(store);
}

/* Put VALUE, after a checksum, under KEY of DATABASE, which has this NUMBER and
 * this NAME, in the store NAME; remove what is there if VALUE is NULL. */
static void
put_raw(const char *name,
        const char *database,
        unsigned number,
        MDB_val key,
        const MDB_val *value,
        apr_pool_t *pool)
{
    unsigned char *bytes =
        apr_palloc(pool, value ? value->mv_size + 5 : (apr_size_t)1);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    if (mdb_env_create(&env) || mdb_env_set_maxdbs(env, 7) ||
        mdb_env_open(env, temp_path(name, pool), 0, 0600) ||
        mdb_txn_begin(env, NULL, 0, &txn) ||
        mdb_dbi_open(txn, database, 0, &dbi))
        exit(1);
    int rc;
    if (value) {
        MDB_val marked = {value->mv_size + 5, bytes};
        bytes[0] = MARK;
        memcpy(bytes + 5, value->mv_data, value->mv_size);
        up_checksum_write(
            bytes + 1,
            up_checksum(up_checksum(number, key.mv_data, key.mv_size),
                        value->mv_data, value->mv_size));
        rc = mdb_put(txn, dbi, &key, &marked, 0);
    } else {
        rc = mdb_del(txn, dbi, &key, NULL);
    }
    if (rc || mdb_txn_commit(txn))
        exit(1);
    mdb_env_close(env);
}

static MDB_val
bytes_of(const char *text, size_t length)
{
    return (MDB_val){length, (void *)text};
}

static void
check_home(apr_pool_t *pool)
{
    const struct {
        const char *name;
        const char *key, *value; /* the value's first byte is the state */
        const char *faults;
    } rows[] = {
        {"a user who is not in the list of users", "U007", NULL,
         "user 'U007' of organisation 'O1' is not in the list of users: as a "
         "caller it is unknown"},
        {"a user with another state in the list of users", "U007", "\2O1",
         "user 'U007' of organisation 'O1' is active, but locked in the list "
         "of users"},
        {"a user of another organisation in the list of users", "U007", "\1O2",
         "user 'U007' of organisation 'O1' is in the list of users as one of "
         "organisation 'O2'\n"
         "user 'U007' of organisation 'O2' is in the list of users, but the "
         "record is lost"},
        {"a user of whom there is no more than the list of users", "U999",
         "\1O2",
         "user 'U999' of organisation 'O2' is in the list of users, but the "
         "record is lost"},
        {"a user whose state in the list of users is none", "U007", "\x7fO1",
         apr_psprintf(pool,
                      "the LMDB store '%s' is damaged: the organisation of "
                      "user 'U007' cannot be read",
                      temp_path("home4", pool))},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *store = apr_psprintf(pool, "home%d", (int)i);
        make_store(store, pool);
        MDB_val value = {0, NULL};
        if (rows[i].value)
            value = bytes_of(rows[i].value, 3);
        put_raw(store, "home", HOME, bytes_of(rows[i].key, 4),
                rows[i].value ? &value : NULL, pool);
        is(faults_of(store, pool), rows[i].faults, "%s", rows[i].name);
    }
}

static void
check_records(apr_pool_t *pool)
{
    MDB_val nonsense = bytes_of("\xff\xff", 2);

    make_store("broken", pool);
    put_raw("broken", "profile", PROFILE, bytes_of("O1\0U007", 7), &nonsense,
            pool);
    is(faults_of("broken", pool),
       "the stored user 'U007' of organisation 'O1' cannot be read",
       "a record that makes no sense");
    put_raw("broken", "profile", PROFILE, bytes_of("O1U007", 6), &nonsense,
            pool);
    put_raw("broken", "profile", PROFILE, bytes_of("O1\0U007", 7), NULL, pool);
    is(faults_of("broken", pool),
       apr_psprintf(pool,
                    "a key in the LMDB store '%s' is broken\n"
                    "user 'U007' of organisation 'O1' is in the list of users, "
                    "but the record is lost",
                    temp_path("broken", pool)),
       "a key that makes no sense, and a record that is lost");
}

/* The newer meta page of DATA. */
static lmdb_meta_t *
meta_of(bytes_t data)
{
    lmdb_meta_page_t *pages[] = {(void *)data.at, (void *)(data.at + PAGE)};

    return pages[0]->meta.txnid > pages[1]->meta.txnid ? &pages[0]->meta
                                                       : &pages[1]->meta;
}

static lmdb_page_header_t *
page_of(bytes_t data, uint64_t number)
{
    return (void *)(data.at + number * PAGE);
}

/* Where the root of DATABASE is in DATA, in a leaf of the main tree. */
static lmdb_tree_t *
tree_of(bytes_t data, const char *database)
{
    unsigned char *page = data.at + meta_of(data)->databases.root * PAGE;
    size_t length = strlen(database);
    unsigned char *name = memmem(page, PAGE, database, length);

    if (!name)
        exit(1);
    return (void *)(name + length);
}

static uint64_t
root_of(bytes_t data, const char *database)
{
    lmdb_tree_t tree;

    memcpy(&tree, tree_of(data, database), sizeof(tree));
    return tree.root;
}

/* Node I of the page NUMBER. */
static lmdb_node_t *
node_of(bytes_t data, uint64_t number, size_t i)
{
    const uint16_t *offsets = (const void *)(page_of(data, number) + 1);

    return (void *)(data.at + number * PAGE + offsets[i]);
}

/* The page below node I of the branch NUMBER. */
static uint64_t
child_of(bytes_t data, uint64_t number, size_t i)
{
    const lmdb_node_t *node = node_of(data, number, i);

    return node->low | (uint64_t)node->high << 16;
}

static void
number_page(bytes_t data)
{
    page_of(data, child_of(data, root_of(data, "profile"), 0))->number++;
}

static void
change_kind(bytes_t data)
{
    page_of(data, child_of(data, root_of(data, "profile"), 0))->flags = 1;
}

static void
move_nodes(bytes_t data)
{
    page_of(data, child_of(data, root_of(data, "profile"), 1))->lower = PAGE;
}

static void
share_page(bytes_t data)
{
    uint64_t root = root_of(data, "profile");

    *node_of(data, root, 1) = *node_of(data, root, 0);
}

static void
leave_file(bytes_t data)
{
    node_of(data, root_of(data, "profile"), 1)->high = 0x7fff;
}

static void
swap_keys(bytes_t data)
{
    uint16_t *offsets = (void *)(page_of(data, root_of(data, "org")) + 1);
    uint16_t first = offsets[0];

    offsets[0] = offsets[1];
    offsets[1] = first;
}

static void
move_separator(bytes_t data)
{
    lmdb_node_t *node = node_of(data, root_of(data, "profile"), 1);

    ((char *)(node + 1))[node->key_length - 1]++;
}

static void
lengthen_value(bytes_t data)
{
    node_of(data, root_of(data, "org"), 1)->low = PAGE;
}

static void
lengthen_key(bytes_t data)
{
    node_of(data, root_of(data, "org"), 1)->key_length = 2 * PAGE;
}

static void
miscount(bytes_t data)
{
    lmdb_tree_t tree;

    memcpy(&tree, tree_of(data, "member"), sizeof(tree));
    tree.entries++;
    memcpy(tree_of(data, "member"), &tree, sizeof(tree));
}

static void
deepen(bytes_t data)
{
    lmdb_tree_t tree;

    memcpy(&tree, tree_of(data, "member"), sizeof(tree));
    tree.depth = 40;
    memcpy(tree_of(data, "member"), &tree, sizeof(tree));
}

static void
shorten_long_value(bytes_t data)
{
    const lmdb_node_t *node = node_of(data, root_of(data, "event"), 0);
    uint64_t first;

    memcpy(&first, (const char *)(node + 1) + node->key_length, sizeof(first));
    page_of(data, first)->lower = 1;
}

static void
free_used_page(bytes_t data)
{
    const lmdb_node_t *node = node_of(data, meta_of(data)->free_pages.root, 0);
    char *list = (char *)(node + 1) + node->key_length;
    uint64_t root = root_of(data, "profile");

    memcpy(list + sizeof(root), &root, sizeof(root));
}

static void
forget_free_page(bytes_t data)
{
    lmdb_node_t *node = node_of(data, meta_of(data)->free_pages.root, 0);

    node->low = (uint16_t)(node->low - sizeof(uint64_t));
}

static void
begin_no_long_value(bytes_t data)
{
    const lmdb_node_t *node = node_of(data, root_of(data, "event"), 0);
    uint64_t root = root_of(data, "event");

    memcpy((char *)(node + 1) + node->key_length, &root, sizeof(root));
}

/* To the end of the file, so that what follows it is in it too. */
static void
lengthen_long_value(bytes_t data)
{
    const lmdb_node_t *node = node_of(data, root_of(data, "event"), 0);
    uint64_t first;

    memcpy(&first, (const char *)(node + 1) + node->key_length, sizeof(first));
    page_of(data, first)->lower =
        (uint16_t)(meta_of(data)->last_page + 1 - first);
}

static void
shorten_root(bytes_t data)
{
    lmdb_node_t *node = (void *)((char *)tree_of(data, "member") -
                                 strlen("member") - sizeof(*node));

    node->low--;
}

static void
make_tree(bytes_t data)
{
    node_of(data, root_of(data, "org"), 0)->flags = LMDB_VALUE_IS_TREE;
}

static void
move_node(bytes_t data)
{
    uint16_t *offsets = (void *)(page_of(data, root_of(data, "org")) + 1);

    offsets[0] = PAGE - 1;
}

static void
change_free_list(bytes_t data)
{
    page_of(data, meta_of(data)->free_pages.root)->flags = 1;
}

static void
change_home(bytes_t data)
{
    page_of(data, root_of(data, "home"))->number++;
}

/* Let SPOIL change the data of a store; the first line of the faults begins
 * with FAULT, where # is any number. */
static void
check_page(const char *fault,
           void (*spoil)(bytes_t data),
           bytes_t data,
           apr_pool_t *pool)
{
    static int count;
    const char *name = apr_psprintf(pool, "spoilt%d", ++count);
    bytes_t copy = {apr_pmemdup(pool, data.at, data.length), data.length};

    mkdir(temp_path(name, pool), 0700);
    spoil(copy);
    spew(temp_path(apr_pstrcat(pool, name, "/data.mdb", NULL), pool), copy);
    char *faults = apr_pstrdup(pool, faults_of(name, pool));
    char *to = faults;
    for (const char *from = faults; *from; from++) {
        int digit = *from >= '0' && *from <= '9';
        if (!digit || to == faults || to[-1] != '#')
            *to++ = digit ? '#' : *from;
    }
    *to = '\0';
    if (!ok(!strncmp(faults, fault, strlen(fault)), "%s", fault))
        printf("# got: %s\n", faults);
}

static void
check_pages(apr_pool_t *pool)
{
    const struct {
        const char *fault;
        void (*spoil)(bytes_t data);
    } rows[] = {
        {"data.mdb: database 'profile': page # is another page than it should "
         "be",
         number_page},
        {"data.mdb: database 'profile': page # is of a kind that it cannot be",
         change_kind},
        {"data.mdb: database 'profile': page # does not say where its nodes "
         "are",
         move_nodes},
        {"data.mdb: database 'profile': page # has keys that are not in order",
         share_page},
        {"data.mdb: database 'profile': page # of it is beyond the last one",
         leave_file},
        {"data.mdb: database 'org': page # has keys that are not in order",
         swap_keys},
        {"data.mdb: database 'profile': page # has keys that are not in order",
         move_separator},
        {"data.mdb: database 'org': a value on page # goes beyond the end of "
         "the page",
         lengthen_value},
        {"data.mdb: database 'org': page # has a key that goes beyond its end",
         lengthen_key},
        {"data.mdb: database 'member': it has other numbers of pages or "
         "records than it says",
         miscount},
        {"data.mdb: database 'member': it has a depth that it cannot have",
         deepen},
        {"data.mdb: database 'event': page # begins a value of another length "
         "than it should",
         shorten_long_value},
        {"data.mdb: database 'profile': page # of it is in use elsewhere, or "
         "free",
         free_used_page},
        {"data.mdb: the file: # pages are neither in use nor free: their room "
         "is lost",
         forget_free_page},
        {"data.mdb: database 'event': page # does not begin a long value, as "
         "it should",
         begin_no_long_value},
        {"data.mdb: database 'event': page # of a long value is in use "
         "elsewhere, or free",
         lengthen_long_value},
        {"data.mdb: the list of databases: the root of 'member' cannot be read",
         shorten_root},
        {"data.mdb: database 'org': a value on page # is of a kind that it "
         "cannot be",
         make_tree},
        {"data.mdb: database 'org': page # has a node outside of itself",
         move_node},
        {"data.mdb: the list of free pages: page # is of a kind that it cannot "
         "be",
         change_free_list},
        {"data.mdb: database 'home': page # is another page than it should be",
         change_home},
    };

    make_store("sound", pool);
    is(faults_of("sound", pool), "", "a store as it is made has no fault");
    bytes_t data = slurp(temp_path("sound/data.mdb", pool), pool);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_page(rows[i].fault, rows[i].spoil, data, pool);
}

/* A check ends where its listener says so, among the pages as among records. */
static void
check_end(apr_pool_t *pool)
{
    const apr_uint64_t lasts[] = {400, 1};
    up_check_t listener = {collect, NULL, end_early, NULL};

    listener.baton = apr_array_make(pool, 4, sizeof(const char *));
    for (size_t i = 0; i < sizeof(lasts) / sizeof(lasts[0]); i++) {
        last = lasts[i];
        up_error_t *err = check_store("sound", &listener, pool);
        is(err ? err->message : NULL, "nobody waits any longer",
           "a check ends as its listener says, before the last %d",
           (int)lasts[i]);
    }
}

static void
test(apr_pool_t *pool)
{
    check_pages(pool);
    check_end(pool);
    check_home(pool);
    check_records(pool);
}

int
main(void)
{
    return run_test(test);
}
