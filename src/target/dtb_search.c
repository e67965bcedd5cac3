/* Page directories found in physical memory. */
#include "base/bytes.h"
#include "base/limits.h"
#include "target/dtb.h"
#include "target/scan.h"

#define PFN_MASK 0x000ffffffffff000u
#define PROBE_PAGES 4096u /* where the page directory of a started Windows is: 16 MiB */
#define BEST_RANK 4u      /* maps itself and plausible shared data: no need to look further */

struct search {
    struct ds_target *t;
    struct ds_dtb_search *s;
    enum ds_paging modes[DS_DTB_MODES];
    size_t mode_count;
};

/* False when nothing better can come, or the probes are used up. */
static bool consider(struct search *x, enum ds_paging mode, uint64_t dtb)
{
    struct ds_dtb_search *s = x->s;
    if (s->probes == DS_LIMIT_DTB_PROBES) {
        s->status = DS_LIMIT;
        return false;
    }
    s->probes++;
    struct ds_dtb_fit f = ds_dtb_try(x->t, mode, dtb);
    /* Any page with an entry in the right place maps something: more than that is asked for. */
    if (ds_dtb_rank(&f) > 1 && ds_dtb_rank(&f) > ds_dtb_rank(&s->best)) {
        s->best = f;
    }
    return ds_dtb_rank(&s->best) < BEST_RANK;
}

/* A table entry (not a large page) with nothing above bit 51 but software bits and NX. */
static bool is_table(const uint8_t *page, uint64_t va, unsigned shift)
{
    uint64_t e = ds_le64(page + (va >> shift & 0x1ff) * 8);
    return (e & 0x81) == 1 && (e & PFN_MASK) != 0;
}

/* Page-directory-pointer tables of PAE: four entries of 8 bytes, 32-byte aligned (Intel SDM 3A,
 * 4.4.1: bits 1, 2 and 5 to 8 are reserved). */
static bool consider_pae(struct search *x, uint64_t pa, const uint8_t *page)
{
    for (unsigned at = 0; at < 4096; at += 32) {
        bool holds = true;
        for (unsigned i = 0; i < 4 && holds; i++) {
            uint64_t e = ds_le64(page + at + i * 8);
            holds = (e & 0x1e7) == 1 && e >> 52 == 0 && (e & PFN_MASK) != 0;
        }
        if (holds && !consider(x, DS_PAGING_PAE, pa + at)) {
            return false;
        }
    }
    return true;
}

static bool consider_mode(struct search *x, enum ds_paging mode, uint64_t pa, const uint8_t *page)
{
    uint64_t va = ds_dtb_shared_data(mode), e;
    switch (mode) {
    case DS_PAGING_X64:
        return !is_table(page, va, 39) || consider(x, mode, pa);
    case DS_PAGING_LA57:
        return !is_table(page, va, 48) || consider(x, mode, pa);
    case DS_PAGING_ARM64:
        e = ds_le64(page + (va >> 39 & 0x1ff) * 8);
        return (e & 3) != 3 || (e & PFN_MASK) == 0 || consider(x, mode, pa);
    case DS_PAGING_PAE:
        return consider_pae(x, pa, page);
    case DS_PAGING_X86:
        e = ds_le32(page + (va >> 22) * 4);
        return pa > UINT32_MAX || (e & 0x81) != 1 || consider(x, mode, pa);
    case DS_PAGING_NONE:
        break;
    }
    return true;
}

static bool consider_page(void *arg, uint64_t pa, const uint8_t *page, size_t len)
{
    struct search *x = arg;
    (void)len;
    for (size_t i = 0; i < x->mode_count; i++) {
        if (!consider_mode(x, x->modes[i], pa, page)) {
            return false;
        }
    }
    return true;
}

struct ds_dtb_search ds_dtb_search_start(void)
{
    return (struct ds_dtb_search){.best = {.status = DS_NOT_FOUND},
                                  .start_fit = {.status = DS_NOT_FOUND},
                                  .start_block = ds_opt_unknown(DS_NOT_FOUND),
                                  .start_entry = ds_opt_unknown(DS_NOT_FOUND)};
}

bool ds_target_is_windows(struct ds_dump *dump)
{
    struct ds_target t = {.dump = dump};
    struct ds_dtb_search s = ds_dtb_search_start();
    ds_dtb_find_start(&t, &s);
    if (!s.start_fit.plausible) {
        ds_dtb_search(&t, PROBE_PAGES, &s);
    }
    return s.start_fit.plausible || s.best.plausible;
}

void ds_dtb_search(struct ds_target *t, uint64_t pages, struct ds_dtb_search *s)
{
    struct search x = {.t = t, .s = s};
    x.mode_count = ds_dtb_modes(t, x.modes);
    enum ds_status status = ds_scan_physical(t->dump, pages, consider_page, &x);
    if (s->status == DS_OK && ds_dtb_rank(&s->best) < BEST_RANK) {
        s->status = status;
    }
}

void ds_dtb_find_start(struct ds_target *t, struct ds_dtb_search *s)
{
    if (t->arch != DS_ARCH_X64 && t->arch != DS_ARCH_UNKNOWN) {
        return;
    }
    for (uint64_t pa = 0x1000; pa < 0x100000; pa += DS_SCAN_PAGE) {
        uint8_t page[0xa8];
        if (ds_dump_read_phys(t->dump, pa, page, sizeof(page), NULL) != DS_OK ||
            (ds_le64(page) & 0xffffffffffff00ffu) != 0x00000001000600e9u ||
            (ds_le64(page + 0x70) & 0xfffff80000000003u) != 0xfffff80000000000u ||
            (ds_le64(page + 0xa0) & 0xffffff0000000fffu) != 0) {
            continue;
        }
        uint64_t dtb = ds_le64(page + 0xa0);
        struct ds_dtb_fit four = ds_dtb_try(t, DS_PAGING_X64, dtb);
        struct ds_dtb_fit five = ds_dtb_try(t, DS_PAGING_LA57, dtb);
        s->start_block = ds_opt_known(pa);
        s->start_entry = ds_opt_known(ds_le64(page + 0x70));
        s->start_fit = ds_dtb_rank(&five) > ds_dtb_rank(&four) ? five : four;
        if (ds_dtb_rank(&s->start_fit) != 0) {
            return;
        }
    }
}
