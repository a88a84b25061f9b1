// The calls that change the content of files, and those that make changes safe.
#include "power_cut.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ALIAS(name) __attribute__((alias(#name)))

static bool watches_file(int descriptor, struct stat *status) {
    return watches(descriptor, status) && S_ISREG(status->st_mode);
}

// MARK: Writes

// Writes to a watched file, at its position if `offset` is -1.
static ssize_t change(int file, const struct iovec *slices, int count, int64_t offset, int flags) {
    struct stat status;
    int64_t length = 0;
    for (int index = 0; index < count; index++) length += (int64_t)slices[index].iov_len;
    lock();
    fstat(file, &status);
    int modes = fcntl(file, F_GETFL);
    int64_t start = offset >= 0 ? offset : lseek(file, 0, SEEK_CUR);
    // On Linux, a positioned write to such a file appends as well.
    if (modes & O_APPEND) start = status.st_size;
    append_write(file, &status, start, length);
    ssize_t written = syscall(SYS_pwritev2, file, slices, count, offset, 0, flags);
    int error = errno;
    // O_SYNC includes O_DSYNC.
    if (written > 0 && !ignores_syncs && (modes & O_DSYNC || flags & (RWF_SYNC | RWF_DSYNC)))
        append(
            (struct record){
                .kind = RECORD_SYNC, .file = status.st_ino, .offset = start, .length = written, .through = log_end()},
            NULL, 0);
    unlock();
    errno = error;
    return written;
}

ssize_t write(int file, const void *bytes, size_t count) {
    struct stat status;
    if (!watches_file(file, &status)) return syscall(SYS_write, file, bytes, count);
    return change(file, &(struct iovec){(void *)bytes, count}, 1, -1, 0);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    struct stat status;
    if (offset < 0 || !watches_file(file, &status)) return syscall(SYS_pwrite64, file, bytes, count, offset);
    return change(file, &(struct iovec){(void *)bytes, count}, 1, offset, 0);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) ALIAS(pwrite);

ssize_t writev(int file, const struct iovec *slices, int count) {
    struct stat status;
    if (!watches_file(file, &status)) return syscall(SYS_writev, file, slices, count);
    return change(file, slices, count, -1, 0);
}

ssize_t pwritev2(int file, const struct iovec *slices, int count, off_t offset, int flags) {
    struct stat status;
    if (offset < -1 || !watches_file(file, &status))
        return syscall(SYS_pwritev2, file, slices, count, offset, 0, flags);
    return change(file, slices, count, offset, flags);
}
ssize_t pwritev64v2(int file, const struct iovec *slices, int count, off64_t offset, int flags) ALIAS(pwritev2);

ssize_t pwritev(int file, const struct iovec *slices, int count, off_t offset) {
    struct stat status;
    if (offset < 0 || !watches_file(file, &status)) return syscall(SYS_pwritev, file, slices, count, offset, 0);
    return change(file, slices, count, offset, 0);
}
ssize_t pwritev64(int file, const struct iovec *slices, int count, off64_t offset) ALIAS(pwritev);

// MARK: Sizes

int ftruncate(int file, off_t size) {
    struct stat status;
    if (size < 0 || !watches_file(file, &status)) return (int)syscall(SYS_ftruncate, file, size);
    lock();
    fstat(file, &status);
    append_resize(file, &status, size);
    int result = (int)syscall(SYS_ftruncate, file, size);
    unlock();
    return result;
}
int ftruncate64(int file, off64_t size) ALIAS(ftruncate);

int fallocate(int file, int mode, off_t offset, off_t length) {
    struct stat status;
    if (offset < 0 || length <= 0 || !watches_file(file, &status))
        return (int)syscall(SYS_fallocate, file, mode, offset, length);
    lock();
    fstat(file, &status);
    bool keeps_size = mode & FALLOC_FL_KEEP_SIZE;
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) complain("fallocate");
    else if (mode & ~FALLOC_FL_KEEP_SIZE) append_write(file, &status, offset, length);
    else if (!keeps_size && offset + length > status.st_size) append_resize(file, &status, offset + length);
    int result = (int)syscall(SYS_fallocate, file, mode, offset, length);
    unlock();
    return result;
}
int fallocate64(int file, int mode, off64_t offset, off64_t length) ALIAS(fallocate);

int posix_fallocate(int file, off_t offset, off_t length) {
    int error = errno, result = fallocate(file, 0, offset, length) ? errno : 0;
    errno = error;
    return result;
}
int posix_fallocate64(int file, off64_t offset, off64_t length) ALIAS(posix_fallocate);

// MARK: Syncs

// Begins a sync. Changes from the returned position of the log on may become safe too, or not.
static int64_t begin_sync(void) {
    lock();
    int64_t through = log_end();
    unlock();
    struct timespec delay = {sync_delay / 1000000, sync_delay % 1000000 * 1000};
    if (sync_delay) nanosleep(&delay, NULL);
    return through;
}

static int make_safe(int file, long call) {
    struct stat status;
    if (!watches(file, &status)) return (int)syscall(call, file);
    if (ignores_syncs) return 0;
    int64_t through = begin_sync();
    int result = (int)syscall(call, file);
    if (result) return result;
    char place[4096], link[64];
    lock();
    if (S_ISREG(status.st_mode)) {
        append(
            (struct record){.kind = RECORD_SYNC, .file = status.st_ino, .length = -1, .through = through}, NULL, 0);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        ssize_t count = readlink(link, place, sizeof place);
        if (count > 0)
            append((struct record){.kind = RECORD_FOLDER_SYNC, .through = through}, place, (size_t)count);
    }
    unlock();
    return 0;
}

int fsync(int file) { return make_safe(file, SYS_fsync); }
int fdatasync(int file) { return make_safe(file, SYS_fdatasync); }

int syncfs(int file) {
    struct stat status;
    if (!watches(file, &status)) return (int)syscall(SYS_syncfs, file);
    if (ignores_syncs) return 0;
    int64_t through = begin_sync();
    int result = (int)syscall(SYS_syncfs, file);
    if (result) return result;
    lock();
    append((struct record){.kind = RECORD_FULL_SYNC, .through = through}, NULL, 0);
    unlock();
    return 0;
}

// MARK: Calls that are not modeled

// Complains if a descriptor is watched.
static void refuse(int file, const char *call) {
    struct stat status;
    if (!watches_file(file, &status)) return;
    lock();
    complain(call);
    unlock();
}

void *mmap(void *address, size_t length, int protection, int flags, int file, off_t offset) {
    if (file >= 0 && flags & MAP_SHARED && protection & PROT_WRITE) refuse(file, "mmap");
    return (void *)syscall(SYS_mmap, address, length, protection, flags, file, offset);
}
void *mmap64(void *address, size_t length, int protection, int flags, int file, off64_t offset) ALIAS(mmap);

ssize_t sendfile(int target, int source, off_t *offset, size_t count) {
    refuse(target, "sendfile");
    return syscall(SYS_sendfile, target, source, offset, count);
}
ssize_t sendfile64(int target, int source, off64_t *offset, size_t count) ALIAS(sendfile);

ssize_t copy_file_range(int source, off64_t *from, int target, off64_t *to, size_t count, unsigned flags) {
    refuse(target, "copy_file_range");
    return syscall(SYS_copy_file_range, source, from, target, to, count, flags);
}
