// libjpeg-turbo's TurboJPEG API, which makes and reads the tests' pictures.
#ifndef KLING_GATEWAY_CTURBOJPEG_SHIM_H
#define KLING_GATEWAY_CTURBOJPEG_SHIM_H

#include <turbojpeg.h>

#endif
