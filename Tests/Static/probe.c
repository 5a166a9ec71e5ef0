// What the workspace's commands do: a root folder without libraries has no other program.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char **words) {
  if (count > 2 && strcmp(words[1], "say") == 0) return puts(words[2]) < 0;
  if (count > 2 && strcmp(words[1], "leave") == 0) return words[2][0] - '0';
  // Waits for ever, with a child that left the session and does so too.
  if (fork() == 0) setsid();
  for (;;) pause();
}
