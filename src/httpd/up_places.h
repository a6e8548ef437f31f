/*
 * up_places.h -- the directives of httpd's tree that are of interest to us, and
 * which of them have a say in which requests.
 */
#ifndef UP_PLACES_H
#define UP_PLACES_H

#include <httpd.h>
#include <util_cfgtree.h>

/* A directive, and where it stands. */
typedef struct up_place_t {
    const ap_directive_t *directive;
    const ap_directive_t *section; /* <Location> or the like, or NULL */
    const ap_directive_t *host;    /* <VirtualHost>, or NULL */
    server_rec *server;
} up_place_t;

/* All directives of interest: ours and those that they need. */
typedef struct up_places_t {
    server_rec *main;
    apr_pool_t *pool;         /* of what the functions return */
    apr_array_header_t *list; /* of up_place_t */
} up_places_t;

/* The directives of interest of MAIN's configuration, in POOL. Only while
 * httpd keeps its tree: up to post_config. */
const up_places_t *up_places_read(server_rec *main, apr_pool_t *pool);

/* The first directive NAME that can have a say in requests for which ON, a
 * UserProfile On, is said; or NULL. */
const up_place_t *up_places_find(const up_places_t *places,
                                 const up_place_t *on,
                                 const char *name);

/* The UserProfile On that PLACE can have a say for, or NULL. */
const up_place_t *up_places_find_on(const up_places_t *places,
                                    const up_place_t *place);

/* Whether PLACE is a UserProfile On. */
int up_place_says_on(const up_place_t *place, apr_pool_t *pool);

/* Where PLACE is, for a message: "file:line". */
const char *up_place_text(const up_place_t *place, apr_pool_t *pool);

/* Whether DIRECTIVE's name is NAME; or BEGIN, or BEGIN and more. */
int up_place_is_named(const ap_directive_t *directive, const char *name);
int up_place_is_named_like(const ap_directive_t *directive, const char *begin);

/* The first word of DIRECTIVE's arguments, without quotes and "<...>"'s end. */
const char *up_place_argument(const ap_directive_t *directive,
                              apr_pool_t *pool);

/* Whether path A is B, or above it. */
int up_place_is_above(const char *a, const char *b);

#endif
