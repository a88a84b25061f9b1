// Facts and settings of the process's memory that Swift's module of glibc leaves out.
#ifndef KLING_GATEWAY_CPROCESS_SHIM_H
#define KLING_GATEWAY_CPROCESS_SHIM_H

#include <stdlib.h>
#include <sys/prctl.h>

extern char __executable_start[], etext[];

// The program's code and constants, as the linker laid them out. They are only read.
static inline char *cprocess_code_start(void) { return __executable_start; }
static inline size_t cprocess_code_size(void) { return (size_t)(etext - __executable_start); }

// Disables core dumps of this process, and keeps everyone but root from reading its memory.
static inline int cprocess_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }

#endif
