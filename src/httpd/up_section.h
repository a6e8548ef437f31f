/*
 * up_section.h -- the section that says UserProfile On, and how much of a
 * request's path is the section's own, before the path of a call.
 */
#ifndef UP_SECTION_H
#define UP_SECTION_H

#include <httpd.h>
#include <http_config.h>

typedef struct up_section_t up_section_t;

/* The section that CMD stands in, in CMD's pool. */
const up_section_t *up_section_of(cmd_parms *cmd);

/* How many bytes of URI, the path of a request that the section applies to,
 * are the section's, without a slash at their end: the path of a <Location>;
 * what the pattern of a <LocationMatch> matches; 0 in the server, a
 * <VirtualHost>, a <Directory>, and an <If> that is in no <Location>. */
apr_size_t up_section_length(const up_section_t *section, const char *uri);

#endif
