/*
 * store_contract.h -- what the tests of up_store.h share: they run once for
 * each driver, every part of them on a new, empty store.
 */
#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

#include "store_items.h"
#include "temp_store.h"

/* Put two organisations, O1 with the users A and B (locked), O2 with C and M, a
 * machine; their memberships and tokens, and those of "stranger", who is no
 * stored user. */
void put_small(up_store_t *store);

/* One part of a test; the last of an array has no name. */
typedef struct part_t {
    const char *name;
    void (*run)(up_store_t *store, apr_pool_t *pool);
} part_t;

/* Run PARTS for each driver; returns what main() returns. */
int run_parts(const part_t *parts);

/* What up_store_read() gives, in words: "caller of O1 active, org O1, roles
 * ORG_OWNER, instance roles IAM_OWNER, user O1/A", of which what is not there
 * is left out; "nothing" if none is. */
const char *read_text(up_store_t *store,
                      const char *caller,
                      const char *wanted,
                      const char *user,
                      apr_pool_t *pool);

/* What decide() does, and was asked. */
typedef enum action_t { CHANGE, CHANGE_WITHOUT_EVENT, KEEP, REFUSE } action_t;

typedef struct script_t {
    action_t action;
    const up_user_t *instead; /* is changed and stored in place of the user
                               * that is there; or NULL */
    const char *before;       /* the user that was there, as item_text() has it;
                               * or NULL */
} script_t;

/* An up_decide_t whose baton is a script_t: a change is a new sequence. */
up_error_t *decide(up_change_t *change,
                   void *baton,
                   const up_user_t *before,
                   apr_pool_t *pool);

/* A word for each item of STORE that FILTER lets pass, as one text: "org:O1
 * user:O1/A member:O1/A member:instance/C token:1 event:1:A"; after MOST of
 * them (0: never) the visitor returns the error "enough". Sets *ERR to what
 * up_store_each() returns. */
const char *visited_text(up_error_t **err,
                         up_store_t *store,
                         const up_filter_t *filter,
                         int most,
                         apr_pool_t *pool);

#endif
