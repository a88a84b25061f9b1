#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include <jerror.h>

/// libjpeg's error handler, and where it returns to. The function that calls libjpeg sets `exit` first.
typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf exit;
} error_handler;

static void leave(j_common_ptr info) { longjmp(((error_handler *)info->err)->exit, 1); }

static void ignore_message(j_common_ptr info, int level) {
    (void)info;
    (void)level;
}

static struct jpeg_error_mgr *start(error_handler *errors) {
    struct jpeg_error_mgr *base = jpeg_std_error(&errors->base);
    base->error_exit = leave;
    base->emit_message = ignore_message;
    return base;
}

// MARK: Reading

struct cjpeg_reader {
    struct jpeg_decompress_struct info;
    error_handler errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    int scans;
};

static void begin_input(j_decompress_ptr info) { (void)info; }

static void end_input(j_decompress_ptr info) { (void)info; }

/// Called when the file ends before its picture does.
static boolean refill(j_decompress_ptr info) {
    ERREXIT(info, JERR_INPUT_EOF);
    return FALSE;
}

static void skip(j_decompress_ptr info, long count) {
    if (count <= 0) return;
    size_t skipped = (size_t)count < info->src->bytes_in_buffer ? (size_t)count : info->src->bytes_in_buffer;
    info->src->next_input_byte += skipped;
    info->src->bytes_in_buffer -= skipped;
}

static void count_scans(j_common_ptr common) {
    j_decompress_ptr info = (j_decompress_ptr)common;
    if (info->input_scan_number > ((cjpeg_reader *)info->client_data)->scans) ERREXIT(info, JERR_BAD_PROGRESSION);
}

cjpeg_reader *cjpeg_open(const uint8_t *file, size_t count, size_t memory, int scans) {
    cjpeg_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return NULL;
    reader->info.err = start(&reader->errors);
    if (setjmp(reader->errors.exit)) {
        cjpeg_close(reader);
        return NULL;
    }
    jpeg_create_decompress(&reader->info);
    reader->info.client_data = reader;
    reader->info.mem->max_memory_to_use = (long)memory;
    reader->source = (struct jpeg_source_mgr){
        .next_input_byte = file,
        .bytes_in_buffer = count,
        .init_source = begin_input,
        .fill_input_buffer = refill,
        .skip_input_data = skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = end_input,
    };
    reader->info.src = &reader->source;
    reader->progress.progress_monitor = count_scans;
    reader->info.progress = &reader->progress;
    reader->scans = scans;
    return reader;
}

void cjpeg_close(cjpeg_reader *reader) {
    // This frees memory, and never fails.
    jpeg_destroy_decompress(&reader->info);
    free(reader);
}

bool cjpeg_read_header(cjpeg_reader *reader, cjpeg_header *header) {
    if (setjmp(reader->errors.exit)) return false;
    jpeg_read_header(&reader->info, TRUE);
    header->width = (int)reader->info.image_width;
    header->height = (int)reader->info.image_height;
    header->components = reader->info.num_components;
    return true;
}

bool cjpeg_start(cjpeg_reader *reader, int eighths, int width, int height) {
    if (setjmp(reader->errors.exit)) return false;
    reader->info.scale_num = (unsigned)eighths;
    reader->info.scale_denom = 8;
    reader->info.out_color_space = reader->info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (!jpeg_start_decompress(&reader->info)) return false;
    int components = reader->info.num_components == 4 ? 4 : 3;
    return reader->info.output_width == (JDIMENSION)width && reader->info.output_height == (JDIMENSION)height &&
        reader->info.output_components == components;
}

bool cjpeg_read_rows(cjpeg_reader *reader, uint8_t *rows, int count) {
    if (setjmp(reader->errors.exit)) return false;
    size_t row_bytes = (size_t)reader->info.output_width * (size_t)reader->info.output_components;
    JDIMENSION end = reader->info.output_scanline + (JDIMENSION)count;
    while (reader->info.output_scanline < end) {
        JSAMPROW row = rows + row_bytes * (reader->info.output_scanline + (JDIMENSION)count - end);
        if (jpeg_read_scanlines(&reader->info, &row, 1) != 1) return false;
    }
    return true;
}

// MARK: Writing

typedef struct {
    struct jpeg_compress_struct info;
    error_handler errors;
    struct jpeg_destination_mgr room;
    size_t capacity;
} writer;

static void begin_output(j_compress_ptr info) { (void)info; }

static void end_output(j_compress_ptr info) { (void)info; }

/// Called when the buffer is full.
static boolean flush(j_compress_ptr info) {
    ERREXIT(info, JERR_BUFFER_SIZE);
    return FALSE;
}

static void set_quality(j_compress_ptr info, int quality, bool halves_color) {
    jpeg_set_defaults(info);
    jpeg_set_quality(info, quality, TRUE);
    info->comp_info[0].h_samp_factor = halves_color ? 2 : 1;
    info->comp_info[0].v_samp_factor = halves_color ? 2 : 1;
}

static size_t encode(writer *writer, const uint8_t *pixels, int quality, bool halves_color) {
    set_quality(&writer->info, quality, halves_color);
    jpeg_start_compress(&writer->info, TRUE);
    size_t row_bytes = (size_t)writer->info.image_width * 3;
    while (writer->info.next_scanline < writer->info.image_height) {
        // libjpeg does not write to the row.
        JSAMPROW row = (JSAMPROW)pixels + writer->info.next_scanline * row_bytes;
        jpeg_write_scanlines(&writer->info, &row, 1);
    }
    jpeg_finish_compress(&writer->info);
    return writer->capacity - writer->room.free_in_buffer;
}

static void close_writer(writer *writer) {
    jpeg_destroy_compress(&writer->info);
    free(writer);
}

size_t cjpeg_encode(
    const uint8_t *pixels, int width, int height, int quality, bool halves_color, uint8_t *room, size_t capacity) {
    // libjpeg writes its first byte before it checks for space.
    if (capacity == 0) return 0;
    // On the heap, because what a function changes in its own frame is undefined after a longjmp.
    writer *writer = calloc(1, sizeof *writer);
    if (!writer) return 0;
    writer->info.err = start(&writer->errors);
    if (setjmp(writer->errors.exit)) {
        close_writer(writer);
        return 0;
    }
    jpeg_create_compress(&writer->info);
    writer->capacity = capacity;
    writer->room = (struct jpeg_destination_mgr){
        .next_output_byte = room,
        .free_in_buffer = capacity,
        .init_destination = begin_output,
        .empty_output_buffer = flush,
        .term_destination = end_output,
    };
    writer->info.dest = &writer->room;
    writer->info.image_width = (JDIMENSION)width;
    writer->info.image_height = (JDIMENSION)height;
    writer->info.input_components = 3;
    writer->info.in_color_space = JCS_RGB;
    size_t count = encode(writer, pixels, quality, halves_color);
    close_writer(writer);
    return count;
}
