/* counted_exit.c -- _exit() for test programs that count the lines that they
 * run: processes that a test makes keep their counts too. */
#ifdef UP_COUNTED
#include <unistd.h>

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void
__wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
#endif
