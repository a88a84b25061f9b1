// libjpeg. Swift calls it through CJPEG only, because it reports errors by longjmp.
#ifndef KLING_GATEWAY_CLIBJPEG_SHIM_H
#define KLING_GATEWAY_CLIBJPEG_SHIM_H

#include <stddef.h>
#include <stdio.h>

#include <jpeglib.h>

#endif
