// gperftools' tcmalloc: linked before the C library, its malloc and free serve the whole process, libraries included.
#ifndef KLING_GATEWAY_CTCMALLOC_SHIM_H
#define KLING_GATEWAY_CTCMALLOC_SHIM_H

#include <gperftools/malloc_extension_c.h>

#endif
