/* fuzz_profile_json.c -- a request that is accepted can be written and read
 * again to the same profile; one that is refused is the client's fault, in a
 * sentence that can be answered. */
#include "wire/up_profile_json.h"
#include "wire/up_status.h"

#include <apr_general.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Abort unless what is written of PROFILE reads as PROFILE. */
static void
check_request(const up_profile_t *profile, apr_pool_t *pool)
{
    const up_profile_t *again;
    const char *text;
    apr_size_t length;
    up_json_writer_t *writer = up_json_writer_make(pool);

    up_profile_json_write(writer, NULL, profile,
                          up_profile_diff(profile, up_profile_make(pool)));
    up_json_writer_text(&text, &length, writer);
    if (up_profile_json_decode(&again, text, length, pool) ||
        up_profile_diff(profile, again))
        abort();
}

/* Abort unless the answer about a user with PROFILE, a valid one, holds it. */
static void
check_reply(const up_profile_t *profile, apr_pool_t *pool)
{
    up_user_t user = {.org = "O", .id = "1", .sequence = 1, .profile = profile};
    up_profile_t *again;
    up_json_t *reply;
    const char *text;
    apr_size_t length;

    up_profile_json_encode(&text, &length, &user, 1, pool);
    if (up_json_parse(&reply, text, length, pool) ||
        up_profile_json_read(&again, up_json_member(reply, "profile"), pool))
        abort();

    apr_array_header_t *violations =
        apr_array_make(pool, 0, sizeof(up_violation_t));
    const up_profile_t *valid;
    up_profile_validate(&valid, violations, again, UP_ALL_FIELDS, UP_RULES_V1,
                        "", pool);
    if (!valid || up_profile_diff(profile, valid))
        abort();
}

static void
check_refusal(const up_error_t *err, apr_pool_t *pool)
{
    up_json_t *status;
    const char *text;
    apr_size_t length;

    up_status_json(&text, &length, up_status_of(err, pool), pool);
    if (err->reason != UP_BODY_INVALID ||
        up_json_parse(&status, text, length, pool))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    const up_profile_t *profile, *valid;
    apr_pool_t *pool;

    if (!root) {
        apr_initialize();
        apr_pool_create(&root, NULL);
        up_json_init();
    }
    apr_pool_create(&pool, root);

    up_error_t *err =
        up_profile_json_decode(&profile, (const char *)data, size, pool);
    if (err) {
        check_refusal(err, pool);
    } else {
        apr_array_header_t *violations =
            apr_array_make(pool, 0, sizeof(up_violation_t));
        up_profile_validate(&valid, violations, profile, UP_ALL_FIELDS,
                            UP_RULES_V1, "", pool);
        if (profile->gender >= 0 && profile->gender < UP_GENDERS)
            check_request(profile, pool);
        if (valid)
            check_reply(valid, pool);
    }
    apr_pool_destroy(pool);
    return 0;
}
