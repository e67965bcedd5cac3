#include "symbols/image_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

#define LFANEW_MAX 0x10000u
#define FILE_HEADER 24u /* signature and COFF file header */
#define SECTION 40u
#define SECTIONS_MAX 96u
#define OPTIONAL_MAX 256u
#define MAGIC_PE32 0x10bu
#define MAGIC_PE64 0x20bu
#define DIRECTORY_RELOCATIONS 5u
#define MEM_EXECUTE 0x20000000u
#define MEM_WRITE 0x80000000u
#define RELOC_BLOCKS_MAX 16384u /* one for each page of 64 MB of image */
#define RELOC_BLOCK_MAX (8u + 2u * 4096u)

struct section {
    uint32_t rva, size, file_offset;
};

struct ds_image_file {
    struct ds_source *source;
    struct section code[SECTIONS_MAX], reloc_home[SECTIONS_MAX];
    size_t code_count, home_count;
    uint32_t reloc_rva, reloc_size;
};

static enum ds_status read_at(struct ds_image_file *f, uint64_t at, void *buf, size_t len)
{
    return ds_source_read(f->source, at, buf, len, NULL);
}

/* Code that is writable too changes while it runs. */
static void take_section(struct ds_image_file *f, const uint8_t *s)
{
    uint32_t virtual_size = ds_le32(s + 8), raw = ds_le32(s + 16), flags = ds_le32(s + 36);
    struct section x = {.rva = ds_le32(s + 12),
                        .size = virtual_size != 0 && virtual_size < raw ? virtual_size : raw,
                        .file_offset = ds_le32(s + 20)};
    f->reloc_home[f->home_count++] = x;
    if ((flags & MEM_EXECUTE) != 0 && (flags & MEM_WRITE) == 0)
        f->code[f->code_count++] = x;
}

static enum ds_status read_headers(struct ds_image_file *f, uint32_t timestamp, uint32_t size)
{
    uint8_t dos[64], file[FILE_HEADER], optional[OPTIONAL_MAX] = {0}, s[SECTION];
    enum ds_status status = read_at(f, 0, dos, sizeof(dos));
    if (status != DS_OK)
        return status;
    uint32_t lfanew = ds_le32(dos + 0x3c);
    if (ds_le16(dos) != 0x5a4d || lfanew > LFANEW_MAX)
        return DS_CORRUPT;
    status = read_at(f, lfanew, file, sizeof(file));
    if (status != DS_OK)
        return status;
    uint16_t sections = ds_le16(file + 6), stated = ds_le16(file + 20);
    size_t kept = stated < sizeof(optional) ? stated : sizeof(optional);
    if (ds_le32(file) != 0x4550 || sections > SECTIONS_MAX || kept < 64)
        return DS_CORRUPT;
    status = read_at(f, (uint64_t)lfanew + FILE_HEADER, optional, kept);
    if (status != DS_OK)
        return status;
    uint16_t magic = ds_le16(optional);
    if (magic != MAGIC_PE32 && magic != MAGIC_PE64)
        return DS_CORRUPT;
    if (ds_le32(file + 8) != timestamp || ds_le32(optional + 56) != size)
        return DS_NOT_FOUND;
    size_t directories = magic == MAGIC_PE64 ? 112 : 96;
    size_t at = directories + 8 * DIRECTORY_RELOCATIONS;
    if (kept >= at + 8 && ds_le32(optional + directories - 4) > DIRECTORY_RELOCATIONS) {
        f->reloc_rva = ds_le32(optional + at);
        f->reloc_size = ds_le32(optional + at + 4);
    }
    uint64_t table = (uint64_t)lfanew + FILE_HEADER + stated;
    for (uint32_t i = 0; i < sections && status == DS_OK; i++) {
        status = read_at(f, table + (uint64_t)i * SECTION, s, sizeof(s));
        if (status == DS_OK)
            take_section(f, s);
    }
    return status;
}

