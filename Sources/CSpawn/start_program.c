#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>

#include "spawn_command.h"

static int describe(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                    const int *sources, int count) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  int code = posix_spawnattr_setsigdefault(attributes, &all);
  if (code == 0) code = posix_spawnattr_setsigmask(attributes, &none);
  if (code == 0)
    code = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  for (int target = 0; code == 0 && target < count; target++)
    code = posix_spawn_file_actions_adddup2(actions, sources[target], target);
  if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(actions, count);
  return code;
}

int gh_start_program(pid_t *process, const char *path, const char *const *arguments,
                     const int *sources, int count) {
  char *const environment[] = {0};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int code = posix_spawn_file_actions_init(&actions);
  if (code != 0) return code;
  code = posix_spawnattr_init(&attributes);
  if (code == 0) {
    code = describe(&actions, &attributes, sources, count);
    if (code == 0)
      code = posix_spawn(process, path, &actions, &attributes, (char *const *)arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return code;
}
