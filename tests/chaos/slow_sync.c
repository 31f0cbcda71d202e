// Preloaded into engramd: a disk that takes its time. While the file named by SLOW_SYNC exists, each
// fsync and fdatasync takes as many milliseconds longer as the file says.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void dawdle(void) {
    char const* const path = getenv("SLOW_SYNC");
    int const file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    char text[16] = "";
    if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
    close(file);
    long const ms = atol(text);
    struct timespec const pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) *(void**)&real = dlsym(RTLD_NEXT, "fsync");
    dawdle();
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) *(void**)&real = dlsym(RTLD_NEXT, "fdatasync");
    dawdle();
    return real(file);
}
