// libpng by its simplified door (png_image_*), whose errors are return values: the other one jumps over frames.
#ifndef KLING_GATEWAY_CPNG_SHIM_H
#define KLING_GATEWAY_CPNG_SHIM_H

#include <png.h>
#include <stdio.h>
#include <sys/types.h>

#if defined(__linux__)
// <stdio.h> has it for those that define _GNU_SOURCE, which an imported module cannot.
typedef struct {
    ssize_t (*read)(void *cookie, char *room, size_t size);
    ssize_t (*write)(void *cookie, const char *bytes, size_t size);
    int (*seek)(void *cookie, void *offset, int whence);
    int (*close)(void *cookie);
} kling_stream_functions;
extern FILE *fopencookie(void *cookie, const char *mode, kling_stream_functions functions);
#endif

#endif
