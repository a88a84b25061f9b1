// What a process knows of its memory, and sets for it, that Swift's modules of the C library leave out. Other C
// libraries than glibc have no such header, other linkers no such symbols.
#ifndef KLING_GATEWAY_CPROCESS_SHIM_H
#define KLING_GATEWAY_CPROCESS_SHIM_H

#include <stdlib.h>
#ifdef __GLIBC__

extern char __executable_start[], etext[];

// The program's constants and code, as the linker has laid them out: only ever read.
static inline char *cprocess_code_start(void) { return __executable_start; }
static inline size_t cprocess_code_size(void) { return (size_t)(etext - __executable_start); }
#endif

#ifdef __linux__
#include <sys/prctl.h>
// No core dump of this process, and nobody but root reads its memory.
static inline int cprocess_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }
#endif

#endif
