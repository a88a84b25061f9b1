// libjpeg-turbo's TurboJPEG API, which returns errors. libjpeg's own API reports them with longjmp, across frames.
#ifndef KLING_GATEWAY_CTURBOJPEG_SHIM_H
#define KLING_GATEWAY_CTURBOJPEG_SHIM_H

#include <turbojpeg.h>

#endif
