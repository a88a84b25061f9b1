// libpng by its simplified door (png_image_*), whose errors are return values: the other one jumps over frames.
#ifndef KLING_GATEWAY_CPNG_SHIM_H
#define KLING_GATEWAY_CPNG_SHIM_H

#include <png.h>

#endif
