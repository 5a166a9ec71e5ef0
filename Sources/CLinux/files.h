#pragma once
// Files below a root, for `Sandbox`: what is variadic, or has no wrapper in glibc.
#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

// O_PATH is a GNU extension, hidden from the importer: a descriptor that only holds a place.
#define GH_PLACE 010000000
_Static_assert(O_CLOEXEC == 02000000, "numbers of x86 and ARM");

static inline int gh_open_root(const char *path) {
  return open(path, GH_PLACE | O_DIRECTORY | O_CLOEXEC);
}

// `openat2` has no wrapper. The path cannot leave `root`, whatever links it meets.
static inline int gh_open_beneath(int root, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// A place by its absolute path, with no symbolic link on the way to it nor at its end.
static inline int gh_hold_without_links(const char *path) {
  struct open_how how = {.flags = GH_PLACE | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

// The same without opening: no permission on the file is needed and no device notices.
static inline int gh_hold_beneath(int root, const char *path, int flags) {
  return gh_open_beneath(root, path, flags | GH_PLACE);
}

// A new file, for writing. `openat` is variadic.
static inline int gh_create_at(int folder, const char *name, mode_t mode) {
  return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
}

// `renameat2` is a GNU extension. Fails with EEXIST instead of replacing.
static inline int gh_rename_new(int folder, const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, folder, from, folder, to, 1U /* RENAME_NOREPLACE */);
}

// The clock that files' times are taken from, which goes on in steps of some milliseconds. In nanoseconds
// since 1970.
static inline int64_t gh_file_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

// Sleeps for less than a second. `timespec` would be the caller's to make, twice.
static inline void gh_sleep_microseconds(uint32_t microseconds) {
  struct timespec time = {.tv_sec = 0, .tv_nsec = (long)(microseconds % 1000000) * 1000};
  nanosleep(&time, NULL);
}

// The kinds of file are told by macros.
static inline int gh_is_regular(mode_t mode) { return S_ISREG(mode); }
static inline int gh_is_folder(mode_t mode) { return S_ISDIR(mode); }
static inline int gh_is_symlink(mode_t mode) { return S_ISLNK(mode); }
