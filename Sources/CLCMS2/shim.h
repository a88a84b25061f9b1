// Little CMS, with a limit on the tables that a profile makes it allocate.
#ifndef KLING_GATEWAY_CLCMS2_SHIM_H
#define KLING_GATEWAY_CLCMS2_SHIM_H

#include <stdlib.h>

#include <lcms2.h>
#include <lcms2_plugin.h>

// The layouts of pixels, which are macros too complex for Swift.
static const cmsUInt32Number clcms2_gray = TYPE_GRAY_8;
static const cmsUInt32Number clcms2_rgb = TYPE_RGB_8;
static const cmsUInt32Number clcms2_rgba = TYPE_RGBA_8;
static const cmsUInt32Number clcms2_inverted_cmyk = TYPE_CMYK_8_REV;

/// The most that a context may allocate at once, in bytes. A table in a profile can claim to be of any size, and is
/// allocated before it is read; the tables of the largest useful profiles have 7 MB.
enum { clcms2_largest_block = 16 << 20 };

static inline void *clcms2_malloc(cmsContext context, cmsUInt32Number size) {
    (void)context;
    return size <= clcms2_largest_block ? malloc(size) : NULL;
}

static inline void *clcms2_realloc(cmsContext context, void *block, cmsUInt32Number size) {
    (void)context;
    return size <= clcms2_largest_block ? realloc(block, size) : NULL;
}

static inline void clcms2_free(cmsContext context, void *block) {
    (void)context;
    free(block);
}

/// Makes a context that only allocates small blocks, to be freed by `cmsDeleteContext`; NULL if there is no memory.
static inline cmsContext clcms2_create_context(void) {
    cmsPluginMemHandler handler = {
        .base = {.Magic = cmsPluginMagicNumber, .ExpectedVersion = 2000, .Type = cmsPluginMemHandlerSig},
        .MallocPtr = clcms2_malloc,
        .FreePtr = clcms2_free,
        .ReallocPtr = clcms2_realloc,
    };
    return cmsCreateContext(&handler, NULL);
}

#endif
