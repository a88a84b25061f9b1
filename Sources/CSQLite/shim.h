#ifndef KLING_CSQLITE_H
#define KLING_CSQLITE_H

#include <sqlite3.h>

/// Switches off SQLite's statistics of its memory, which lock a mutex for each of its allocations. `sqlite3_config` takes
/// variable arguments, which Swift does not import. It must be called before any other function of SQLite.
/// Returns SQLITE_OK, or SQLITE_MISUSE if it comes too late, which changes nothing.
static inline int csqlite_drop_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

#endif
