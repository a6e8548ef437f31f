/*
 * pg_statements.c -- prints the text of a statement of the PostgreSQL driver,
 * for pgbench to execute the same: pg_statements read|change
 */
#include "store/postgresql/up_pg.h"

#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        pg_statement_t statement;
    } names[] = {{"read", PG_READ}, {"change", PG_CHANGE_USER}};

    for (size_t i = 0; argc == 2 && i < sizeof(names) / sizeof(*names); i++) {
        if (!strcmp(argv[1], names[i].name))
            return puts(up_pg_statement_text(names[i].statement)) < 0;
    }
    fprintf(stderr, "pg_statements: say 'read' or 'change'\n");
    return 1;
}
