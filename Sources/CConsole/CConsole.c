#include "CConsole.h"

// A new file needs a line here and one in the table.
static const unsigned char index_html[] = {
#embed "files/index.html"
};

#define FILE_NAMED(name, type, bytes) {name, type "; charset=utf-8", bytes, sizeof bytes}

static const struct console_file console_files[] = {
    FILE_NAMED("index.html", "text/html", index_html),
};

size_t console_file_count(void) { return sizeof console_files / sizeof console_files[0]; }

const struct console_file *console_file_at(size_t index) { return &console_files[index]; }
