/* To be preloaded: the wall clock fails for Faultlayer's own native library at the readings that BROKEN_CLOCK_AT counts,
 * as in "2,4", and for nobody else. No kernel does that, so the standard library panics there. A panic inside the engine
 * of a layer as it is shipped can be had in no other way, since nothing in it is made to panic. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long readings;

static int fails(void) {
    long reading = atomic_fetch_add(&readings, 1) + 1;
    const char *at = getenv("BROKEN_CLOCK_AT");
    while (at && *at) {
        char *end;
        if (strtol(at, &end, 10) == reading) {
            return 1;
        }
        at = *end ? end + 1 : end;
    }
    return 0;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    Dl_info caller;
    if (clock == CLOCK_REALTIME && dladdr(__builtin_return_address(0), &caller) && caller.dli_fname
        && (strstr(caller.dli_fname, "/faultlayer") || strstr(caller.dli_fname, "/libfaultlayer")) && fails()) {
        errno = EINVAL;
        return -1;
    }
    return (int)syscall(SYS_clock_gettime, clock, time);
}
