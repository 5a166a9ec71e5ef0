#pragma once
// Between fork and exec only async-signal-safe C may run, so this step is not written in Swift;
// posix_spawn cannot do it, since it knows neither Landlock nor controlling terminals.
#include <sys/types.h>

struct gh_command {
  const char *const *candidates;  // paths to try in order, NULL at the end
  const char *const *arguments;   // argv, NULL at the end
  const char *const *environment; // NAME=value, NULL at the end
  int directory;                  // descriptor of the working directory
  int streams[3];                 // become 0, 1 and 2; each above 2
  int takes_terminal;             // stream 0 becomes the controlling terminal
  int ruleset;                    // Landlock ruleset, or -1
  unsigned long descriptor_limit; // soft RLIMIT_NOFILE
};

// What the child was doing when it failed.
enum gh_spawn_stage {
  GH_SPAWN_FORK = 1,
  GH_SPAWN_PREPARE = 2,   // session, streams, terminal
  GH_SPAWN_DIRECTORY = 3, // the working directory
  GH_SPAWN_CONFINE = 4,   // no_new_privs, Landlock
  GH_SPAWN_EXECUTE = 5,   // `candidate` could not be executed
};

struct gh_spawn_failure {
  int stage;
  int code;      // errno
  int candidate; // index of the one that `code` is about
};

// Starts a command in a session of its own, with default signals, no_new_privs, and only its
// three streams open. It dies with the calling thread.
//
// Returns its process id once it executes, or -1 with `failure` filled in.
pid_t gh_spawn_command(const struct gh_command *command, struct gh_spawn_failure *failure);

// Starts a program of ours with posix_spawn: a session of its own, default signals, no
// environment; `sources[i]` becomes descriptor i, and nothing else is open. Returns 0 or an errno.
int gh_start_program(pid_t *process, const char *path, const char *const *arguments,
                     const int *sources, int count);

// What this program was started with: its own name first, NULL at the end. Swift's `CommandLine`
// reads `/proc/self/cmdline`, and so knows nothing where `/proc` is not mounted.
char *const *gh_program_arguments(void);

// Lets go of the program's own code and constants; what is needed again comes back from the file,
// without reading it anew. Nothing is lost: these pages cannot be written to.
void gh_forget_program_pages(void);
