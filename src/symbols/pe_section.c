#include "symbols/pe_section.h"

#include <string.h>

#include "base/bytes.h"

#define LFANEW_MAX 0x10000u /* real images keep the PE header within the first page or two */
#define FILE_HEADER 24u     /* signature and COFF file header */
#define SECTION 40u
#define MEM_EXECUTE 0x20000000u
#define MEM_WRITE 0x80000000u

/* Reads the raw table; *count records of SECTION bytes. */
static enum ds_status read_table(struct ds_space *space, uint64_t base, uint8_t *table,
                                 size_t *count)
{
    uint8_t header[FILE_HEADER];
    uint64_t lfanew;
    enum ds_status status = ds_space_read_uint(space, base + 0x3c, 4, &lfanew, NULL);
    if (status != DS_OK) {
        return status;
    }
    if (lfanew > LFANEW_MAX) {
        return DS_CORRUPT;
    }
    status = ds_space_read(space, base + lfanew, header, sizeof(header), NULL);
    if (status != DS_OK) {
        return status;
    }
    *count = ds_le16(header + 6);
    if (ds_le32(header) != 0x4550 || *count == 0 || *count > DS_PE_SECTIONS_MAX) {
        return DS_CORRUPT;
    }
    uint64_t at = base + lfanew + FILE_HEADER + ds_le16(header + 20);
    return ds_space_read(space, at, table, *count * SECTION, NULL);
}

enum ds_status ds_pe_sections(struct ds_space *space, uint64_t base,
                              struct ds_pe_section ret[DS_PE_SECTIONS_MAX], size_t *count)
{
    uint8_t table[DS_PE_SECTIONS_MAX * SECTION];
    size_t n = 0;
    enum ds_status status = read_table(space, base, table, &n);
    if (status != DS_OK) {
        return status;
    }
    for (size_t i = 0; i < n; i++) {
        const uint8_t *s = table + i * SECTION;
        uint32_t flags = ds_le32(s + 36);
        ret[i] = (struct ds_pe_section){.rva = ds_le32(s + 12),
                                        .size = ds_le32(s + 8),
                                        .executable = (flags & MEM_EXECUTE) != 0,
                                        .writable = (flags & MEM_WRITE) != 0};
        memcpy(ret[i].name, s, 8);
    }
    *count = n;
    return DS_OK;
}

struct ds_opt ds_pe_executable(struct ds_space *space, uint64_t base, uint64_t va)
{
    struct ds_pe_section sections[DS_PE_SECTIONS_MAX];
    size_t count = 0;
    enum ds_status status = ds_pe_sections(space, base, sections, &count);
    if (status != DS_OK) {
        return ds_opt_unknown(status);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t rva = va - base;
        if (rva >= sections[i].rva && rva - sections[i].rva < sections[i].size) {
            return ds_opt_known(sections[i].executable);
        }
    }
    return ds_opt_known(0);
}
