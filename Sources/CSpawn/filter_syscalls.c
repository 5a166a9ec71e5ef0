#define _GNU_SOURCE
#include "filter_syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the low half of an argument is read at its beginning"
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
// The number of lines to leave out when it is so, and when not.
#define IF(operation, value, so, not) BPF_JUMP(BPF_JMP | BPF_##operation | BPF_K, value, so, not)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(code) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (code))

// A call whose first argument is a process: only 0, the caller.
#define OWN_PROCESS_LINES 5
#define OWN_PROCESS(number)                                                                        \
  IF(JEQ, number, 0, OWN_PROCESS_LINES - 1), LOAD(args[0]), IF(JEQ, 0, 0, 1), ALLOW, REFUSE(EPERM)

// A call about a process, a group or all of a user, then which: only 0, the caller or its group.
#define OWN_GROUP_LINES 7
#define OWN_GROUP(number, user)                                                                    \
  IF(JEQ, number, 0, OWN_GROUP_LINES - 1), LOAD(args[0]), IF(JEQ, user, 2, 0), LOAD(args[1]),      \
      IF(JEQ, 0, 1, 0), REFUSE(EPERM), ALLOW
#define IOPRIO_WHO_USER 3 // not in the C library's headers

// One ABI, from the loading of the call's number to the end.
#define RULES_LINES (2 + 5 * OWN_PROCESS_LINES + 2 * OWN_GROUP_LINES)
#define RULES(prlimit, setaffinity, setscheduler, setparam, setattr, setpriority, ioprio)          \
  LOAD(nr), OWN_PROCESS(prlimit), OWN_PROCESS(setaffinity), OWN_PROCESS(setscheduler),             \
      OWN_PROCESS(setparam), OWN_PROCESS(setattr), OWN_GROUP(setpriority, PRIO_USER),              \
      OWN_GROUP(ioprio, IOPRIO_WHO_USER), ALLOW

#define NATIVE_RULES                                                                               \
  RULES(SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam,          \
        SYS_sched_setattr, SYS_setpriority, SYS_ioprio_set)

// A kernel runs programs of other ABIs too, with numbers of their own; of an ABI that is not here it
// runs none.
static const struct sock_filter program[] = {
    LOAD(arch),
#if defined(__x86_64__)
    // arch/x86/entry/syscalls/syscall_32.tbl
    IF(JEQ, AUDIT_ARCH_I386, 0, RULES_LINES),
    RULES(340, 241, 156, 154, 351, 97, 289),
    IF(JEQ, AUDIT_ARCH_X86_64, 1, 0),
    REFUSE(ENOSYS),
    // x32: the same architecture, and this bit in the number.
    LOAD(nr),
    IF(JGE, 0x40000000, 0, 1),
    REFUSE(ENOSYS),
    NATIVE_RULES,
#elif defined(__aarch64__)
    // arch/arm/tools/syscall.tbl
    IF(JEQ, AUDIT_ARCH_ARM, 0, RULES_LINES),
    RULES(369, 241, 156, 154, 380, 97, 314),
    IF(JEQ, AUDIT_ARCH_AARCH64, 1, 0),
    REFUSE(ENOSYS),
    NATIVE_RULES,
#else
#error "the ABIs of this architecture are not known"
#endif
};

int gh_filter_syscalls(void) {
  const struct sock_fprog filter = {sizeof program / sizeof *program,
                                    (struct sock_filter *)program};
  // The filter keeps nobody from reading memory: older kernels would slow the command down for that.
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter);
  if (result != 0 && errno == EINVAL) // a kernel before 4.17 knows no such flag
    result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
  return (int)result;
}
