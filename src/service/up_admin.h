/*
 * up_admin.h -- the commands of administrators, for every tool.
 *
 * Each call is one batch of its own. UP_CONFLICT says in a sentence what
 * forbids it; UP_FIELD_INVALID which field is wrong. AUTHOR is of the events.
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

/* Change the name of the organisation with ORG's id to ORG's. */
UP_MUST_CHECK up_error_t *up_admin_rename_org(up_store_t *store,
                                              const up_org_t *org,
                                              apr_pool_t *pool);

/* Remove the organisation with this ID, its memberships, and the records of its
 * removed users, whose ids are free then. Fails if it has other users. */
UP_MUST_CHECK up_error_t *up_admin_remove_org(up_store_t *store,
                                              const char *id,
                                              apr_pool_t *pool);

/* Add USER, not validated yet, whose id no user has or had; its sequence is
 * then 1, its state active and its times now; an empty display name counts as
 * not given. Writes an event. */
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
 * to USER's, and, if SETS_STATE, the state, which is not UP_REMOVED. What
 * changes writes an event: one for the profile, one for the state. */
UP_MUST_CHECK up_error_t *up_admin_set_user(up_store_t *store,
                                            const up_user_t *user,
                                            unsigned fields,
                                            int sets_state,
                                            const char *author,
                                            apr_pool_t *pool);

/* Mark the user as removed, keep the record, and take all its tokens and
 * memberships. Writes an event. If ERASES, the profile goes too, and so do the
 * values in the events about the user, who may then be removed already. */
UP_MUST_CHECK up_error_t *up_admin_remove_user(up_store_t *store,
                                               const char *org,
                                               const char *id,
                                               int erases,
                                               const char *author,
                                               apr_pool_t *pool);

/* Give MEMBER's user its roles, beside those it has there. */
UP_MUST_CHECK up_error_t *up_admin_add_member(up_store_t *store,
                                              const up_member_t *member,
                                              apr_pool_t *pool);

/* Give MEMBER's user its roles, in place of those it had there. */
UP_MUST_CHECK up_error_t *up_admin_set_member(up_store_t *store,
                                              const up_member_t *member,
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
                                                 apr_pool_t *pool);

/* Make a token for USER that expires at EXPIRES (0: never) and set *TEXT to
 * it; it cannot be had again. A user that is stored must not be removed. */
UP_MUST_CHECK up_error_t *up_admin_add_token(const char **text,
                                             up_store_t *store,
                                             const char *user,
                                             apr_time_t expires,
                                             apr_pool_t *pool);

/* Revoke the token whose SHA-256 begins with NAME, 16 hex digits or more, as
 * the list shows, or whose text is NAME. No error repeats NAME. */
UP_MUST_CHECK up_error_t *up_admin_revoke_token(up_store_t *store,
                                                const char *name,
                                                apr_pool_t *pool);

/* Revoke all tokens of USER. Fails with UP_CONFLICT if there is none. */
UP_MUST_CHECK up_error_t *up_admin_revoke_tokens(up_store_t *store,
                                                 const char *user,
                                                 apr_pool_t *pool);

#endif