enum ds_status ds_image_file_open(const char *path, uint32_t timestamp, uint32_t size_of_image,
                                  struct ds_image_file **ret)
{
    struct ds_image_file *f = ds_alloc_array(1, sizeof(*f));
    if (f == NULL)
        return DS_NO_MEMORY;
    enum ds_status status = ds_source_file_open(path, &f->source, NULL);
    if (status == DS_OK)
        status = read_headers(f, timestamp, size_of_image);
    if (status != DS_OK) {
        ds_image_file_close(f);
        return status;
    }
    *ret = f;
    return DS_OK;
}

void ds_image_file_close(struct ds_image_file *f)
{
    if (f == NULL)
        return;
    if (f->source != NULL)
        ds_source_close(f->source);
    free(f);
}

static const struct section *section_at(const struct section *s, size_t count, uint32_t rva)
{
    for (size_t i = 0; i < count; i++)
        if (rva >= s[i].rva && rva - s[i].rva < s[i].size)
            return &s[i];
    return NULL;
}

/* Bytes that a fix-up of that type writes; 0 for padding. An unknown one may write anything. */
static unsigned fixup_size(unsigned type)
{
    return type == 0 ? 0 : type == 3 ? 4 : type == 1 || type == 2 ? 2 : 8;
}

static void mark_block(const uint8_t *entries, size_t count, uint32_t page, uint32_t rva,
                       bool *fixed, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t e = ds_le16(entries + 2 * i);
        uint64_t first = (uint64_t)page + (e & 0xfffu);
        for (unsigned k = 0; k < fixup_size(e >> 12); k++)
            if (first + k >= rva && first + k - rva < len)
                fixed[first + k - rva] = false;
    }
}

/* Base relocations: blocks of {u32 page RVA, u32 bytes of the block, u16 type:4 offset:12 ...}. */
static enum ds_status mark_relocations(struct ds_image_file *f, uint32_t rva, bool *fixed,
                                       size_t len)
{
    const struct section *home = section_at(f->reloc_home, f->home_count, f->reloc_rva);
    uint8_t head[8], entries[RELOC_BLOCK_MAX];
    uint32_t pos = 0;
    if (f->reloc_size == 0)
        return DS_OK;
    if (home == NULL || home->size - (f->reloc_rva - home->rva) < f->reloc_size)
        return DS_CORRUPT;
    uint64_t at = (uint64_t)home->file_offset + (f->reloc_rva - home->rva);
    for (uint32_t i = 0; f->reloc_size - pos >= sizeof(head); i++) {
        enum ds_status status = read_at(f, at + pos, head, sizeof(head));
        if (status != DS_OK)
            return status;
        uint32_t page = ds_le32(head), size = ds_le32(head + 4);
        if (i == RELOC_BLOCKS_MAX)
            return DS_LIMIT;
        if (size < sizeof(head) || size > RELOC_BLOCK_MAX || size > f->reloc_size - pos)
            return DS_CORRUPT;
        /* A fix-up at the end of the page before may reach into these bytes. */
        if ((uint64_t)page < (uint64_t)rva + len && (uint64_t)page + 0x1008 > rva) {
            status = read_at(f, at + pos + 8, entries, size - sizeof(head));
            if (status != DS_OK)
                return status;
            mark_block(entries, (size - sizeof(head)) / 2, page, rva, fixed, len);
        }
        pos += size;
    }
    return DS_OK;
}

enum ds_status ds_image_file_read(struct ds_image_file *f, uint32_t rva, uint8_t *bytes,
                                  bool *fixed, size_t len)
{
    const struct section *s = section_at(f->code, f->code_count, rva);
    if (s == NULL || len == 0 || len > DS_IMAGE_BLOCK)
        return DS_NOT_FOUND;
    size_t held = s->size - (rva - s->rva) < len ? s->size - (rva - s->rva) : len;
    memset(bytes, 0, len);
    for (size_t i = 0; i < len; i++)
        fixed[i] = i < held;
    enum ds_status status = read_at(f, (uint64_t)s->file_offset + (rva - s->rva), bytes, held);
    return status == DS_OK ? mark_relocations(f, rva, fixed, len) : status;
}
