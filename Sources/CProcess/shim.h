// Facts and settings of the process's memory that Swift's C library modules leave out. Other C libraries than glibc do
// not have this header, and other linkers do not define these symbols.
#ifndef KLING_GATEWAY_CPROCESS_SHIM_H
#define KLING_GATEWAY_CPROCESS_SHIM_H

#include <stdlib.h>
#ifdef __GLIBC__

extern char __executable_start[], etext[];

// The program's code and constants, as the linker laid them out. They are only read.
static inline char *cprocess_code_start(void) { return __executable_start; }
static inline size_t cprocess_code_size(void) { return (size_t)(etext - __executable_start); }
#endif

#ifdef __linux__
#include <sys/prctl.h>
// Disables core dumps of this process, and keeps everyone but root from reading its memory.
static inline int cprocess_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }
#endif

#endif
