#include "symbols/isf_input.h"

#include <lzma.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/os.h"

struct ds_isf_input {
    struct ds_os_file *file; /* NULL: from memory */
    const uint8_t *data;
    size_t size;
    uint64_t off;      /* next byte of the file or the memory */
    uint64_t produced; /* bytes given out */
    bool is_xz, ended;
    lzma_stream xz;
    uint8_t in[64 * 1024];
};

static enum ds_status read_raw(struct ds_isf_input *in, void *buf, size_t len, size_t *got,
                               struct ds_err *err)
{
    if (in->file != NULL) {
        enum ds_status status = ds_os_file_read_at(in->file, in->off, buf, len, got, err);
        if (status == DS_OK)
            in->off += *got;
        return status;
    }
    *got = in->size - (size_t)in->off < len ? in->size - (size_t)in->off : len;
    memcpy(buf, in->data + in->off, *got);
    in->off += *got;
    return DS_OK;
}

/* "\xfdd7zXZ\0": the .xz file format, 2.1.1.1. */
static enum ds_status start(struct ds_isf_input *in, struct ds_err *err)
{
    static const uint8_t magic[6] = {0xfd, '7', 'z', 'X', 'Z', 0};
    uint8_t head[6];
    size_t got = 0;
    enum ds_status status = read_raw(in, head, sizeof head, &got, err);
    if (status != DS_OK)
        return status;
    in->off = 0;
    in->is_xz = got == sizeof head && memcmp(head, magic, sizeof head) == 0;
    if (in->is_xz && lzma_stream_decoder(&in->xz, DS_LIMIT_XZ_MEMORY, 0) != LZMA_OK)
        return ds_err_set(err, DS_NO_MEMORY, "no memory to inflate a symbol table");
    return DS_OK;
}

static struct ds_isf_input *new_input(void)
{
    static const lzma_stream init = LZMA_STREAM_INIT;
    struct ds_isf_input *in = calloc(1, sizeof *in);
    if (in != NULL)
        in->xz = init;
    return in;
}

enum ds_status ds_isf_input_open(const char *path, struct ds_isf_input **ret, struct ds_err *err)
{
    struct ds_isf_input *in = new_input();
    enum ds_status status;
    if (in == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "no memory to read %s", path);
    status = ds_os_file_open(path, &in->file, err);
    if (status == DS_OK)
        status = start(in, err);
    if (status != DS_OK) {
        ds_isf_input_close(in);
        return status;
    }
    *ret = in;
    return DS_OK;
}

enum ds_status ds_isf_input_open_bytes(const void *data, size_t size, struct ds_isf_input **ret,
                                       struct ds_err *err)
{
    struct ds_isf_input *in = new_input();
    enum ds_status status;
    if (in == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "no memory to read a symbol table");
    in->data = data;
    in->size = size;
    status = start(in, err);
    if (status != DS_OK) {
        ds_isf_input_close(in);
        return status;
    }
    *ret = in;
    return DS_OK;
}

void ds_isf_input_close(struct ds_isf_input *in)
{
    if (in == NULL)
        return;
    lzma_end(&in->xz);
    ds_os_file_close(in->file);
    free(in);
}

static enum ds_status inflate_error(const struct ds_isf_input *in, lzma_ret code,
                                    struct ds_err *err)
{
    if (code == LZMA_MEM_ERROR)
        return ds_err_set(err, DS_NO_MEMORY, "no memory to inflate a symbol table");
    if (code == LZMA_MEMLIMIT_ERROR)
        return ds_err_set(err, DS_LIMIT, "inflating the symbol table needs over %u MB",
                          (unsigned)(DS_LIMIT_XZ_MEMORY >> 20));
    return ds_err_set(err, DS_CORRUPT, "the xz data is damaged before byte %llu of the file",
                      (unsigned long long)in->off);
}

static enum ds_status inflate(struct ds_isf_input *in, void *buf, size_t len, size_t *got,
                              struct ds_err *err)
{
    in->xz.next_out = buf;
    in->xz.avail_out = len;
    while (in->xz.avail_out == len && !in->ended) {
        size_t more = 0;
        if (in->xz.avail_in == 0) {
            enum ds_status status = read_raw(in, in->in, sizeof in->in, &more, err);
            if (status != DS_OK)
                return status;
            in->xz.next_in = in->in;
            in->xz.avail_in = more;
        }
        lzma_ret code = lzma_code(&in->xz, in->xz.avail_in == 0 ? LZMA_FINISH : LZMA_RUN);
        if (code == LZMA_STREAM_END)
            in->ended = true;
        else if (code != LZMA_OK)
            return inflate_error(in, code, err);
    }
    *got = len - in->xz.avail_out;
    return DS_OK;
}

enum ds_status ds_isf_input_read(void *input, void *buf, size_t len, size_t *got,
                                 struct ds_err *err)
{
    struct ds_isf_input *in = input;
    enum ds_status status =
        in->is_xz ? inflate(in, buf, len, got, err) : read_raw(in, buf, len, got, err);
    if (status != DS_OK)
        return status;
    in->produced += *got;
    if (in->produced > DS_LIMIT_SYMBOL_FILE)
        return ds_err_set(err, DS_LIMIT, "the symbol table is larger than %u MB",
                          (unsigned)(DS_LIMIT_SYMBOL_FILE >> 20));
    return DS_OK;
}
