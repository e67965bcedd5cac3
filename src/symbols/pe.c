/* Offsets: Microsoft Learn, "PE Format". */
#include "symbols/pe.h"

#include <stdio.h>
#include <string.h>

#include "base/arch.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "base/text.h"

#define HEADER_MAX 0x10000u /* e_lfanew beyond that is no image of Windows */

#define DEBUG_ENTRY 28u
#define DEBUG_ENTRIES 64u
#define RSDS_MAX 1024u
#define TYPE_CODEVIEW 2u
#define TYPE_REPRO 16u
#define MAGIC_PE32 0x10bu
#define MAGIC_PE64 0x20bu

static enum ds_status read_space(void *arg, uint64_t va, void *buf, size_t len,
                                 struct ds_fault *fault)
{
    return ds_space_read(arg, va, buf, len, fault);
}

struct ds_pe_memory ds_pe_memory_of_space(struct ds_space *space)
{
    return (struct ds_pe_memory){read_space, space};
}

static enum ds_status read_at(const struct ds_pe_memory *m, uint64_t base, uint64_t rva, void *buf,
                              size_t len)
{
    uint64_t va, end;
    if (ds_add_overflows(base, rva, &va) || ds_add_overflows(va, len, &end))
        return DS_CORRUPT;
    return m->read(m->arg, va, buf, len, NULL);
}

static enum ds_status read_headers(const struct ds_pe_memory *m, struct ds_pe *pe, uint8_t *opt,
                                   uint32_t *directories, uint32_t *opt_at, struct ds_err *err)
{
    uint8_t dos[64], coff[24];
    enum ds_status status = read_at(m, pe->base, 0, dos, sizeof dos);
    if (status != DS_OK)
        return ds_err_set(err, status, "the headers of the image at %llx cannot be read",
                          (unsigned long long)pe->base);
    uint32_t at = ds_le32(dos + 60);
    if (ds_le16(dos) != 0x5a4d || at > HEADER_MAX)
        return ds_err_set(err, DS_CORRUPT, "there is no image at %llx: no MZ header",
                          (unsigned long long)pe->base);
    status = read_at(m, pe->base, at, coff, sizeof coff);
    if (status != DS_OK)
        return ds_err_set(err, status, "the PE header of the image at %llx cannot be read",
                          (unsigned long long)pe->base);
    if (ds_le32(coff) != 0x4550)
        return ds_err_set(err, DS_CORRUPT, "there is no image at %llx: no PE header",
                          (unsigned long long)pe->base);
    pe->machine = ds_le16(coff + 4);
    pe->timestamp = ds_le32(coff + 8);
    *opt_at = at + 24;
    uint16_t size = ds_le16(coff + 20);
    if (size < 96)
        return ds_err_set(err, DS_CORRUPT, "the image at %llx has an optional header of %u bytes",
                          (unsigned long long)pe->base, (unsigned)size);
    /* 96 bytes are common to both kinds; PE32+ has 112 before the directories. */
    status = read_at(m, pe->base, *opt_at, opt, 96);
    if (status != DS_OK)
        return ds_err_set(err, status, "the optional header of the image at %llx cannot be read",
                          (unsigned long long)pe->base);
    pe->is64 = ds_le16(opt) == MAGIC_PE64;
    if (!pe->is64 && ds_le16(opt) != MAGIC_PE32)
        return ds_err_set(err, DS_CORRUPT, "the image at %llx has the unknown magic %x",
                          (unsigned long long)pe->base, (unsigned)ds_le16(opt));
    uint32_t before = pe->is64 ? 112 : 96;
    *directories = size < before ? 0 : (uint32_t)(size - before) / 8;
    return DS_OK;
}

/* An entry of the data directory; false when the image has none, or it leaves the image. */
static bool read_directory(const struct ds_pe_memory *m, const struct ds_pe *pe, uint32_t opt_at,
                           uint32_t directories, uint32_t index, uint32_t *rva, uint32_t *size)
{
    uint8_t entry[8], count[4];
    uint32_t before = pe->is64 ? 112 : 96;
    if (index >= directories ||
        read_at(m, pe->base, opt_at + before - 4, count, sizeof count) != DS_OK ||
        index >= ds_le32(count) ||
        read_at(m, pe->base, (uint64_t)opt_at + before + 8u * index, entry, sizeof entry) != DS_OK)
        return false;
    uint32_t r = ds_le32(entry), s = ds_le32(entry + 4);
    if (r == 0 || s == 0 || !ds_range_within(r, s, pe->size_of_image))
        return false;
    *rva = r;
    *size = s;
    return true;
}

