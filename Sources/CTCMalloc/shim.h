// gperftools' tcmalloc. It is linked before the C library, so its malloc and free serve the whole process, including
// the libraries.
#ifndef KLING_GATEWAY_CTCMALLOC_SHIM_H
#define KLING_GATEWAY_CTCMALLOC_SHIM_H

#include <gperftools/malloc_extension_c.h>

#endif
