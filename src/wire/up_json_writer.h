/*
 * up_json_writer.h -- writing JSON text (RFC 8259), one value after the other.
 *
 * Answers are written at each request, so they are not built as trees first.
 * NAME is that of a member, ASCII that needs no escape, and is written in
 * lowerCamel ("first_name" as "firstName"); NULL for an array's element and for
 * the outermost value. Each begin has its end.
 */
#ifndef UP_JSON_WRITER_H
#define UP_JSON_WRITER_H

#include <apr_pools.h>

typedef struct up_json_writer_t up_json_writer_t;

/* A writer of one text, in POOL. */
up_json_writer_t *up_json_writer_make(apr_pool_t *pool);

void up_json_begin_object(up_json_writer_t *writer, const char *name);
void up_json_end_object(up_json_writer_t *writer);
void up_json_begin_array(up_json_writer_t *writer, const char *name);
void up_json_end_array(up_json_writer_t *writer);

/* A byte of TEXT that belongs to no character of UTF-8 is written as U+FFFD. */
void up_json_write_string(up_json_writer_t *writer,
                          const char *name,
                          const char *text);

void up_json_write_number(up_json_writer_t *writer,
                          const char *name,
                          apr_int64_t value);

/* A number that may need 64 bits: a string, as in protobuf's JSON mapping. */
void up_json_write_counter(up_json_writer_t *writer,
                           const char *name,
                           apr_uint64_t value);

/* Set *TEXT and *LENGTH to all that was written, NUL-terminated, in the
 * writer's pool. Nothing more is written then. */
void up_json_writer_text(const char **text,
                         apr_size_t *length,
                         up_json_writer_t *writer);

#endif
