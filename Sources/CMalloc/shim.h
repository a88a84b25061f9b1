// glibc's settings of malloc, which its Swift module leaves out. Other C libraries have no such header.
#ifndef KLING_GATEWAY_CMALLOC_SHIM_H
#define KLING_GATEWAY_CMALLOC_SHIM_H

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#endif
