// libpng's simplified API (png_image_*), which returns errors. The full API reports them with longjmp, across frames.
#ifndef KLING_GATEWAY_CPNG_SHIM_H
#define KLING_GATEWAY_CPNG_SHIM_H

#include <png.h>
#include <stdio.h>
#include <sys/types.h>

// Up to glibc 2.36, <stdio.h> declares fopencookie only under _GNU_SOURCE, which an imported module cannot define. Later
// versions always declare it, with a type of their own: hence the other name.
typedef struct {
    ssize_t (*read)(void *cookie, char *room, size_t size);
    ssize_t (*write)(void *cookie, const char *bytes, size_t size);
    int (*seek)(void *cookie, void *offset, int whence);
    int (*close)(void *cookie);
} kling_stream_functions;
extern FILE *kling_open_stream(void *cookie, const char *mode, kling_stream_functions functions) __asm__("fopencookie");

#endif
