#pragma once
// Processes, for `Sandbox`: what is variadic, a macro, or hidden from the importer by _GNU_SOURCE.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// `prctl` is variadic.
static inline int gh_process_control(int option, unsigned long value) {
  return prctl(option, value, 0UL, 0UL, 0UL);
}

// `ioctl` is variadic. What a pipe or terminal holds to be read, or -1.
static inline int gh_readable_bytes(int descriptor) {
  int count = 0;
  return ioctl(descriptor, FIONREAD, &count) == 0 ? count : -1;
}

// O_PATH is a GNU extension; a descriptor that only holds a place.
static const int GH_O_PATH = 010000000;
_Static_assert(O_CLOEXEC == 02000000, "numbers of x86 and ARM");

// `d_type` is compared with macros that the importer drops.
static inline int gh_is_link(const struct dirent *entry) { return entry->d_type == 10 /* DT_LNK */; }
static inline int gh_is_folder_entry(const struct dirent *entry) { return entry->d_type == 4 /* DT_DIR */; }

// `poll` takes a mutable struct. Whether a pipe holds nothing and nobody will write to it again.
static inline int gh_has_ended(int descriptor) {
  struct pollfd entry = {.fd = descriptor, .events = POLLIN};
  return poll(&entry, 1, 0) > 0 && !(entry.revents & POLLIN) && (entry.revents & (POLLHUP | POLLERR));
}

// `splice` is a GNU extension. Never waits for the pipe. The kernel reads and writes `*position`, which
// may be in a file's memory: then it is right even when the process is killed meanwhile.
static inline ssize_t gh_splice_to_file(int pipe, int file, int64_t *position, size_t count) {
  return syscall(SYS_splice, pipe, (loff_t *)0, file, (loff_t *)position, count, 2U /* NONBLOCK */);
}
static inline ssize_t gh_splice_to_pipe(int from, int pipe, size_t count) {
  return syscall(SYS_splice, from, (loff_t *)0, pipe, (loff_t *)0, count, 2U /* NONBLOCK */);
}

// SIG_IGN is a cast.
static inline void gh_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

// `openat` and `fcntl` are variadic.
static inline int gh_open_at(int folder, const char *name, int flags, mode_t mode) {
  return openat(folder, name, flags | O_CLOEXEC, mode);
}
static inline int gh_duplicate(int descriptor, int least) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, least);
}
static inline void gh_close_on_exec(int descriptor) { fcntl(descriptor, F_SETFD, FD_CLOEXEC); }
static inline int gh_set_nonblocking(int descriptor) {
  return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

// memfd_create and its seals are GNU extensions.
static inline int gh_memory_file(const char *name) {
  return (int)syscall(SYS_memfd_create, name, 1U /* MFD_CLOEXEC */);
}

// Wait statuses are taken apart by macros.
static inline int gh_exited(int status) { return WIFEXITED(status); }
static inline int gh_exit_code(int status) { return WEXITSTATUS(status); }
static inline int gh_term_signal(int status) { return WTERMSIG(status); }

// `pidfd_open` has no wrapper before glibc 2.36. Its number is the same everywhere.
static inline int gh_open_process(pid_t process) { return (int)syscall(434L, process, 0U); }

// `ioctl` is variadic.
static inline int gh_resize_terminal(int terminal, uint16_t columns, uint16_t rows) {
  struct winsize size = {.ws_col = columns, .ws_row = rows};
  return ioctl(terminal, TIOCSWINSZ, &size);
}

// A signalfd for SIGCHLD, which is blocked in the calling thread. `sigset_t` is opaque to Swift.
static inline int gh_watch_children(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &signals, 0) != 0) return -1;
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

// A signalfd for the signals that ask a program to end, or to make way for its successor.
static inline int gh_watch_termination(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &signals, 0) != 0) return -1;
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

// The number of the next signal, or 0. `signalfd_siginfo` is 128 bytes of which one is wanted.
static inline int gh_next_signal(int watch) {
  struct signalfd_siginfo info;
  return read(watch, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

// Microseconds since 1970.
static inline int64_t gh_wall_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// Microseconds since the machine started, the time it slept included. No one sets it.
static inline int64_t gh_boot_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#define GH_MAX_PASSED 4

// One message with up to GH_MAX_PASSED descriptors. Control messages are made of macros.
static inline ssize_t gh_send(int socket, const void *bytes, size_t count, const int *descriptors,
                              int descriptor_count) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * GH_MAX_PASSED)];
  } control;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.room;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)descriptor_count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)descriptor_count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * (size_t)descriptor_count);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

// The next message; writes the descriptors that came with it, close-on-exec, and their number.
static inline ssize_t gh_receive(int socket, void *bytes, size_t room, int *descriptors,
                                 int *descriptor_count) {
  struct iovec part = {.iov_base = bytes, .iov_len = room};
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * GH_MAX_PASSED)];
  } control;
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.room,
                           .msg_controllen = sizeof control.room};
  *descriptor_count = 0;
  ssize_t count = recvmsg(socket, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
  if (count < 0) return count;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(descriptors, CMSG_DATA(header), passed * sizeof(int));
    *descriptor_count = (int)passed;
  }
  return count;
}

// A local socket's address, given by a path below 108 bytes.
static inline struct sockaddr_un gh_local_address(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  return address;
}

// `pipe2` is a GNU extension.
int pipe2(int *, int);
static inline int gh_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

// A terminal's primary side, and its peer without going through /dev/pts.
static inline int gh_open_terminal(void) {
  int primary = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  int unlocked = 0;
  if (primary >= 0 && ioctl(primary, TIOCSPTLCK, &unlocked) != 0) {
    close(primary);
    return -1;
  }
  return primary;
}
static inline int gh_open_terminal_peer(int primary) {
  return ioctl(primary, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

// `environ` is a mutable global, which Swift 6 refuses.
extern char **environ;
static inline char **gh_environment(void) { return environ; }

// accept4 is a GNU extension.
int accept4(int, struct sockaddr *, socklen_t *, int);
static inline int gh_accept_control(int listener) { return accept4(listener, 0, 0, SOCK_CLOEXEC); }

// MAP_FAILED is a cast.
static inline void *gh_map_shared(int file, size_t bytes) {
  void *memory = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  return memory == MAP_FAILED ? 0 : memory;
}
