// The undo log, and which files belong to the watched folder.
#include "power_cut.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

char watched_folder[PATH_MAX];
char log_folder[PATH_MAX];
bool ignores_syncs;
long sync_delay;

static int undo_log = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

// What is known about each descriptor: nothing, that it is not watched, or the inode number of what is.
enum { UNKNOWN = 0, UNWATCHED = 1, MOST_DESCRIPTORS = 1 << 16 };
static _Atomic uint64_t meanings[MOST_DESCRIPTORS];

static _Noreturn void give_up(const char *what) {
    dprintf(STDERR_FILENO, "power cut: %s: %s\n", what, strerror(errno));
    abort();
}

// Where the last whole record ends. A SIGKILL may have cut the one after it.
static int64_t end_of_records(void) {
    struct stat status;
    struct record record;
    int64_t end = 0;
    if (fstat(undo_log, &status)) give_up("fstat");
    while (pread(undo_log, &record, sizeof record, end) == sizeof record && end + (int64_t)record.size <= status.st_size)
        end += (int64_t)record.size;
    return end;
}

static void prepare(void) {
    const char *folder = getenv("POWER_CUT_FOLDER"), *log = getenv("POWER_CUT_LOG");
    char path[PATH_MAX + 8];
    if (!folder || !log) return;
    if (!realpath(folder, watched_folder) || !realpath(log, log_folder)) give_up("the folders");
    const char *delay = getenv("POWER_CUT_SYNC_DELAY");
    sync_delay = delay ? atol(delay) : 0;
    ignores_syncs = getenv("POWER_CUT_IGNORES_SYNCS") != NULL;
    snprintf(path, sizeof path, "%s/log", log_folder);
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) give_up(path);
    // Out of the way of programs that count on low numbers.
    undo_log = fcntl(file, F_DUPFD_CLOEXEC, 500);
    if (undo_log < 0) undo_log = file;
    else syscall(SYS_close, file);
    if (syscall(SYS_ftruncate, undo_log, end_of_records())) give_up("ftruncate");
}

// Other libraries may open files before this one is initialized; then they come through `locate` or `watches`.
__attribute__((constructor)) static void start(void) { pthread_once(&once, prepare); }

void lock(void) { pthread_mutex_lock(&mutex); }
void unlock(void) { pthread_mutex_unlock(&mutex); }

// MARK: What is watched

static bool is_watched(const char *path) {
    size_t count = strlen(watched_folder), length = strlen(path);
    if (!count || strncmp(path, watched_folder, count) || (path[count] && path[count] != '/')) return false;
    return length < 4 || strcmp(path + length - 4, "-shm");
}

// Reads the path of what a descriptor has open.
static bool read_path(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, PATH_MAX - 1);
    if (count > 0) path[count] = 0;
    return count > 0;
}

bool watches(int descriptor, struct stat *status) {
    char path[PATH_MAX];
    bool is_small = descriptor >= 0 && descriptor < MOST_DESCRIPTORS;
    uint64_t meaning = is_small ? atomic_load_explicit(&meanings[descriptor], memory_order_relaxed) : UNKNOWN;
    if (meaning == UNWATCHED) return false;
    int error = errno;
    start();
    bool is_watching = watched_folder[0] && descriptor != undo_log && !fstat(descriptor, status)
        && (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))
        && (status->st_ino == meaning || (read_path(descriptor, path) && is_watched(path)));
    if (is_small)
        atomic_store_explicit(
            &meanings[descriptor], is_watching ? status->st_ino : UNWATCHED, memory_order_relaxed);
    errno = error;
    return is_watching;
}

void forget(int descriptor) {
    if (descriptor >= 0 && descriptor < MOST_DESCRIPTORS)
        atomic_store_explicit(&meanings[descriptor], UNKNOWN, memory_order_relaxed);
}

bool locate(int folder, const char *path, char *place) {
    char parent[PATH_MAX];
    start();
    size_t count = path ? strlen(path) : 0;
    if (!watched_folder[0] || !count || count >= PATH_MAX) return false;
    int error = errno;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
    int descriptor = (int)syscall(SYS_openat, folder, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool is_known = descriptor >= 0 && read_path(descriptor, place);
    if (descriptor >= 0) syscall(SYS_close, descriptor);
    errno = error;
    if (!is_known || strlen(place) + strlen(name) + 2 > PATH_MAX) return false;
    strcat(strcat(place, "/"), name);
    return is_watched(place);
}

// MARK: Records

int64_t log_end(void) { return lseek(undo_log, 0, SEEK_END); }

void append(struct record record, const void *bytes, size_t count) {
    record.size = sizeof record + count;
    struct iovec slices[] = {{&record, sizeof record}, {(void *)bytes, count}};
    ssize_t written = syscall(SYS_writev, undo_log, slices, 2);
    if (written != (ssize_t)record.size) give_up("the undo log");
}

// Appends a record with the bytes of a file from `from` to `end`.
static void append_old(struct record record, int file, int64_t from, int64_t end) {
    static char *room;
    static size_t capacity;
    size_t count = end > from ? (size_t)(end - from) : 0;
    if (count > capacity) {
        if (room) munmap(room, capacity);
        capacity = count < 1 << 20 ? 1 << 20 : count;
        room = mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room == MAP_FAILED) give_up("mmap");
    }
    for (size_t done = 0; done < count;) {
        ssize_t part = pread(file, room + done, count - done, from + (int64_t)done);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) give_up("the bytes before a change");
        done += (size_t)part;
    }
    append(record, room, count);
}

void append_write(int file, const struct stat *status, int64_t offset, int64_t length) {
    struct record record = {
        .kind = RECORD_WRITE, .file = status->st_ino, .offset = offset, .length = length, .before = status->st_size};
    int64_t end = offset + length;
    append_old(record, file, offset, end < status->st_size ? end : status->st_size);
}

void append_resize(int file, const struct stat *status, int64_t size) {
    struct record record = {
        .kind = RECORD_RESIZE, .file = status->st_ino, .offset = size, .before = status->st_size};
    append_old(record, file, size, status->st_size);
}

// What a path stands for: an inode number, or 0 for nothing.
static uint64_t inode(const char *path, bool *is_folder) {
    struct stat status;
    if (lstat(path, &status)) return 0;
    *is_folder |= S_ISDIR(status.st_mode);
    return status.st_ino;
}

// Keeps a file that may be about to lose its last name.
static void keep(const char *path, uint64_t number) {
    char link[PATH_MAX + 32];
    snprintf(link, sizeof link, "%s/%llu", log_folder, (unsigned long long)number);
    if (number && syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, link, 0) && errno != EEXIST) give_up(link);
}

void append_names(const char *first, const char *second) {
    char paths[2 * PATH_MAX];
    bool is_folder = false;
    int error = errno;
    struct record record = {.kind = RECORD_NAMES, .file = inode(first, &is_folder)};
    if (second) record.other = inode(second, &is_folder);
    record.offset = is_folder;
    if (!is_folder) keep(first, record.file);
    if (!is_folder && second) keep(second, record.other);
    size_t count = strlen(first) + 1;
    memcpy(paths, first, count);
    if (second) memcpy(paths + count, second, strlen(second) + 1);
    append(record, paths, second ? count + strlen(second) + 1 : count);
    errno = error;
}

void complain(const char *call) {
    append((struct record){.kind = RECORD_COMPLAINT}, call, strlen(call));
}
