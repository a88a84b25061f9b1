// zlib: unpacks the color profiles of PNG files, and checks their chunks.
#ifndef KLING_GATEWAY_CZLIB_SHIM_H
#define KLING_GATEWAY_CZLIB_SHIM_H

#include <zlib.h>

#endif
