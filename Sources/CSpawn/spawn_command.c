#define _GNU_SOURCE
#include "spawn_command.h"
#include "filter_syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(int report, int stage, int code, int candidate) {
  struct gh_spawn_failure failure = {stage, code, candidate};
  (void)!write(report, &failure, sizeof failure);
  _exit(127);
}

// A handler is forgotten by exec anyway; what is ignored or blocked would be inherited. Asked of
// the kernel, since glibc hides signals 32 and 33, and its posix_spawn leaves them ignored.
static void reset_signals(void) {
  const struct {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
  } action = {.handler = SIG_DFL};
  for (int number = 1; number <= 64; number++)
    syscall(SYS_rt_sigaction, number, &action, 0, sizeof action.mask);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
}

// The daemon raised its own; the hard limit stays, so that the command may do the same.
static void limit_descriptors(unsigned long soft) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || soft > limit.rlim_max) return;
  limit.rlim_cur = soft;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(const struct gh_command *command, pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -1;
  if (getppid() != parent) _exit(127); // it died before the line above
  if (setsid() < 0) return -1;
  for (int stream = 0; stream < 3; stream++)
    if (dup2(command->streams[stream], stream) < 0) return -1;
  if (command->takes_terminal && ioctl(0, TIOCSCTTY, 0) != 0) return -1;
  reset_signals();
  limit_descriptors(command->descriptor_limit);
  // All of ours are close-on-exec already; this covers what a library opened otherwise.
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  return 0;
}

// What root's exec leaves to its commands: to act on files and accounts as root, as installers and
// test suites do. All else looks into other processes, disks or the kernel, or stops the machine or
// its network. CAP_PERFMON alone reads /proc/PID/environ past Landlock (Linux 6.18).
static int is_left_to_root(int capability) {
  switch (capability) {
    case CAP_CHOWN: case CAP_DAC_OVERRIDE: case CAP_FOWNER: case CAP_FSETID: case CAP_KILL:
    case CAP_SETGID: case CAP_SETUID: case CAP_SETPCAP: case CAP_SETFCAP:
    case CAP_NET_BIND_SERVICE: case CAP_SYS_CHROOT: case CAP_AUDIT_WRITE: return 1;
    default: return 0;
  }
}

// The kernel may know more than our headers: it says EINVAL after its last one. Ordinary accounts have
// none, and may not drop any: then there is nothing to do.
static void drop_capabilities(void) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
    if (!is_left_to_root(capability)) (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

// Root's exec grants what is inheritable besides what the bounding set leaves (capabilities(7)):
// some container runtimes start us with such a set, and it would bring back what was dropped.
static int clear_inheritable(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, sets) != 0) return -1;
  for (size_t index = 0; index < sizeof sets / sizeof *sets; index++) sets[index].inheritable = 0;
  if (syscall(SYS_capset, &header, sets) != 0) return -1;
  // Ambient ones fall with the inheritable; said again, since kernels before 4.3 have none.
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return 0;
}

static int confine(int ruleset) {
  drop_capabilities();
  if (clear_inheritable() != 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  if (ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) return -1;
  // Who asked for no sandbox gets what the kernel has.
  return gh_filter_syscalls() == 0 || ruleset < 0 ? 0 : -1;
}

// Tries each candidate, as execvp does; a denial is remembered over later absences.
static void execute(const struct gh_command *command, int report) {
  int code = ENOENT, candidate = 0;
  for (int index = 0; command->candidates[index]; index++) {
    execve(command->candidates[index], (char *const *)command->arguments,
           (char *const *)command->environment);
    if (errno == ENOENT || errno == ENOTDIR) continue;
    code = errno;
    candidate = index;
    if (errno != EACCES) break;
  }
  fail(report, GH_SPAWN_EXECUTE, code, candidate);
}

static void run_child(const struct gh_command *command, pid_t parent, int report) {
  if (prepare(command, parent) != 0) fail(report, GH_SPAWN_PREPARE, errno, 0);
  if (fchdir(command->directory) != 0) fail(report, GH_SPAWN_DIRECTORY, errno, 0);
  if (confine(command->ruleset) != 0) fail(report, GH_SPAWN_CONFINE, errno, 0);
  execute(command, report);
}

pid_t gh_spawn_command(const struct gh_command *command, struct gh_spawn_failure *failure) {
  int report[2];
  pid_t parent = getpid();
  if (pipe2(report, O_CLOEXEC) != 0) {
    *failure = (struct gh_spawn_failure){GH_SPAWN_FORK, errno, 0};
    return -1;
  }
  pid_t child = fork();
  if (child < 0) {
    *failure = (struct gh_spawn_failure){GH_SPAWN_FORK, errno, 0};
    close(report[0]);
    close(report[1]);
    return -1;
  }
  if (child == 0) run_child(command, parent, report[1]);
  close(report[1]);
  ssize_t count;
  do count = read(report[0], failure, sizeof *failure);
  while (count < 0 && errno == EINTR);
  close(report[0]);
  if (count != (ssize_t)sizeof *failure) return child; // exec closed the pipe
  while (waitpid(child, 0, 0) < 0 && errno == EINTR) {
  }
  return -1;
}
