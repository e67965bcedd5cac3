/*
 * Page-table entries with a bit that no software leaves so: alone in an entry that is empty
 * otherwise, or in the frame number of a table, which then lies beyond memory. The entries are
 * those that the bugcheck names and those on the way to the addresses of the fault. x64 only:
 * elsewhere free entries are chained through their upper bits, or their bits are not documented.
 */
#include <string.h>

#include "dump/cpuid.h"
#include "nt/bugcheck.h"
#include "nt/hardware_impl.h"

#define FRAME 0x000ffffffffff000u
#define PRESENT 1u
#define LARGE 0x80u
#define PROTECTION 0x3e0u /* alone: demand zero */
#define SOFTWARE 0xfc1eu  /* prototype, transition, page file number of any build */
#define ONE_OF_ALL (64.0 / 18446744073709551616.0)

struct pte_scene {
    struct ds_nt *nt;
    struct ds_target *t;
    struct ds_flip_list *out;
    uint64_t memory_end;  /* physical; 0 unknown */
    uint64_t address_end; /* physical addresses that the processor has; 0 unknown */
};

static void add(struct pte_scene *s, const char *subject, struct ds_opt place, uint64_t value,
                uint64_t expected, const char *expected_is, double chance)
{
    ds_flip_add(s->out, &(struct ds_bit_flip){.subject = subject,
                                              .place = place,
                                              .value = value,
                                              .expected = expected,
                                              .bit = (uint32_t)ds_one_bit(value, expected),
                                              .kind = "page table",
                                              .expected_is = expected_is,
                                              .confidence = "medium",
                                              .chance = chance});
}

/* ---- what the bugcheck says ---- */

static void flips_of_bugcheck(struct pte_scene *s)
{
    const struct ds_dump_header *h = ds_dump_header(s->t->dump);
    uint64_t p[4];
    for (unsigned i = 0; i < 4; i++) {
        if (!h->bugcheck_parameter[i].known)
            return;
        p[i] = h->bugcheck_parameter[i].value;
    }
    if (!h->bugcheck_code.known || ds_bugcheck_base((uint32_t)h->bugcheck_code.value) != 0x1a)
        return;
    if (p[0] == 0x41792) { /* parameters 3 and 4 are the halves of the entry at parameter 2 */
        uint64_t entry = p[2] > UINT32_MAX ? p[2] : p[2] | p[3] << 32;
        if (ds_one_bit(entry, 0) >= 0)
            add(s, "the corrupt PTE (parameters 3 and 4)", ds_opt_known(p[1]), entry, 0,
                "an empty entry", ONE_OF_ALL);
    } else if ((p[0] == 0x41201 || p[0] == 0x41202) && ds_one_bit(p[2], 0) >= 0) {
        add(s, "the corrupt PTE (parameter 3)", ds_opt_known(p[1]), p[2], 0, "an empty entry",
            ONE_OF_ALL);
    } else if (p[0] == 0x403 && ds_one_bit(p[2], p[3]) >= 0) {
        add(s, "parameter 3", ds_opt_unknown(DS_OK), p[2], p[3],
            "parameter 4, the other record of the same page", ONE_OF_ALL);
    }
}

/* ---- the tables in the dump ---- */

/* A single bit that may be meant: a protection, a software state, or the mask that hides addresses
 * of entries that are not present. */
static bool may_be_meant(const struct pte_scene *s, uint64_t entry)
{
    const struct ds_pte_layout *l = ds_space_pte_layout(s->t->kernel);
    if ((entry & (PROTECTION | SOFTWARE)) != 0)
        return true;
    return entry > UINT32_MAX && (!l->mask_known || (entry & l->invalid_mask) != 0);
}

/* Whether the dump holds the page that the frame number names. */
static bool captured(const struct pte_scene *s, uint64_t frame)
{
    uint8_t byte;
    return frame != 0 && frame < s->memory_end &&
           ds_dump_read_phys(s->t->dump, frame, &byte, 1, NULL) == DS_OK;
}

static double frame_odds(const struct pte_scene *s)
{
    return 40.0 * (double)s->memory_end / 4503599627370496.0;
}

static void check_frame(struct pte_scene *s, const struct ds_walk_step *step, const char *subject)
{
    uint64_t entry = step->entry.value, frame = entry & FRAME;
    bool table = step->level > 1 && (entry & LARGE) == 0;
    uint64_t end = table ? s->memory_end : s->address_end;
    if ((entry & PRESENT) == 0 || end == 0 || frame < end)
        return;
    for (unsigned bit = 12; bit < 52; bit++) {
        uint64_t other = entry ^ (uint64_t)1 << bit;
        if (captured(s, other & FRAME))
            add(s, subject, step->entry_va, entry, other,
                table ? "an entry whose table lies in memory"
                      : "an entry whose page lies in memory",
                frame_odds(s));
    }
}

