#include "symbols/pe_section.h"

#include "base/bytes.h"

#define LFANEW_MAX 0x10000u /* real images keep the PE header within the first page or two */
#define FILE_HEADER 24u     /* signature and COFF file header */
#define SECTION 40u
#define SECTIONS_MAX 96u /* the loader of Windows takes no more */
#define MEM_EXECUTE 0x20000000u

static struct ds_opt look_up(const uint8_t *table, unsigned count, uint64_t rva)
{
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *s = table + (size_t)i * SECTION;
        uint64_t start = ds_le32(s + 12);
        uint64_t size = ds_le32(s + 8);
        if (rva >= start && rva - start < size) {
            return ds_opt_known((ds_le32(s + 36) & MEM_EXECUTE) != 0);
        }
    }
    return ds_opt_known(0);
}

struct ds_opt ds_pe_executable(struct ds_space *space, uint64_t base, uint64_t va)
{
    uint8_t header[FILE_HEADER], table[SECTIONS_MAX * SECTION];
    struct ds_fault fault;
    uint64_t lfanew;
    if (ds_space_read_uint(space, base + 0x3c, 4, &lfanew, &fault) != DS_OK) {
        return ds_opt_unknown(fault.status);
    }
    if (lfanew > LFANEW_MAX) {
        return ds_opt_unknown(DS_CORRUPT);
    }
    if (ds_space_read(space, base + lfanew, header, sizeof(header), &fault) != DS_OK) {
        return ds_opt_unknown(fault.status);
    }
    unsigned count = ds_le16(header + 6);
    if (ds_le32(header) != 0x4550 || count == 0 || count > SECTIONS_MAX) {
        return ds_opt_unknown(DS_CORRUPT);
    }
    uint64_t at = base + lfanew + FILE_HEADER + ds_le16(header + 20);
    if (ds_space_read(space, at, table, (size_t)count * SECTION, &fault) != DS_OK) {
        return ds_opt_unknown(fault.status);
    }
    return look_up(table, count, va - base);
}
