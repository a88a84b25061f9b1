// The files of the operators' console, which are embedded in the program.
#ifndef KLING_GATEWAY_CCONSOLE_H
#define KLING_GATEWAY_CCONSOLE_H

#include <stddef.h>

struct console_file {
    // What follows /console/ in its path.
    const char *name;
    const char *media_type;
    const unsigned char *bytes;
    size_t count;
};

// How many files there are.
size_t console_file_count(void);

// The file at an index below the count.
const struct console_file *console_file_at(size_t index);

#endif
