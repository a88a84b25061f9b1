// libwebp. The gateway uses the decoder; the encoder makes the tests' pictures.
#ifndef KLING_GATEWAY_CWEBP_SHIM_H
#define KLING_GATEWAY_CWEBP_SHIM_H

#include <webp/decode.h>
#include <webp/encode.h>

#endif
