/*
 * up_admin.h -- the commands of administrators, for every tool.
 *
 * Each call is one batch of its own. UP_CONFLICT says in a sentence what
 * forbids it; UP_FIELD_INVALID which field is wrong.
 */
#ifndef UP_ADMIN_H
#define UP_ADMIN_H

#include "store/up_store.h"

/* Check that ITEM may be stored: ids, names, roles, a token's expiry, and a
 * human's fields, which become canonical. FIELDS is the set of those that were
 * given: a display name that was not becomes the first and the last name. What
 * ITEM gets is in POOL. UP_FIELD_INVALID names what is wrong. */
UP_MUST_CHECK up_error_t *up_admin_check(up_item_t *item,
                                         unsigned fields,
                                         apr_pool_t *pool);

/* Add an organisation that is not there yet. */
UP_MUST_CHECK up_error_t *up_admin_add_org(up_store_t *store,
                                           const up_org_t *org,
                                           apr_pool_t *pool);

/* Add USER, not validated yet, whose id no user has or had; its sequence is
 * then 1, its state active and its times now; an empty display name counts as
 * not given. Writes an event. */
UP_MUST_CHECK up_error_t *up_admin_add_user(up_store_t *store,
                                            const up_user_t *user,
                                            apr_pool_t *pool);

/* Set *USER to the one with this ID in ORG, or to NULL. */
UP_MUST_CHECK up_error_t *up_admin_get_user(const up_user_t **user,
                                            up_store_t *store,
                                            const char *org,
                                            const char *id,
                                            apr_pool_t *pool);

/* Mark the user as removed, keep the record, and take all its tokens and
 * memberships. Writes an event. */
UP_MUST_CHECK up_error_t *up_admin_remove_user(up_store_t *store,
                                               const char *org,
                                               const char *id,
                                               apr_pool_t *pool);

/* Give MEMBER's user its roles, in place of those it had there. */
UP_MUST_CHECK up_error_t *up_admin_add_member(up_store_t *store,
                                              const up_member_t *member,
                                              apr_pool_t *pool);

/* End the membership of USER in ORG ("": the instance). */
UP_MUST_CHECK up_error_t *up_admin_remove_member(up_store_t *store,
                                                 const char *org,
                                                 const char *user,
                                                 apr_pool_t *pool);

/* Make a token for USER that expires at EXPIRES (0: never) and set *TEXT to
 * it; it cannot be had again. A user that is stored must not be removed. */
UP_MUST_CHECK up_error_t *up_admin_add_token(const char **text,
                                             up_store_t *store,
                                             const char *user,
                                             apr_time_t expires,
                                             apr_pool_t *pool);

/* Revoke the token whose SHA-256 begins with ID: 16 hex digits or more, as
 * the list shows. */
UP_MUST_CHECK up_error_t *up_admin_revoke_token(up_store_t *store,
                                                const char *id,
                                                apr_pool_t *pool);

#endif
