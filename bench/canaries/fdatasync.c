/* The limit of a durable append: write to an open file, fdatasync, again.
 * Usage: fdatasync FILE COUNT BYTES grow|overwrite. Prints one latency in nanoseconds per line.
 * A file that grows makes the file system write its own journal too; overwriting costs the disk's flush alone. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  int count = atoi(argv[2]);
  size_t bytes = strtoul(argv[3], NULL, 10);
  char *body = malloc(bytes);
  long long *took = malloc(sizeof(long long) * count);
  int file = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY, 0600);
  if (!body || !took || file < 0) return 1;
  memset(body, 'x', bytes);
  if (strcmp(argv[4], "overwrite") == 0) {
    for (int i = 0; i < count; i++) {
      if (pwrite(file, body, bytes, (off_t)i * bytes) != (ssize_t)bytes) return 1;
    }
    if (fsync(file) != 0) return 1;
  }
  for (int i = 0; i < count; i++) {
    long long began = now();
    if (pwrite(file, body, bytes, (off_t)i * bytes) != (ssize_t)bytes) return 1;
    if (fdatasync(file) != 0) return 1;
    took[i] = now() - began;
  }
  for (int i = 0; i < count; i++) printf("%lld\n", took[i]);
  return 0;
}
