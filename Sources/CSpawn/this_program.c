#define _GNU_SOURCE
#include "spawn_command.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static char *const *words = (char *const[]){0};

// glibc hands main's arguments to constructors as well, in static programs too.
__attribute__((constructor)) static void remember(int count, char **arguments) {
  if (count > 0) words = arguments;
}

char *const *gh_program_arguments(void) { return words; }

extern const char __executable_start, etext;

void gh_forget_program_pages(void) {
  uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t start = ((uintptr_t)&__executable_start + size - 1) & ~(size - 1);
  uintptr_t end = (uintptr_t)&etext & ~(size - 1);
  if (start < end) madvise((void *)start, end - start, MADV_DONTNEED);
}
