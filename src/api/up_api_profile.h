/*
 * up_api_profile.h -- profiles in the messages of the API: their fields are
 * found by the names that the table of fields has.
 */
#ifndef UP_API_PROFILE_H
#define UP_API_PROFILE_H

#include "core/up_items.h"

#include "google/protobuf/timestamp.pb-c.h"

/* Set *PROFILE, in POOL, from the fields of MESSAGE (NULL: none), named as by
 * RULES. Returns the set of the fields to change: by UP_RULES_V1 all; by the
 * others those that are present; by UP_RULES_SET_HUMAN those that must not be
 * empty too. Text is MESSAGE's. */
unsigned up_api_read_profile(const up_profile_t **profile,
                             const ProtobufCMessage *message,
                             up_rules_t rules,
                             apr_pool_t *pool);

/* Set the fields of MESSAGE, named as by RULES, to those of PROFILE, a valid
 * one. Text is PROFILE's. */
void up_api_write_profile(ProtobufCMessage *message,
                          const up_profile_t *profile,
                          up_rules_t rules);

/* TIME as a message, in POOL. */
Google__Protobuf__Timestamp *up_api_timestamp(apr_time_t time,
                                              apr_pool_t *pool);

#endif
