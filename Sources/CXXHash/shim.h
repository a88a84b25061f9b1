// libxxhash: XXH3 of 128 bits, at once and in pieces, by the functions of the shared library.
#ifndef KLING_GATEWAY_CXXHASH_SHIM_H
#define KLING_GATEWAY_CXXHASH_SHIM_H

#include <xxhash.h>

#endif
