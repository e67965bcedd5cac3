/* One walk through page tables that may be none: nothing is kept, nothing is explained. */
#include "base/bytes.h"
#include "memory/format.h"
#include "memory/space.h"

enum ds_status ds_paging_probe(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb, uint64_t va,
                               uint64_t *pa, int *level_reached)
{
    const struct ds_format *f = ds_format_of(mode);
    if (f == NULL) {
        return DS_UNSUPPORTED;
    }
    if (!f->canonical(va)) {
        return DS_NOT_MAPPED;
    }
    uint64_t table = ds_paging_root(mode, dtb);
    for (int level = f->levels; level >= 1; level--) {
        uint8_t raw[8] = {0};
        uint64_t next = 0;
        if (level_reached != NULL) {
            *level_reached = level;
        }
        enum ds_status status = ds_dump_read_phys(dump, ds_format_entry_pa(f, va, level, table),
                                                  raw, f->entry_size, NULL);
        if (status != DS_OK) {
            return status;
        }
        switch (f->step(ds_le64(raw), level, &next)) {
        case DS_ENTRY_ABSENT:
            return DS_NOT_MAPPED;
        case DS_ENTRY_RESERVED:
            return DS_CORRUPT;
        case DS_ENTRY_PAGE:
            *pa = next | (va & (((uint64_t)1 << f->shift[level]) - 1));
            return DS_OK;
        case DS_ENTRY_TABLE:
            table = next;
            break;
        }
    }
    return DS_CORRUPT;
}

enum ds_status ds_paging_probe_read(struct ds_dump *dump, enum ds_paging mode, uint64_t dtb,
                                    uint64_t va, void *buf, size_t len)
{
    uint8_t *out = buf;
    while (len != 0) {
        uint64_t pa;
        size_t part = DS_PAGE_SIZE - (size_t)(va & DS_PAGE_MASK);
        part = part < len ? part : len;
        enum ds_status status = ds_paging_probe(dump, mode, dtb, va, &pa, NULL);
        if (status == DS_OK) {
            status = ds_dump_read_phys(dump, pa, out, part, NULL);
        }
        if (status != DS_OK) {
            return status;
        }
        va += part;
        out += part;
        len -= part;
    }
    return DS_OK;
}
