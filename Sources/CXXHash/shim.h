// libxxhash: 128-bit XXH3, one-shot and streaming, through the functions of the shared library.
#ifndef KLING_GATEWAY_CXXHASH_SHIM_H
#define KLING_GATEWAY_CXXHASH_SHIM_H

#include <xxhash.h>

#endif