/* Whether the image states that it has no such directory. */
static bool lacks_directory(const struct ds_pe_memory *m, const struct ds_pe *pe, uint32_t opt_at,
                            uint32_t directories, uint32_t index)
{
    uint8_t entry[8], count[4];
    uint32_t before = pe->is64 ? 112 : 96;
    if (index >= directories)
        return true;
    if (read_at(m, pe->base, opt_at + before - 4, count, sizeof count) != DS_OK)
        return false;
    if (index >= ds_le32(count))
        return true;
    return read_at(m, pe->base, (uint64_t)opt_at + before + 8u * index, entry, sizeof entry) ==
               DS_OK &&
           ds_le64(entry) == 0;
}

/* CV_INFO_PDB70: "RSDS", GUID, age, path of the PDB. */
static void read_codeview(const struct ds_pe_memory *m, struct ds_pe *pe, uint32_t rva,
                          uint32_t size)
{
    uint8_t data[RSDS_MAX];
    size_t len = size < sizeof data ? size : sizeof data;
    struct ds_buf name;
    if (len < 24 || !ds_range_within(rva, len, pe->size_of_image) ||
        read_at(m, pe->base, rva, data, len) != DS_OK || ds_le32(data) != 0x53445352)
        return;
    (void)snprintf(pe->pdb_id, sizeof pe->pdb_id, "%08X%04X%04X%02X%02X%02X%02X%02X%02X%02X%02X-%X",
                   (unsigned)ds_le32(data + 4), (unsigned)ds_le16(data + 8),
                   (unsigned)ds_le16(data + 10), data[12], data[13], data[14], data[15], data[16],
                   data[17], data[18], data[19], (unsigned)ds_le32(data + 20));
    ds_buf_init(&name, 4 * RSDS_MAX);
    ds_text_from_bytes(&name, data + 24, len - 24);
    if (ds_buf_ok(&name)) {
        const char *base = ds_text_basename(ds_buf_text(&name));
        if (strlen(base) < sizeof pe->pdb_name)
            (void)snprintf(pe->pdb_name, sizeof pe->pdb_name, "%s", base);
    }
    ds_buf_deinit(&name);
}

static void read_debug(const struct ds_pe_memory *m, struct ds_pe *pe, uint32_t rva, uint32_t size)
{
    uint32_t count = size / DEBUG_ENTRY;
    bool whole = count <= DEBUG_ENTRIES;
    if (!whole)
        count = DEBUG_ENTRIES;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t entry[DEBUG_ENTRY];
        if (read_at(m, pe->base, rva + i * DEBUG_ENTRY, entry, sizeof entry) != DS_OK)
            return;
        uint32_t type = ds_le32(entry + 12);
        if (type == TYPE_REPRO)
            pe->reproducible = true;
        if (type == TYPE_CODEVIEW && pe->pdb_id[0] == '\0')
            read_codeview(m, pe, ds_le32(entry + 20), ds_le32(entry + 16));
    }
    pe->debug_known = whole;
}

enum ds_status ds_pe_read_from(const struct ds_pe_memory *memory, uint64_t base, struct ds_pe *ret,
                               struct ds_err *err)
{
    uint8_t opt[96];
    uint32_t directories = 0, opt_at = 0, rva, size;
    struct ds_pe pe = {.base = base};
    enum ds_status status = read_headers(memory, &pe, opt, &directories, &opt_at, err);
    if (status != DS_OK)
        return status;
    pe.size_of_image = ds_le32(opt + 56);
    pe.checksum = ds_le32(opt + 64);
    (void)read_directory(memory, &pe, opt_at, directories, 0, &pe.export_rva, &pe.export_size);
    (void)read_directory(memory, &pe, opt_at, directories, 3, &pe.exception_rva,
                         &pe.exception_size);
    (void)read_directory(memory, &pe, opt_at, directories, 2, &pe.resource_rva, &pe.resource_size);
    if (read_directory(memory, &pe, opt_at, directories, 6, &rva, &size))
        read_debug(memory, &pe, rva, size);
    else
        pe.debug_known = lacks_directory(memory, &pe, opt_at, directories, 6);
    *ret = pe;
    return DS_OK;
}

enum ds_status ds_pe_read(struct ds_space *space, uint64_t base, struct ds_pe *ret,
                          struct ds_err *err)
{
    struct ds_pe_memory memory = ds_pe_memory_of_space(space);
    return ds_pe_read_from(&memory, base, ret, err);
}
