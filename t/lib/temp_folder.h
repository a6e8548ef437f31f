/* temp_folder.h -- a folder that is gone when the test is over. */
#ifndef TEMP_FOLDER_H
#define TEMP_FOLDER_H

#include <apr_pools.h>

/* The path of NAME in this program's temporary folder, in POOL. The folder,
 * which all users may enter, is made by the first call and removed with all
 * that is in it at the exit of the process that made it. */
const char *temp_path(const char *name, apr_pool_t *pool);

#endif
