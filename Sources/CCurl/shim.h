// libcurl, with typed doors to its variadic functions.
#ifndef KLING_GATEWAY_CCURL_SHIM_H
#define KLING_GATEWAY_CCURL_SHIM_H

#include <curl/curl.h>

#endif
