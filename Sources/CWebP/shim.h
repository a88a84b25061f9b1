// libwebp's decoder.
#ifndef KLING_GATEWAY_CWEBP_SHIM_H
#define KLING_GATEWAY_CWEBP_SHIM_H

#include <webp/decode.h>

#endif
