/*
 * up_admin.h -- the commands of administrators, for every tool.
 *
 * Each call is one batch of its own, with the events of what it changes, whose
 * author is AUTHOR. UP_CONFLICT says in a sentence what forbids it;
 * UP_FIELD_INVALID which field is wrong.
 */
#ifndef UP_ADMIN_H
#define UP_ADMIN_H

#include "store/up_store.h"

/* Check that ITEM may be stored: ids, names, roles, a token's expiry, the
 * values of an event, and a human's fields, which become canonical. FIELDS is
 * the set of those that were given: a display name that was not becomes the
 * first and the last name. What ITEM gets is in POOL. UP_FIELD_INVALID names
 * what is wrong. */
UP_MUST_CHECK up_error_t *up_admin_check(up_item_t *item,
                                         unsigned fields,
                                         apr_pool_t *pool);

/* Add an organisation that is not there yet. */
UP_MUST_CHECK up_error_t *up_admin_add_org(up_store_t *store,
                                           const up_org_t *org,
                                           const char *author,
                                           apr_pool_t *pool);

/* Change the name of the organisation with ORG's id to ORG's. */
UP_MUST_CHECK up_error_t *up_admin_rename_org(up_store_t *store,
                                              const up_org_t *org,
                                              const char *author,
                                              apr_pool_t *pool);

/* Remove the organisation with this ID, its memberships, and the records of its
 * removed users, whose ids are free then. Fails if it has other users. */
UP_MUST_CHECK up_error_t *up_admin_remove_org(up_store_t *store,
                                              const char *id,
                                              const char *author,
                                              apr_pool_t *pool);

/* Add USER, not validated yet, whose id no user has or had; its sequence is
 * then 1, its state active and its times now; an empty display name counts as
 * not given. */
UP_MUST_CHECK up_error_t *up_admin_add_user(up_store_t *store,
                                            const up_user_t *user,
                                            const char *author,
                                            apr_pool_t *pool);

/* Set *USER to the one with this ID in ORG, or to NULL. */
UP_MUST_CHECK up_error_t *up_admin_get_user(const up_user_t **user,
                                            up_store_t *store,
                                            const char *org,
                                            const char *id,
                                            apr_pool_t *pool);

/* Set, of the user with USER's organisation and id, those FIELDS of the profile
 * to USER's, and, if SETS_STATE, the state, which is not UP_REMOVED. A change
 * of both is two events. */
UP_MUST_CHECK up_error_t *up_admin_set_user(up_store_t *store,
                                            const up_user_t *user,
                                            unsigned fields,
                                            int sets_state,
                                            const char *author,
                                            apr_pool_t *pool);

/* Mark the user as removed, keep the record, revoke all its tokens and remove
 * its memberships: one event. If ERASES, the profile goes too, and so do the
 * values in the events about the user, who may then be removed already; that is
 * another event. */
UP_MUST_CHECK up_error_t *up_admin_remove_user(up_store_t *store,
                                               const char *org,
                                               const char *id,
                                               int erases,
                                               const char *author,
                                               apr_pool_t *pool);

/* Give MEMBER's user its roles, beside those it has there. */
UP_MUST_CHECK up_error_t *up_admin_add_member(up_store_t *store,
                                              const up_member_t *member,
                                              const char *author,
                                              apr_pool_t *pool);

/* Give MEMBER's user its roles, in place of those it had there. */
UP_MUST_CHECK up_error_t *up_admin_set_member(up_store_t *store,
                                              const up_member_t *member,
                                              const char *author,
                                              apr_pool_t *pool);

/* Set *ROLE to the first of ROLES (of const char *) that neither the API nor a
 * membership in STORE has, or to NULL. */
UP_MUST_CHECK up_error_t *up_admin_unknown_role(const char **role,
                                                up_store_t *store,
                                                const apr_array_header_t *roles,
                                                apr_pool_t *pool);

/* End the membership of USER in ORG ("": the instance). */
UP_MUST_CHECK up_error_t *up_admin_remove_member(up_store_t *store,
                                                 const char *org,
                                                 const char *user,
                                                 const char *author,
                                                 apr_pool_t *pool);

/* Make a token for USER that expires at EXPIRES (0: never) and set *TEXT to
 * it; it cannot be had again. A user that is stored must not be removed. */
UP_MUST_CHECK up_error_t *up_admin_add_token(const char **text,
                                             up_store_t *store,
                                             const char *user,
                                             apr_time_t expires,
                                             const char *author,
                                             apr_pool_t *pool);

/* Revoke the token whose SHA-256 begins with NAME, 16 hex digits or more, as
 * the list shows, or whose text is NAME. No error repeats NAME. */
UP_MUST_CHECK up_error_t *up_admin_revoke_token(up_store_t *store,
                                                const char *name,
                                                const char *author,
                                                apr_pool_t *pool);

/* Revoke all tokens of USER, an event each. Fails with UP_CONFLICT if there is
 * none. */
UP_MUST_CHECK up_error_t *up_admin_revoke_tokens(up_store_t *store,
                                                 const char *user,
                                                 const char *author,
                                                 apr_pool_t *pool);

/* What putting an item did. */
typedef enum up_put_t {
    UP_PUT_ADDED,
    UP_PUT_CHANGED,
    UP_PUT_UNCHANGED,
    UP_PUTS
} up_put_t;

/* For an import: put ITEM, which was checked, into BATCH unless an equal one is
 * there, without an event, and set *DID. Dates that were not GIVEN are those of
 * the item that is there, if there is one. Unless FORCES, fails with
 * UP_CONFLICT if ITEM would make a revoked token valid or a removed user a user
 * again, give a removed user rights or an erased one a profile, lower a
 * sequence, or make a human a machine or a machine a human. With it, an item
 * takes the place even of one that cannot be read. A user who becomes removed
 * loses all rights with that, one who becomes erased the values in events. An
 * event keeps its number: FORCES or not, it is refused if another one has that,
 * if it would not be the last one, or if it has values of an erased user. */
UP_MUST_CHECK up_error_t *up_admin_import(up_put_t *did,
                                          up_batch_t *batch,
                                          up_item_t *item,
                                          const up_given_t *given,
                                          int forces,
                                          apr_pool_t *pool);

/* Append to BATCH the event of an import; DETAIL says what it did. */
UP_MUST_CHECK up_error_t *up_admin_imported(up_batch_t *batch,
                                            const char *detail,
                                            const char *author,
                                            apr_pool_t *pool);

/* Remove the events from before the time BEFORE, in many short batches, except
 * the last of all, whose number the next one follows; set *REMOVED to how many
 * went. If any did, that is an event. What is removed stays so on failure. */
UP_MUST_CHECK up_error_t *up_admin_prune_events(apr_uint64_t *removed,
                                                up_store_t *store,
                                                apr_time_t before,
                                                const char *author,
                                                apr_pool_t *pool);

#endif
