// The calls that open files and change their names.
#include "power_cut.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALIAS(name) __attribute__((alias(#name)))
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// MARK: Opening

// Opens a file that is in the watched folder, or will be.
static int open_watched(int folder, const char *path, const char *place, int flags, mode_t mode) {
    struct stat status;
    bool cuts = flags & O_TRUNC;
    // A file opened only for writing is opened for reading too, so that the bytes that a write replaces can be read.
    if ((flags & O_ACCMODE) == O_WRONLY) flags = (flags & ~O_ACCMODE) | O_RDWR;
    lock();
    if (flags & O_CREAT && lstat(place, &status)) append_names(place, NULL);
    int file = (int)syscall(SYS_openat, folder, path, flags & ~O_TRUNC, mode);
    if (file >= 0 && cuts && !fstat(file, &status) && S_ISREG(status.st_mode) && status.st_size > 0) {
        append_resize(file, &status, 0);
        syscall(SYS_ftruncate, file, 0);
    }
    forget(file);
    unlock();
    return file;
}

static int open_any(int folder, const char *path, int flags, mode_t mode) {
    char place[PATH_MAX];
    bool changes = flags & (O_CREAT | O_TRUNC) || (flags & O_ACCMODE) != O_RDONLY;
    if (changes && !(flags & O_DIRECTORY) && locate(folder, path, place))
        return open_watched(folder, path, place, flags, mode);
    int file = (int)syscall(SYS_openat, folder, path, flags, mode);
    forget(file);
    return file;
}

// The mode that follows the flags, if one does.
#define MODE(flags)                                                                                                    \
    ({                                                                                                                 \
        mode_t mode = 0;                                                                                               \
        if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) {                                                 \
            va_list rest;                                                                                              \
            va_start(rest, flags);                                                                                     \
            mode = va_arg(rest, mode_t);                                                                               \
            va_end(rest);                                                                                              \
        }                                                                                                              \
        mode;                                                                                                          \
    })

int open(const char *path, int flags, ...) { return open_any(AT_FDCWD, path, flags, MODE(flags)); }
int open64(const char *path, int flags, ...) ALIAS(open);
int openat(int folder, const char *path, int flags, ...) { return open_any(folder, path, flags, MODE(flags)); }
int openat64(int folder, const char *path, int flags, ...) ALIAS(openat);

// What a program that was built with _FORTIFY_SOURCE calls.
int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) ALIAS(__open_2);
int __openat_2(int folder, const char *path, int flags) { return open_any(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) ALIAS(__openat_2);

int creat(const char *path, mode_t mode) { return open_any(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) ALIAS(creat);

// MARK: Descriptors

int close(int file) {
    forget(file);
    return (int)syscall(SYS_close, file);
}

int close_range(unsigned first, unsigned last, int flags) {
    for (unsigned file = first; file <= last && file < 1 << 16; file++) forget((int)file);
    return (int)syscall(SYS_close_range, first, last, flags);
}

int dup3(int file, int copy, int flags) {
    int result = (int)syscall(SYS_dup3, file, copy, flags);
    forget(result);
    return result;
}

int dup2(int file, int copy) {
    if (file != copy) return dup3(file, copy, 0);
    return fcntl(file, F_GETFD) < 0 ? -1 : copy;
}

// MARK: Names

int unlinkat(int folder, const char *path, int flags) {
    char place[PATH_MAX];
    if (!locate(folder, path, place)) return (int)syscall(SYS_unlinkat, folder, path, flags);
    lock();
    append_names(place, NULL);
    int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    unlock();
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char *path) {
    int result = unlink(path);
    return result && errno == EISDIR ? rmdir(path) : result;
}

int renameat2(int folder, const char *path, int new_folder, const char *new_path, unsigned flags) {
    char from[PATH_MAX], to[PATH_MAX];
    struct stat status;
    bool is_from = locate(folder, path, from), is_to = locate(new_folder, new_path, to);
    if (!is_from && !is_to) return (int)syscall(SYS_renameat2, folder, path, new_folder, new_path, flags);
    lock();
    if (!is_from || !is_to || flags & ~RENAME_NOREPLACE || (!lstat(from, &status) && S_ISDIR(status.st_mode)))
        complain("rename");
    else append_names(from, to);
    int result = (int)syscall(SYS_renameat2, folder, path, new_folder, new_path, flags);
    unlock();
    return result;
}
int renameat(int folder, const char *path, int new_folder, const char *new_path) {
    return renameat2(folder, path, new_folder, new_path, 0);
}
int rename(const char *path, const char *new_path) { return renameat2(AT_FDCWD, path, AT_FDCWD, new_path, 0); }

int linkat(int folder, const char *path, int new_folder, const char *new_path, int flags) {
    char place[PATH_MAX];
    if (!locate(new_folder, new_path, place))
        return (int)syscall(SYS_linkat, folder, path, new_folder, new_path, flags);
    lock();
    append_names(place, NULL);
    int result = (int)syscall(SYS_linkat, folder, path, new_folder, new_path, flags);
    unlock();
    return result;
}
int link(const char *path, const char *new_path) { return linkat(AT_FDCWD, path, AT_FDCWD, new_path, 0); }

int mkdirat(int folder, const char *path, mode_t mode) {
    char place[PATH_MAX];
    if (!locate(folder, path, place)) return (int)syscall(SYS_mkdirat, folder, path, mode);
    lock();
    append_names(place, NULL);
    int result = (int)syscall(SYS_mkdirat, folder, path, mode);
    unlock();
    return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

// MARK: Calls that are not modeled

// Complains if a path is watched.
static void refuse(const char *path, const char *call) {
    char place[PATH_MAX];
    if (!locate(AT_FDCWD, path, place)) return;
    lock();
    complain(call);
    unlock();
}

int symlinkat(const char *target, int folder, const char *path) {
    char place[PATH_MAX];
    if (locate(folder, path, place)) refuse(place, "symlink");
    return (int)syscall(SYS_symlinkat, target, folder, path);
}
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

int truncate(const char *path, off_t size) {
    refuse(path, "truncate");
    return (int)syscall(SYS_truncate, path, size);
}
int truncate64(const char *path, off64_t size) ALIAS(truncate);

FILE *fopen(const char *path, const char *mode) {
    if (strpbrk(mode, "wa+")) refuse(path, "fopen");
    return NEXT(fopen)(path, mode);
}
FILE *fopen64(const char *path, const char *mode) ALIAS(fopen);

int mkostemp(char *path, int flags) {
    refuse(path, "mkstemp");
    return NEXT(mkostemp)(path, flags);
}
int mkostemp64(char *path, int flags) ALIAS(mkostemp);
int mkstemp(char *path) { return mkostemp(path, 0); }
int mkstemp64(char *path) ALIAS(mkstemp);