static void check_address(struct pte_scene *s, uint64_t va, const char *what)
{
    struct ds_explanation e;
    ds_space_explain(s->t->kernel, va, &e);
    for (unsigned i = 0; i < e.count && i < DS_WALK_STEPS; i++) {
        const struct ds_walk_step *step = &e.steps[i];
        if (step->level == 0 || !step->entry.known || step->entry.value == 0)
            continue;
        const char *subject = ds_flip_text(s->nt, "%s of %s", step->name, what);
        uint64_t entry = step->entry.value;
        if (ds_one_bit(entry, 0) >= 0 && !may_be_meant(s, entry))
            add(s, subject, step->entry_va, entry, 0, "an empty entry", ONE_OF_ALL);
        else if (step->state == DS_PTE_RESERVED && captured(s, entry & FRAME))
            add(s, subject, step->entry_va, entry, entry ^ LARGE,
                "an entry without the page-size bit, which this level does not have",
                frame_odds(s));
        else
            check_frame(s, step, subject);
    }
}

/* Physical memory ends behind the last page of a complete dump; not where a file is cut short. */
static uint64_t memory_end(struct ds_dump *d)
{
    struct ds_phys_run run;
    const struct ds_integrity *in = ds_dump_integrity(d);
    enum ds_dump_kind kind = ds_dump_kind(d);
    size_t count = ds_dump_phys_run_count(d);
    if ((kind != DS_DUMP_FULL && kind != DS_DUMP_BITMAP_FULL) || count == 0 || in->dropped > 0 ||
        ds_integrity_worst(in) != DS_INTEGRITY_NOTE || !ds_dump_phys_run(d, count - 1, &run))
        return 0;
    return run.pa + run.size;
}

/* MAXPHYADDR: CPUID leaf 0x80000008, EAX bits 0 to 7 (Intel SDM 2A; AMD APM 3). */
static uint64_t address_end(struct ds_nt *nt)
{
    uint8_t *blob;
    size_t size;
    struct ds_cpuid_row row;
    unsigned bits = 0;
    if (ds_dump_blob_load(nt->target->dump, DS_CPUID_TAG, &blob, &size) != DS_OK)
        return 0;
    for (size_t i = 0; ds_cpuid_row(blob, size, i, &row); i++)
        if (row.leaf == 0x80000008 && (row.first[0] & 0xff) > bits)
            bits = row.first[0] & 0xff;
    free(blob);
    return bits >= 32 && bits < 52 ? (uint64_t)1 << bits : 0;
}

static void flips_of_tables(struct pte_scene *s)
{
    const struct ds_fault_facts *f = ds_nt_fault(s->nt);
    const struct ds_dump_header *h = ds_dump_header(s->t->dump);
    uint64_t entry;
    s->memory_end = memory_end(s->t->dump);
    s->address_end = address_end(s->nt);
    if (f->fault_address.known)
        check_address(s, f->fault_address.value, "the fault's address");
    if (f->chosen < f->context_count)
        check_address(s, f->contexts[f->chosen].context.pc, "the instruction");
    bool names_pte = h->bugcheck_code.known && h->bugcheck_parameter[1].known &&
                     ds_bugcheck_base((uint32_t)h->bugcheck_code.value) == 0x1a &&
                     (ds_opt_or(h->bugcheck_parameter[0], 0) & ~UINT64_C(0xfff)) == 0x41000;
    if (names_pte &&
        ds_space_read_uint(s->t->kernel, h->bugcheck_parameter[1].value, 8, &entry, NULL) ==
            DS_OK &&
        ds_one_bit(entry, 0) >= 0 && !may_be_meant(s, entry))
        add(s, "the entry at parameter 2", h->bugcheck_parameter[1], entry, 0, "an empty entry",
            ONE_OF_ALL);
}

/* Whether page tables would have something to say: the fault's address is no member of null, its
 * code is missing, or the memory manager names an entry. */
static bool tables_matter(struct ds_nt *nt)
{
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    struct ds_claim claim = ds_claim_of(nt);
    return (claim.kind == DS_CLAIM_ADDRESS && claim.address >= 0x10000) ||
           (h->bugcheck_code.known && ds_bugcheck_base((uint32_t)h->bugcheck_code.value) == 0x1a);
}

const struct ds_bit_flips *ds_nt_pte_flips(struct ds_nt *nt)
{
    static const struct ds_bit_flips none = {
        .walk = {.table_name = "pte_flips", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_hardware *h = ds_hardware_of(nt);
    struct ds_flip_list list;
    if (h == NULL || (!h->have_pte && !ds_flip_list_open(nt, &list)))
        return &none;
    if (h->have_pte)
        return &h->pte;
    h->have_pte = true;
    struct pte_scene s = {.nt = nt, .t = nt->target, .out = &list};
    enum ds_paging mode =
        nt->target->kernel != NULL ? ds_space_paging(nt->target->kernel) : DS_PAGING_NONE;
    bool tables = mode == DS_PAGING_X64 || mode == DS_PAGING_LA57;
    flips_of_bugcheck(&s);
    if (tables)
        flips_of_tables(&s);
    h->pte = ds_flip_list_close(&list, "pte_flips");
    if (!tables && tables_matter(nt)) {
        h->pte.walk.complete = false;
        h->pte.walk.stop_reason = mode == DS_PAGING_NONE ? DS_NOT_IN_DUMP : DS_UNSUPPORTED;
        h->pte.walk.detail = mode == DS_PAGING_NONE
                                 ? "the dump holds no page tables, only what the bugcheck says"
                                 : "only entries of x64 are judged";
    }
    return &h->pte;
}
