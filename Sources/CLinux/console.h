#pragma once
// What a command line program asks of its terminal.
#include <sys/ioctl.h>
#include <termios.h>

// `ioctl` is variadic. Gives the size of a terminal in character cells; -1 with errno.
static inline int gh_terminal_size(int terminal, uint16_t *columns, uint16_t *rows) {
  struct winsize size;
  if (ioctl(terminal, TIOCGWINSZ, &size) != 0) return -1;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 0;
}
