// Records what a power cut could take back from one folder.
//
// The library is loaded into a program with LD_PRELOAD. Before the program changes a file of the folder, the library
// appends what the change replaces to an undo log outside the folder; after a sync has succeeded, it appends which
// changes are safe now. After a SIGKILL, the log tells which changes a power cut could have lost, and how to undo them.
// `PowerCut.swift` does that.
//
// Environment:
//   POWER_CUT_FOLDER         the folder that is watched, with everything below it
//   POWER_CUT_LOG            the folder of the undo log, on the same file system. It gets the file `log`, and a hard
//                            link for every file that loses a name, so that the file can be brought back and its inode
//                            number stays its own
//   POWER_CUT_SYNC_DELAY     how long a sync waits before it begins, in microseconds, as on a slow disk
//   POWER_CUT_IGNORES_SYNCS  if it is set, syncs succeed without doing anything
//
// The model is an ext4 with default options, on a disk that tells the truth about syncs, or something stricter:
//   - fsync and fdatasync of a file make all its earlier writes, and its size, safe. A write to a file opened with
//     O_SYNC or O_DSYNC, or with RWF_SYNC or RWF_DSYNC, makes the pages that it touches safe. sync_file_range does not
//     count.
//   - A name that was created, renamed or removed is safe once its folder was synced. On ext4, a sync of the file
//     alone would do.
//   - All other changes are kept or lost, each sector of 512 bytes by itself and in any order, also within one write. A
//     sector has its content from after one of its writes: bytes are never made up. Lost sectors in a part that was
//     appended are zeros.
//   - The size of a file is independent of its content, from the size at the last sync to the latest one.
//   - A truncation comes before everything that is done to the file later: if it is lost, so is all of that.
//   - Changes of names are kept up to one of them, and lost after it. A rename is kept or lost as a whole.
//   - Files named `*-shm` are memory that SQLite's connections share. They are not watched; a power cut removes them.
//
// Not modeled: times, modes, owners and attributes; damage to bytes that were not written; failing syncs; writes
// through O_DIRECT, io_uring or a raw `syscall`. A call that could change the folder and is not modeled is recorded as
// a complaint, and then no power cut is made: mappings that write, stdio, mkstemp, sendfile, copy_file_range, truncate
// by name, symbolic links, renamed folders, and names that come from or go to elsewhere.
//
// One process at a time may use a log. It may have many threads.
#pragma once

#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum kind {
    // A write of `length` bytes at `offset`. The bytes that it replaces follow.
    RECORD_WRITE = 1,
    // A change of a file's size to `offset`. The bytes that it cuts off follow.
    RECORD_RESIZE = 2,
    // A sync of `length` bytes at `offset`; a negative `length` stands for the whole file.
    RECORD_SYNC = 3,
    // A change of what one or two names stand for. `file` and `other` are what they stood for: an inode number, or 0
    // for nothing. `offset` is 1 if it was a folder. The paths follow, each with a NUL.
    RECORD_NAMES = 4,
    // A sync of a folder, whose path follows.
    RECORD_FOLDER_SYNC = 5,
    // A sync of everything.
    RECORD_FULL_SYNC = 6,
    // The name of a call that is not modeled follows.
    RECORD_COMPLAINT = 7,
};

// One record of the log; what follows it is included in its size. Numbers are in the machine's order.
struct record {
    uint64_t size;
    uint64_t kind;
    // The inode number of the file.
    uint64_t file;
    uint64_t other;
    int64_t offset;
    int64_t length;
    // The size of the file before the change.
    int64_t before;
    // For syncs: the records before this position in the log are safe.
    int64_t through;
};

// The watched folder, without a slash at its end; empty if there is none.
extern char watched_folder[];
// The folder of the log.
extern char log_folder[];
extern bool ignores_syncs;
// In microseconds.
extern long sync_delay;

// Serializes the changes. What follows in this file, except `watches` and `locate`, needs it.
void lock(void);
void unlock(void);

// Whether a descriptor is a file or a folder in the watched folder; then `status` is set.
bool watches(int descriptor, struct stat *status);
// Says that a descriptor has a new meaning.
void forget(int descriptor);
// Finds the absolute path of what `path` names, which need not exist.
// Returns whether it is in the watched folder; then `place`, which has PATH_MAX bytes, is set.
bool locate(int folder, const char *path, char *place);

// The position at which the next record begins.
int64_t log_end(void);
// Appends a record, and `count` bytes that follow it. Ends the process if that fails.
void append(struct record record, const void *bytes, size_t count);
void append_write(int file, const struct stat *status, int64_t offset, int64_t length);
void append_resize(int file, const struct stat *status, int64_t size);
// Appends a change of one name, or of two if `second` is not NULL. Call it before the change. If the change fails, the
// record does no harm.
void append_names(const char *first, const char *second);
// Records a call that the library cannot follow.
void complain(const char *call);
