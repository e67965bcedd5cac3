/*
 * Any bytes as the ELF core of a guest: what is read of its memory must be what a plain search
 * through the program headers finds, and its processors must hold together.
 * Corpus: guest*-small*.core
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "dump/dump.h"

#define SAMPLES 48u
#define PIECE 64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static uint64_t number(const struct input *in, uint64_t at, unsigned size)
{
    uint64_t v = 0;
    for (unsigned i = size; i-- > 0;)
        v = v << 8 | (at < in->size && i < in->size - at ? in->data[at + i] : 0);
    return v;
}

/* The byte at a physical address by the first segment that has it; -1 when none does. */
static int byte_at(const struct input *in, uint64_t pa)
{
    unsigned wide = in->data[4] == 2, word = wide ? 8 : 4;
    uint64_t table = number(in, wide ? 32 : 28, word), count = number(in, wide ? 56 : 44, 2);
    uint64_t step = number(in, wide ? 54 : 42, 2), sections = number(in, wide ? 40 : 32, word);
    uint64_t info = sections + (wide ? 44 : 28);
    if (count == 0xffff && sections != 0 && info >= sections && info < in->size &&
        in->size - info >= 4)
        count = number(in, info, 4);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = table + i * step, need = wide ? 56 : 32;
        if (at < table || at >= in->size || in->size - at < need)
            break;
        uint64_t offset = number(in, at + (wide ? 8 : 4), word);
        uint64_t start = number(in, at + (wide ? 24 : 12), word);
        uint64_t length = number(in, at + (wide ? 32 : 16), word);
        if (number(in, at, 4) != 1 || pa < start || pa - start >= length || start >> 52 != 0 ||
            length > (UINT64_C(1) << 52) - start)
            continue;
        offset += pa - start;
        if (offset >= pa - start && offset < in->size)
            return in->data[offset];
    }
    return -1;
}

static void check_read(struct ds_dump *d, const struct input *in, uint64_t pa)
{
    uint8_t b[PIECE];
    uint64_t fault = pa + PIECE;
    enum ds_status st = ds_dump_read_phys(d, pa, b, PIECE, &fault);
    if (fault < pa || fault > pa + PIECE || (st == DS_OK) != (fault == pa + PIECE))
        abort();
    for (uint64_t at = pa; at < fault; at++)
        if (byte_at(in, at) != b[at - pa])
            abort();
    if (st != DS_OK && byte_at(in, fault) >= 0)
        abort();
}

static void check_memory(struct ds_dump *d, const struct input *in)
{
    uint64_t start, length, end = 0;
    unsigned samples = 0;
    for (uint64_t pa = 0; samples < SAMPLES && ds_dump_phys_next(d, pa, &start, &length);
         pa = end) {
        if (start < end || length == 0 || start + length < start)
            abort();
        end = start + length;
        check_read(d, in, start);
        check_read(d, in, start + length / 2);
        check_read(d, in, end - (length < PIECE ? length : PIECE));
        samples += 3;
    }
}

static void check_processors(const struct ds_dump *d)
{
    size_t count = ds_dump_cpu_count(d);
    if (count > DS_LIMIT_PROCESSORS || ds_dump_cpu(d, count) != NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        const struct ds_dump_cpu *c = ds_dump_cpu(d, i);
        if (c->number != i || c->context == NULL || c->context_size == 0 || !c->pc.known)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct input in = {data, size};
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_err err;
    if (size < 64 || memcmp(data, "\177ELF", 4) != 0 ||
        ds_source_memory_open(data, size, &src, NULL) != DS_OK)
        return 0;
    if (ds_dump_open(src, &d, &err) != DS_OK) {
        if (err.text[0] == '\0')
            abort();
        ds_source_close(src);
        return 0;
    }
    if (ds_dump_kind(d) == DS_DUMP_ELF) {
        check_memory(d, &in);
        check_processors(d);
    }
    ds_dump_close(d);
    return 0;
}
