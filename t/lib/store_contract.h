/*
 * store_contract.h -- what the tests of up_store.h share: they run once for
 * each driver, every part of them on a new, empty store.
 */
#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

#include "store_items.h"
#include "temp_store.h"

#define ALL ((1u << UP_KINDS) - 1)

/* Lines of an import. */
#define DATES                                                                  \
    "\"sequence\":\"1\",\"creationDate\":\"2025-03-25T09:00:00.100Z\","        \
    "\"changeDate\":\"2025-03-25T09:00:00.100Z\""
#define ORG(id, name) "{\"org\":{\"id\":\"" id "\",\"name\":\"" name "\"}}"
#define USER(id, org, state, first)                                            \
    "{\"user\":{\"id\":\"" id "\",\"orgId\":\"" org                            \
    "\",\"type\":\"human\",\"state\":\"" state "\"," DATES                     \
    ",\"profile\":{\"firstName\":\"" first                                     \
    "\",\"lastName\":\"L\",\"displayName\":\"D\"}}}"
#define MACHINE(id, org)                                                       \
    "{\"user\":{\"id\":\"" id "\",\"orgId\":\"" org                            \
    "\",\"type\":\"machine\",\"state\":\"active\"," DATES "}}"
#define MEMBER(org, user, role)                                                \
    "{\"member\":{\"orgId\":\"" org "\",\"userId\":\"" user                    \
    "\",\"roles\":[\"" role "\"]}}"
#define INSTANCE_MEMBER(user, role)                                            \
    "{\"member\":{\"userId\":\"" user "\",\"roles\":[\"" role "\"]}}"
#define SHA_31                                                                 \
    "000000000000000000000000000000000000000000000000000000000000"             \
    "00"
#define TOKEN(user, byte)                                                      \
    "{\"token\":{\"userId\":\"" user "\",\"sha256\":\"" byte SHA_31            \
    "\",\"creationDate\":\"2025-03-25T09:00:00.100Z\","                        \
    "\"expires\":\"2026-01-01T00:00:00Z\"}}"

/* Two organisations, O1 with A and B (locked), O2 with C and M, a machine;
 * their and a stranger's memberships and tokens. */
extern const char *const small[];

/* One part of a test; the last of an array has no name. */
typedef struct part_t {
    const char *name;
    void (*run)(up_store_t *store, apr_pool_t *pool);
} part_t;

/* Run PARTS for each driver; returns what main() returns. */
int run_parts(const part_t *parts);

/* LINE as an item, and ITEM as a line, NULL for NULL. */
up_item_t *item_of(const char *line, apr_pool_t *pool);
const char *line_of(const up_item_t *item, apr_pool_t *pool);

/* Put LINE into STORE, in a batch of its own. */
up_error_t *put(up_store_t *store, const char *line, apr_pool_t *pool);

/* What STORE has under the key of LINE, as a line, or NULL. */
const char *get(up_store_t *store, const char *line, apr_pool_t *pool);

long long count(up_store_t *store, up_kind_t kind, apr_pool_t *pool);

/* What up_store_read() gives, in one line: the caller's organisation and
 * state, the organisation, the roles there and on the instance, the user. */
const char *read_text(up_store_t *store,
                      const char *caller,
                      const char *wanted,
                      const char *user,
                      apr_pool_t *pool);

/* What decide() does, and was asked. */
typedef enum action_t { CHANGE, CHANGE_WITHOUT_EVENT, KEEP, REFUSE } action_t;

typedef struct script_t {
    action_t action;
    const up_user_t *instead; /* of who is there, to be changed; or NULL */
    const char *before;       /* who was there, as a line; NULL: nobody */
} script_t;

/* An up_decide_t whose baton is a script_t: a change is a new sequence. */
up_error_t *decide(up_change_t *change,
                   void *baton,
                   const up_user_t *before,
                   apr_pool_t *pool);

/* A word for each item of STORE that FILTER lets pass, as one text; after MOST
 * of them (0: never) the visitor says "enough". Sets *ERR to what
 * up_store_each() returns. */
const char *visited_text(up_error_t **err,
                         up_store_t *store,
                         const up_filter_t *filter,
                         int most,
                         apr_pool_t *pool);

#endif
