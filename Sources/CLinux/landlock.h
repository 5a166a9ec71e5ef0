#pragma once
// Landlock: glibc has no wrappers, and <linux/landlock.h> ends at ABI 1 in Ubuntu 22.04, at 2 in
// Debian 12. Numbers from that header in Linux 6.18; a kernel accepts a longer structure whose tail is
// zero.
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// The importer does not evaluate casts in macros.
static const uint64_t GH_LANDLOCK_FS_REFER = UINT64_C(1) << 13; // ABI 2
static const uint64_t GH_LANDLOCK_FS_TRUNCATE = UINT64_C(1) << 14; // ABI 3
static const uint64_t GH_LANDLOCK_FS_IOCTL_DEV = UINT64_C(1) << 15; // ABI 5
static const uint64_t GH_LANDLOCK_SCOPE_ABSTRACT_SOCKETS = UINT64_C(1) << 0; // ABI 6
static const uint64_t GH_LANDLOCK_SCOPE_SIGNALS = UINT64_C(1) << 1; // ABI 6

// The kernel's ABI, or -1 where it has no Landlock or does not use it.
static inline int gh_landlock_abi(void) {
  return (int)syscall(SYS_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static inline int gh_landlock_create(uint64_t filesystem, uint64_t scopes) {
  struct {
    uint64_t handled_access_fs, handled_access_net, scoped;
  } attributes = {.handled_access_fs = filesystem, .scoped = scopes};
  return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}

static inline int gh_landlock_allow(int ruleset, int beneath, uint64_t rights) {
  struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = beneath};
  return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}
