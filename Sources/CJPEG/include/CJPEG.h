// libjpeg with errors as return values. libjpeg reports an error by a longjmp out of the call, which Swift frames do not
// survive: here it never leaves the C function that called libjpeg.
#ifndef KLING_GATEWAY_CJPEG_H
#define KLING_GATEWAY_CJPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// MARK: Reading

/// A JPEG file being decoded, from the top row to the bottom row.
///
/// Damage that libjpeg can work around, such as stray bytes between two segments, is not an error.
typedef struct cjpeg_reader cjpeg_reader;

/// What libjpeg finds in the header of a file.
typedef struct {
    int width;
    int height;
    int components;
} cjpeg_header;

/// Opens a file, which must stay as it is until the reader is closed.
///
/// - Parameters:
///   - memory: how many bytes libjpeg may hold for the coefficients of the whole picture.
///   - scans: how many scans the file may have.
/// - Returns: a reader, to be closed by `cjpeg_close`; NULL if there is not enough memory.
cjpeg_reader *cjpeg_open(const uint8_t *file, size_t count, size_t memory, int scans);

/// Closes a reader and frees all that it holds.
void cjpeg_close(cjpeg_reader *reader);

/// Reads everything before the first scan. Call it first.
/// - Returns: false if the header is broken or of an unsupported kind.
bool cjpeg_read_header(cjpeg_reader *reader, cjpeg_header *header);

/// Starts to decode, to `eighths` / 8 of the size, rounded up: to four bytes per pixel if there are four components
/// (the inks, as stored), and otherwise to red, green and blue. Call it second.
/// - Parameters:
///   - width: how many pixels the caller expects in a row.
///   - height: how many rows the caller expects.
/// - Returns: false if the picture is broken or exceeds the limits, or has another size.
bool cjpeg_start(cjpeg_reader *reader, int eighths, int width, int height);

/// Decodes the next `count` rows into `rows`, without padding. Never call it for more rows than there are.
/// - Returns: false if the picture is broken or exceeds the limits.
bool cjpeg_read_rows(cjpeg_reader *reader, uint8_t *rows, int count);

// MARK: Writing

/// Encodes `height` rows of `width` pixels of red, green and blue, without padding.
///
/// - Parameters:
///   - quality: 1 to 100.
///   - halves_color: whether to store the color at half the width and half the height.
///   - room: where to write the file.
///   - capacity: how many bytes there are in `room`.
/// - Returns: the size of the file; 0 if it does not fit, or cannot be encoded.
size_t cjpeg_encode(
    const uint8_t *pixels, int width, int height, int quality, bool halves_color, uint8_t *room, size_t capacity);

#endif
