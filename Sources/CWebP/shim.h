// libwebp: the decoder is used; the encoder makes what it is tested with.
#ifndef KLING_GATEWAY_CWEBP_SHIM_H
#define KLING_GATEWAY_CWEBP_SHIM_H

#include <webp/decode.h>
#include <webp/encode.h>

#endif
