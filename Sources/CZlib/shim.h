// zlib: checks the chunks of PNG files.
#ifndef KLING_GATEWAY_CZLIB_SHIM_H
#define KLING_GATEWAY_CZLIB_SHIM_H

#include <zlib.h>

#endif
