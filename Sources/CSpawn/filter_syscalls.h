#pragma once
// Keeps the calling process, and all that it starts, from changing what other processes of its
// account may use: limits (prlimit(2)), processors and scheduling (sched_setaffinity(2) and its like),
// priorities (setpriority(2), ioprio_set(2)). The kernel asks for the same account only, and Landlock
// has no say; a supervisor or a plane that is left without descriptors ends. Each may still change its
// own, as a program that was given limits by its shell expects; a pid or thread id other than 0, even
// its own, is refused with EPERM.
//
// Needs no_new_privs or CAP_SYS_ADMIN. Returns 0, or -1 with errno.
int gh_filter_syscalls(void);
