#include "target/dtb.h"

#include "base/bytes.h"

#define CR4_PAE 5u
#define CR4_LA57 12u

unsigned ds_dtb_rank(const struct ds_dtb_fit *fit)
{
    if (fit->status != DS_OK) {
        return 0;
    }
    return 1u + (fit->self ? 1u : 0u) + (fit->plausible ? 2u : 0u) + (fit->list ? 4u : 0u);
}

uint64_t ds_dtb_shared_data(enum ds_paging mode)
{
    return mode == DS_PAGING_X86 || mode == DS_PAGING_PAE ? 0xffdf0000u : 0xfffff78000000000u;
}

/* What CR4 of the processors says of the mode; false when none of them used page tables, or they
 * disagree. Bits: Intel SDM volume 3A, 2.5. */
static bool processor_bit(const struct ds_target *t, unsigned bit, bool *ret)
{
    bool known = false;
    for (size_t i = 0; i < ds_dump_cpu_count(t->dump); i++) {
        const struct ds_dump_cpu *cpu = ds_dump_cpu(t->dump, i);
        if (!cpu->cr4.known || !cpu->cr3.known || cpu->cr3.value == 0) {
            continue;
        }
        bool now = (cpu->cr4.value >> bit & 1) != 0;
        if (known && now != *ret) {
            return false;
        }
        *ret = now;
        known = true;
    }
    return known;
}

size_t ds_dtb_modes(const struct ds_target *t, enum ds_paging modes[DS_DTB_MODES])
{
    static const enum ds_paging all[DS_DTB_MODES] = {DS_PAGING_X64, DS_PAGING_LA57, DS_PAGING_PAE,
                                                     DS_PAGING_X86, DS_PAGING_ARM64};
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    bool no_pae = h->pae_enabled.known && h->pae_enabled.value == 0;
    bool set = false, la57 = processor_bit(t, CR4_LA57, &set) && set;
    if (!h->pae_enabled.known && processor_bit(t, CR4_PAE, &set)) {
        no_pae = !set;
    }
    switch (t->arch) {
    case DS_ARCH_X64:
        modes[0] = la57 ? DS_PAGING_LA57 : DS_PAGING_X64;
        modes[1] = la57 ? DS_PAGING_X64 : DS_PAGING_LA57;
        return 2;
    case DS_ARCH_X86:
        modes[0] = no_pae ? DS_PAGING_X86 : DS_PAGING_PAE;
        modes[1] = no_pae ? DS_PAGING_PAE : DS_PAGING_X86;
        return 2;
    case DS_ARCH_ARM64:
        modes[0] = DS_PAGING_ARM64;
        return 1;
    case DS_ARCH_ARM:
        return 0;
    case DS_ARCH_UNKNOWN:
        break;
    }
    for (size_t i = 0; i < DS_DTB_MODES; i++) {
        modes[i] = all[i];
    }
    if (la57) {
        modes[0] = DS_PAGING_LA57;
        modes[1] = DS_PAGING_X64;
    }
    return DS_DTB_MODES;
}

/*
 * KUSER_SHARED_DATA (Windows SDK, ntddk.h): NtSystemRoot at 0x30 begins with a drive's letter and
 * a colon; NtMajorVersion at 0x26c is 5, 6 or 10.
 */
static bool reads_like_shared_data(struct ds_target *t, uint64_t pa)
{
    uint8_t root[4], major[4];
    if (ds_dump_read_phys(t->dump, pa + 0x30, root, sizeof(root), NULL) != DS_OK ||
        ds_dump_read_phys(t->dump, pa + 0x26c, major, sizeof(major), NULL) != DS_OK) {
        return false;
    }
    uint32_t letter = ds_le16(root) & ~0x20u;
    uint32_t version = ds_le32(major);
    return letter >= 'A' && letter <= 'Z' && ds_le16(root + 2) == ':' &&
           (version == 5 || version == 6 || version == 10);
}

static bool read_ptr(struct ds_target *t, const struct ds_dtb_fit *f, uint64_t va, uint64_t *ret)
{
    uint8_t raw[8] = {0};
    size_t size = f->mode == DS_PAGING_X86 || f->mode == DS_PAGING_PAE ? 4 : 8;
    if (ds_paging_probe_read(t->dump, f->mode, f->dtb, va, raw, size) != DS_OK) {
        return false;
    }
    *ret = ds_le64(raw);
    return true;
}

/* The head of a list whose first entry points back at it. */
static bool header_list_holds(struct ds_target *t, const struct ds_dtb_fit *f)
{
    struct ds_opt head = ds_dump_header(t->dump)->ps_loaded_module_list;
    uint64_t first, back, pointer = ds_dtb_shared_data(f->mode) >> 32 != 0 ? 8 : 4;
    return head.known && head.value != 0 && read_ptr(t, f, head.value, &first) &&
           first != head.value && read_ptr(t, f, first + pointer, &back) && back == head.value;
}

static bool maps_itself(struct ds_target *t, const struct ds_dtb_fit *f)
{
    uint8_t table[4096];
    uint64_t root = ds_paging_root(f->mode, f->dtb);
    if (f->mode == DS_PAGING_PAE) {
        uint8_t entry[8], self[8];
        if (ds_dump_read_phys(t->dump, root + 24, entry, 8, NULL) != DS_OK) {
            return false;
        }
        uint64_t last = ds_le64(entry) & 0x000ffffffffff000u;
        return ds_dump_read_phys(t->dump, last + 24, self, 8, NULL) == DS_OK &&
               (ds_le64(self) & 1) != 0 && (ds_le64(self) & 0x000ffffffffff000u) == last;
    }
    if (ds_dump_read_phys(t->dump, root, table, sizeof(table), NULL) != DS_OK) {
        return false;
    }
    if (f->mode == DS_PAGING_X86) { /* at c0000000: entry 0x300 */
        return (ds_le32(table + 0xc00) & 0xfffff081u) == (root | 1);
    }
    uint64_t present = f->mode == DS_PAGING_ARM64 ? 3 : 1;
    for (size_t i = 256; i < 512; i++) {
        uint64_t e = ds_le64(table + i * 8);
        if ((e & present) == present && (e & 0x0000fffffffff000u) == root) {
            return true;
        }
    }
    return false;
}

struct ds_dtb_fit ds_dtb_try(struct ds_target *t, enum ds_paging mode, uint64_t dtb)
{
    struct ds_dtb_fit f = {.mode = mode, .dtb = dtb};
    uint64_t pa = 0;
    f.status = ds_paging_probe(t->dump, mode, dtb, ds_dtb_shared_data(mode), &pa, &f.level);
    if (f.status == DS_OK) {
        f.plausible = reads_like_shared_data(t, pa);
        f.list = header_list_holds(t, &f);
        f.self = maps_itself(t, &f);
    }
    return f;
}

bool ds_dtb_is_lower_half(struct ds_target *t, const struct ds_dtb_fit *fit)
{
    uint8_t table[4096];
    bool holds = false;
    if (fit->mode != DS_PAGING_ARM64 ||
        ds_dump_read_phys(t->dump, ds_paging_root(fit->mode, fit->dtb), table, sizeof(table),
                          NULL) != DS_OK) {
        return false;
    }
    for (size_t i = 0; i < 512; i++) {
        uint64_t e = ds_le64(table + i * 8);
        if (e != 0 && (i >= 256 || (e & 3) != 3)) {
            return false;
        }
        holds = holds || e != 0;
    }
    return holds;
}
