// libjpeg-turbo by its TurboJPEG door, whose errors are return values: libjpeg's own jumps over frames.
#ifndef KLING_GATEWAY_CTURBOJPEG_SHIM_H
#define KLING_GATEWAY_CTURBOJPEG_SHIM_H

#include <turbojpeg.h>

#endif
