// Settings of the process's memory that Swift's module of glibc leaves out.
#ifndef KLING_GATEWAY_CPROCESS_SHIM_H
#define KLING_GATEWAY_CPROCESS_SHIM_H

#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>

// Unmaps the code of the program and of its libraries, which is never written to: it stays in the system's cache, and is
// mapped again when it is called.
static inline void cprocess_unmap_code(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return;
    char line[512], path;
    unsigned long start, end;
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx r-xp %*s %*s %*s %c", &start, &end, &path) == 3 && path == '/')
            madvise((void *)start, end - start, MADV_DONTNEED);
    fclose(maps);
}

// Disables core dumps of this process, and keeps everyone but root from reading its memory.
static inline int cprocess_forbid_dumps(void) { return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L); }

#endif
