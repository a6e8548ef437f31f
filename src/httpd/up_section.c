/* up_section.c -- the section that says UserProfile On. */
#include "httpd/up_section.h"

#include <ap_regex.h>
#include <apr_fnmatch.h>
#include <apr_strings.h>

struct up_section_t {
    const char *path;          /* of a <Location>; "" elsewhere */
    const ap_regex_t *pattern; /* of a <LocationMatch>, or NULL */
    int has_wildcards;         /* PATH has; it matches whole paths */
};

/* The directive of the <Location> or <LocationMatch> around CMD, or NULL. */
static const ap_directive_t *
find_location(const cmd_parms *cmd)
{
    const ap_directive_t *directive = cmd->directive->parent;

    while (directive &&
           ap_cstr_casecmp(directive->directive, "<Location") != 0 &&
           ap_cstr_casecmp(directive->directive, "<LocationMatch") != 0)
        directive = directive->parent;
    return directive;
}

const up_section_t *
up_section_of(cmd_parms *cmd)
{
    up_section_t *section = apr_pcalloc(cmd->pool, sizeof(*section));
    const ap_directive_t *location = find_location(cmd);

    section->path = "";
    if (!location)
        return section;

    /* Read as httpd's own directive does: /path> or "~ pattern>". */
    const char *args = location->args, *end = strrchr(args, '>');
    args = apr_pstrndup(cmd->pool, args,
                        end ? (apr_size_t)(end - args) : strlen(args));
    int is_pattern =
        ap_cstr_casecmp(location->directive, "<LocationMatch") == 0;
    section->path = ap_getword_conf(cmd->pool, &args);
    if (!is_pattern && !strcmp(section->path, "~")) {
        is_pattern = 1;
        section->path = ap_getword_conf(cmd->pool, &args);
    }
    if (is_pattern)
        section->pattern =
            ap_pregcomp(cmd->pool, section->path, AP_REG_EXTENDED);
    else
        section->has_wildcards = apr_fnmatch_test(section->path);
    return section;
}

apr_size_t
up_section_length(const up_section_t *section, const char *uri)
{
    apr_size_t length = strlen(section->path);
    ap_regmatch_t match;

    if (section->pattern)
        length = ap_regexec(section->pattern, uri, 1, &match, 0)
                     ? 0
                     : (apr_size_t)match.rm_eo;
    else if (section->has_wildcards)
        length = strlen(uri);
    else if (strncmp(section->path, uri, length) != 0)
        length = 0;
    while (length && uri[length - 1] == '/')
        length--;
    return length;
}
