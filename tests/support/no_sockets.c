// Put in front of a program by LD_PRELOAD: while the file $NO_SOCKETS_FILE exists, the call that it names ("socket" or
// "connect") fails for TCP with the errno that stands behind it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// 0: it does not fail.
static int failure_of(char const* call, int family) {
    if (family != AF_INET && family != AF_INET6) return 0;
    char const* const path = getenv("NO_SOCKETS_FILE");
    FILE* const file = path ? fopen(path, "re") : NULL;
    if (!file) return 0;
    char named[16] = "";
    int number = 0;
    if (fscanf(file, "%15s %d", named, &number) != 2 || strcmp(named, call) != 0) number = 0;
    fclose(file);
    return number;
}

int socket(int family, int kind, int protocol) {
    int const number = failure_of("socket", family);
    if (number != 0) {
        errno = number;
        return -1;
    }
    return ((int (*)(int, int, int))dlsym(RTLD_NEXT, "socket"))(family, kind, protocol);
}

int connect(int with, struct sockaddr const* to, socklen_t size) {
    int const number = failure_of("connect", to->sa_family);
    if (number != 0) {
        errno = number;
        return -1;
    }
    return ((int (*)(int, struct sockaddr const*, socklen_t))dlsym(RTLD_NEXT, "connect"))(with, to, size);
}
