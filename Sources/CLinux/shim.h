#pragma once
// What the Glibc module leaves out or Swift cannot call, with the reason beside it.
#include <errno.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console.h"
#include "files.h"
#include "landlock.h"
#include "process.h"

// `epoll_event` has a union with a pointer in it: Swift sees a token only. It is packed on x86-64
// alone, where it has to look like that of 32 bits.
struct gh_epoll_event {
  uint32_t events;
  uint64_t token;
#if defined(__x86_64__)
} __attribute__((packed));
#else
};
#endif

_Static_assert(sizeof(struct gh_epoll_event) == sizeof(struct epoll_event),
               "gh_epoll_event mirrors epoll_event");
_Static_assert(__builtin_offsetof(struct gh_epoll_event, token) ==
                   __builtin_offsetof(struct epoll_event, data),
               "gh_epoll_event mirrors epoll_event");

static inline int gh_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events,
                               uint64_t token) {
  struct epoll_event event = {.events = events, .data = {.u64 = token}};
  return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline int gh_epoll_wait(int epoll, struct gh_epoll_event *events, int max,
                                int timeout_milliseconds) {
  return epoll_wait(epoll, (struct epoll_event *)events, max, timeout_milliseconds);
}

// `errno` is a macro.
static inline int gh_errno(void) { return errno; }

// `prctl` is variadic.
static inline int gh_set_thread_name(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

// accept4 is a GNU extension, which the importer hides.
int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int gh_accept(int listener) {
  return accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline void gh_set_errno(int code) { errno = code; }
static inline int gh_set_dumpable(int dumpable) { return prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0); }

// A GNU extension too, which the importer hides.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
static inline int gh_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

// POSIX_SPAWN_SETSID is a GNU extension, which the importer hides (spawn.h).
static inline int gh_spawn_new_session(void) { return 0x80; }

// Takes a variable out of the environment for good: `unsetenv` drops the pointer
// only, and the bytes would stay readable in /proc/PID/environ. Not for use while
// other threads read the environment.
static inline void gh_environment_erase(const char *name) {
  char *value;
  while ((value = getenv(name))) {
    explicit_bzero(value, strlen(value));
    if (unsetenv(name) != 0) return;
  }
}
