// Put in front of a program by LD_PRELOAD: its wall clock is ahead by as many seconds as the first eight bytes of the
// file $MOVED_CLOCK_FILE say, which a test may change meanwhile. Steady time is left alone.
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t volatile const* ahead;

__attribute__((constructor)) static void find_file(void) {
    char const* const path = getenv("MOVED_CLOCK_FILE");
    int const file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void* const there = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (there != MAP_FAILED) ahead = there;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
    int const status = (int)syscall(SYS_clock_gettime, clock, now);
    if (status == 0 && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
    return status;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
    (void)zone;
    struct timespec precise;
    int const status = clock_gettime(CLOCK_REALTIME, &precise);
    if (status == 0) {
        now->tv_sec = precise.tv_sec;
        now->tv_usec = precise.tv_nsec / 1000;
    }
    return status;
}

time_t time(time_t* at) {
    struct timespec precise;
    if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
    if (at) *at = precise.tv_sec;
    return precise.tv_sec;
}
