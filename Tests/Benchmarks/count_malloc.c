// Counts a program's allocations. The benchmark preloads this library with LD_PRELOAD. It writes two 64-bit numbers, the
// calls and the requested bytes, to the file that BENCH_MALLOC_COUNTS names.
//
// It counts malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign and C++'s operator new, for every library of
// the process, but neither frees nor the memory that an allocator or mmap takes from the system. Each call is passed on to
// the next library that has the function: tcmalloc, if the program is linked to it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct counts {
    _Atomic uint64_t calls, bytes;
};

static struct counts *counts;

static void count(size_t bytes) {
    if (!counts) return;
    atomic_fetch_add_explicit(&counts->calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->bytes, bytes, memory_order_relaxed);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("BENCH_MALLOC_COUNTS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, sizeof *counts) != 0) return;
    void *mapped = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) counts = mapped;
    close(file);
}

// A function that counts BYTES and then calls the next library's function of the same name.
#define COUNTED(RESULT, NAME, BYTES, PARAMETERS, ARGUMENTS)                \
    RESULT NAME PARAMETERS {                                               \
        static RESULT(*next) PARAMETERS;                                   \
        if (!next) next = (RESULT(*) PARAMETERS)dlsym(RTLD_NEXT, #NAME);   \
        count(BYTES);                                                      \
        return next ARGUMENTS;                                             \
    }

COUNTED(void *, malloc, size, (size_t size), (size))
COUNTED(void *, calloc, number * size, (size_t number, size_t size), (number, size))
COUNTED(void *, realloc, size, (void *old, size_t size), (old, size))
COUNTED(void *, memalign, size, (size_t alignment, size_t size), (alignment, size))
COUNTED(void *, aligned_alloc, size, (size_t alignment, size_t size), (alignment, size))
COUNTED(int, posix_memalign, size, (void **block, size_t alignment, size_t size), (block, alignment, size))

// C++'s operator new and new[]. tcmalloc has its own; libstdc++'s calls malloc, where it is counted as well.
void *_Znwm(size_t size) { return malloc(size); }
void *_Znam(size_t size) { return malloc(size); }
