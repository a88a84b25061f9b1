// Does to files what its arguments say, and then kills itself with SIGKILL. Tests run it under the library.
//
//   writer FOLDER STEP...
//
// FOLDER becomes the working directory. `open`, `cut` and `dsync` open a file, for the steps that follow.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int file = -1;

static void open_file(const char *name, int flags) {
    if (file >= 0) close(file);
    file = open(name, flags | O_CREAT | O_CLOEXEC, 0600);
}

// Fills a range with one letter: `write=OFFSET,LENGTH,LETTER`. The calls take turns.
static int fill(const char *text) {
    static int turn;
    long offset, length;
    char letter;
    if (sscanf(text, "%ld,%ld,%c", &offset, &length, &letter) != 3) return -1;
    char *bytes = memset(malloc((size_t)length), letter, (size_t)length);
    struct iovec halves[] = {{bytes, (size_t)length / 2}, {bytes + length / 2, (size_t)(length - length / 2)}};
    ssize_t written = -1;
    switch (turn++ % 4) {
        case 0: written = pwrite(file, bytes, (size_t)length, offset); break;
        case 1: written = pwritev(file, halves, 2, offset); break;
        case 2: written = lseek(file, offset, SEEK_SET) < 0 ? -1 : write(file, bytes, (size_t)length); break;
        case 3: written = lseek(file, offset, SEEK_SET) < 0 ? -1 : writev(file, halves, 2); break;
    }
    free(bytes);
    return written == length ? 0 : -1;
}

static int sync_folder(const char *name) {
    int folder = open(name, O_RDONLY | O_DIRECTORY);
    int result = fsync(folder);
    close(folder);
    return result;
}

static int map(void) {
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) == MAP_FAILED ? -1 : 0;
}

static int perform(const char *step, char *value) {
    char *second = strchr(value, ',');
    if (!strcmp(step, "open")) return open_file(value, O_RDWR), file < 0 ? -1 : 0;
    if (!strcmp(step, "cut")) return open_file(value, O_WRONLY | O_TRUNC), file < 0 ? -1 : 0;
    if (!strcmp(step, "dsync")) return open_file(value, O_RDWR | O_DSYNC), file < 0 ? -1 : 0;
    if (!strcmp(step, "write")) return fill(value);
    if (!strcmp(step, "size")) return ftruncate(file, atol(value));
    if (!strcmp(step, "fsync")) return fsync(file);
    if (!strcmp(step, "fdatasync")) return fdatasync(file);
    if (!strcmp(step, "sync-folder")) return sync_folder(value);
    if (!strcmp(step, "remove")) return unlink(value);
    if (!strcmp(step, "folder")) return mkdir(value, 0700);
    if (!strcmp(step, "map")) return map();
    if (!strcmp(step, "stdio")) return fopen(value, "w") ? 0 : -1;
    if (strcmp(step, "rename") || !second) return errno = EINVAL, -1;
    *second = 0;
    return rename(value, second + 1);
}

int main(int count, char **steps) {
    if (count < 2 || chdir(steps[1])) return perror("writer"), 1;
    for (int index = 2; index < count; index++) {
        char *value = strchr(steps[index], '=');
        if (value) *value++ = 0;
        if (perform(steps[index], value ? value : "")) return perror(steps[index]), 1;
    }
    raise(SIGKILL);
    return 1;
}
