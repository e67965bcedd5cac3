/* Tables that are called: page-table entries, VADs, who shares a page, page frames. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/table.h"
#include "memory/words.h"
#include "nt/sharing.h"
#include "nt/spaces.h"

static struct ds_rows call_failed(enum ds_status why)
{
    return ds_rows_cut(NULL, 0, 0, why, "");
}

/* One row, copied to memory of its own. */
static struct ds_rows one_row(const void *row, size_t size)
{
    void *copy = malloc(size);
    if (copy == NULL)
        return call_failed(DS_NO_MEMORY);
    memcpy(copy, row, size);
    return ds_rows_complete(copy, size, 1);
}

static struct ds_opt known_if(bool condition, uint64_t value, enum ds_status why)
{
    return condition ? ds_opt_known(value) : ds_opt_unknown(why);
}

/* ---- pte(va[, eprocess]) ---- */

struct pte_row {
    uint32_t level;
    const char *name, *state, *status, *protection; /* static */
    struct ds_opt entry_va, entry_pa, entry, frame, physical, page_size, prototype;
    struct ds_opt page_file, page_file_page;
    char flags[DS_PTE_FLAGS_SIZE];
    char reason[200];
};

#define ROW struct pte_row
static const struct ds_column_spec pte_columns[] = {
    {"level", DS_COL_INTEGER, "5 (PML5E) to 1 (PTE); 0 = the prototype PTE", "",
     DS_FIELD(ROW, level)},
    {"name", DS_COL_TEXT, "WinDbg's word: PXE, PPE, PDE, PTE, ...", "!pte", DS_FIELD(ROW, name)},
    {"entry_address", DS_COL_ADDRESS,
     "where Windows maps the entry: virtual; NULL when that is not known", "!pte",
     DS_FIELD(ROW, entry_va)},
    {"entry_physical", DS_COL_ADDRESS, "where the entry is: physical", "!vtop",
     DS_FIELD(ROW, entry_pa)},
    {"contents", DS_COL_ADDRESS, "the entry; NULL when it cannot be read", "!pte",
     DS_FIELD(ROW, entry)},
    {"state", DS_COL_TEXT,
     "valid, transition, prototype, page_file, demand_zero, vad, mapped_file, empty, empty_table, "
     "reserved, software, no_entry",
     "!pte", DS_FIELD(ROW, state)},
    {"flags", DS_COL_TEXT, "of a valid entry, as !pte writes them; else NULL", "!pte",
     DS_FIELD(ROW, flags)},
    {"protection", DS_COL_TEXT, "of an entry in a software state that has one", "!pte",
     DS_FIELD(ROW, protection)},
    {"page_frame", DS_COL_ADDRESS, "the page or table that the entry leads to: a frame number",
     "!pte (pfn)", DS_FIELD(ROW, frame)},
    {"status", DS_COL_TEXT, "of the whole translation: ok, or the fault", "",
     DS_FIELD(ROW, status)},
    {"reason", DS_COL_TEXT, "why there is no page, in words; NULL when there is one", "",
     DS_FIELD(ROW, reason)},
    {"physical_address", DS_COL_ADDRESS, "what va translates to: physical; NULL when nothing",
     "!vtop", DS_FIELD(ROW, physical)},
    {"page_size", DS_COL_INTEGER, "bytes of that page", "", DS_FIELD(ROW, page_size)},
    {"prototype_address", DS_COL_ADDRESS, "the prototype PTE that decided: virtual", "!pte",
     DS_FIELD(ROW, prototype)},
    {"page_file", DS_COL_INTEGER, "the page file that holds the page, 0 to 15", "!pte",
     DS_FIELD(ROW, page_file)},
    {"page_file_page", DS_COL_ADDRESS, "where in it: in pages of 4096 bytes", "!pte",
     DS_FIELD(ROW, page_file_page)},
    {"va", DS_COL_ADDRESS, "the virtual address", "", NULL},
    {"eprocess", DS_COL_ADDRESS, "the process whose address it is; the kernel's when left out", "",
     NULL},
};
#undef ROW

static void pte_step(struct pte_row *r, enum ds_paging mode, const struct ds_walk_step *s)
{
    uint64_t mask = mode == DS_PAGING_ARM64 ? 0x0000fffffffff000u : 0x000ffffffffff000u;
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    r->level = (uint32_t)s->level;
    r->name = s->name;
    r->state = ds_pte_state_name(s->state);
    r->entry_va = s->entry_va;
    r->entry_pa = s->entry_pa;
    r->entry = s->entry;
    r->frame = none;
    if (!s->entry.known)
        return;
    if (s->state == DS_PTE_VALID) {
        ds_pte_flags_text(mode, s->entry.value, s->level > 0 ? s->level : 1, r->flags);
        r->frame = ds_opt_known((s->entry.value & mask) >> 12);
        return;
    }
    struct ds_opt protection = ds_pte_protection(mode, s->entry.value, s->state);
    r->protection = protection.known ? ds_protection_name((unsigned)protection.value) : NULL;
}

static void pte_outcome(struct pte_row *r, const struct ds_explanation *e, const char *reason)
{
    bool ok = e->status == DS_OK, file = e->fault.state == DS_PTE_PAGE_FILE;
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    r->status = ds_status_name(e->status);
    r->physical = known_if(ok, e->pa, e->status);
    r->page_size = known_if(ok, e->page_size, e->status);
    r->prototype = e->fault.prototype.known ? e->fault.prototype : none;
    r->page_file = file ? e->fault.page_file : none;
    r->page_file_page = file ? e->fault.page_file_offset : none;
    (void)snprintf(r->reason, sizeof(r->reason), "%s", reason);
}

static void pte_call(struct ds_facts *f, const uint64_t *args, const bool *given,
                     struct ds_rows *ret)
{
    struct ds_nt *nt = ds_facts_nt(f);
    struct ds_target *t = ds_nt_target(nt);
    struct ds_space *s = t->kernel;
    enum ds_status status = s != NULL ? DS_OK : t->kernel_why;
    if (status == DS_OK && given[1])
        status = ds_nt_space_of(nt, args[1], &s);
    if (status == DS_OK && ds_space_paging(s) == DS_PAGING_NONE)
        status = DS_UNSUPPORTED;
    struct pte_row *rows = status == DS_OK ? calloc(DS_WALK_STEPS, sizeof(*rows)) : NULL;
    if (rows == NULL) {
        *ret = call_failed(status == DS_OK ? DS_NO_MEMORY : status);
        return;
    }
    struct ds_explanation e;
    struct ds_vad vad;
    bool has_vad;
    if (given[1])
        ds_nt_explain(nt, args[1], s, args[0], &e, &vad, &has_vad);
    else
        ds_space_explain(s, args[0], &e);
    struct ds_buf reason;
    ds_buf_init(&reason, 4096);
    ds_fault_words(ds_space_paging(s), &e.fault, 2 * t->pointer_size, &reason);
    for (unsigned i = 0; i < e.count; i++) {
        pte_step(&rows[i], ds_space_paging(s), &e.steps[i]);
        pte_outcome(&rows[i], &e, ds_buf_text(&reason));
    }
    ds_buf_deinit(&reason);
    *ret = ds_rows_complete(rows, sizeof(*rows), e.count);
}

const struct ds_table ds_table_pte = {
    .spec = {.name = "pte",
             .doc = "The page-table entries of a virtual address, from the top; a prototype PTE "
                    "comes last. No rows for an address that is not canonical, and in minidumps.",
             .windbg = "!pte, !vtop",
             .columns = pte_columns,
             .column_count = sizeof(pte_columns) / sizeof(pte_columns[0]),
             .argument_count = 2,
             .argument_needed = 1},
    .fill = ds_fill_none,
    .call = pte_call};

/* ---- vads(eprocess) ---- */

static void vad_type(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_text(v, ds_vad_type_name(row));
}

static void vad_protection(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_vad *vad = row;
    (void)f;
    (void)i;
    if (vad->protection.known)
        ds_value_text(v, ds_protection_name((unsigned)vad->protection.value));
}

static void vad_file(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    if (ds_nt_vad_file(ds_facts_nt(f), row, v->scratch) == DS_OK && v->scratch->len > 0)
        ds_value_scratch(v);
}

#define ROW struct ds_vad
static const struct ds_column_spec vad_columns[] = {
    {"vad", DS_COL_ADDRESS, "the _MMVAD or _MMVAD_SHORT: virtual", "!vad", DS_FIELD(ROW, vad)},
    {"level", DS_COL_INTEGER, "in the tree, from 1", "!vad", DS_FIELD(ROW, level)},
    {"start_address", DS_COL_ADDRESS, "first byte: virtual, of the process", "!vad",
     DS_FIELD(ROW, start)},
    {"end_address", DS_COL_ADDRESS, "last byte", "!vad", DS_FIELD(ROW, end)},
    {"type", DS_COL_TEXT,
     "private, mapped, image, device memory, AWE, write watch, large pages, rotating physical, "
     "large page section",
     "!vad", DS_DERIVED(vad_type)},
    {"protection", DS_COL_TEXT, "of the whole range, when it was made: READWRITE, ...", "!vad",
     DS_DERIVED(vad_protection)},
    {"private_memory", DS_COL_BOOL, "whether it is no view of a section", "!vad",
     DS_FIELD(ROW, private_memory)},
    {"first_prototype_pte", DS_COL_ADDRESS, "the prototype PTE of its first page: virtual", "",
     DS_FIELD(ROW, first_prototype)},
    {"file", DS_COL_TEXT,
     "the file behind the section; NULL for private memory, for sections of the page file, and "
     "where it cannot be read",
     "!vad", DS_DERIVED(vad_file)},
    {"eprocess", DS_COL_ADDRESS, "the process: its EPROCESS", "", NULL},
};
#undef ROW

static void vads_call(struct ds_facts *f, const uint64_t *args, const bool *given,
                      struct ds_rows *ret)
{
    struct ds_vads vads;
    (void)given;
    ds_nt_vads(ds_facts_nt(f), args[0], &vads);
    *ret = (struct ds_rows){vads.rows, sizeof(*vads.rows), vads.count, vads.walk};
}

const struct ds_table ds_table_vads = {
    .spec = {.name = "vads",
             .doc = "The ranges of a process's memory that are reserved, committed or mapped, "
                    "ascending. What was read before a fault is given; walks says why it ended.",
             .windbg = "!vad",
             .columns = vad_columns,
             .column_count = sizeof(vad_columns) / sizeof(vad_columns[0]),
             .argument_count = 1,
             .argument_needed = 1},
    .fill = ds_fill_none,
    .needs_layout = true,
    .call = vads_call};

/* ---- page_frame(pfn) ---- */

static void frame_location(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    const struct ds_pfn_entry *x = row;
    (void)f;
    (void)i;
    ds_value_text(v, x->location.known ? ds_pfn_location_name(x->location.value) : NULL);
}

#define ROW struct ds_pfn_entry
static const struct ds_column_spec frame_columns[] = {
    {"address", DS_COL_ADDRESS, "the _MMPFN: virtual", "!pfn", DS_FIELD(ROW, address)},
    {"share_count", DS_COL_INTEGER, "page-table entries that map the page", "!pfn",
     DS_FIELD(ROW, share_count)},
    {"reference_count", DS_COL_INTEGER, "reasons for it to stay in memory", "!pfn",
     DS_FIELD(ROW, reference_count)},
    {"location", DS_COL_TEXT, "active, standby, modified, transition, free, zeroed, bad", "!pfn",
     DS_DERIVED(frame_location)},
    {"prototype", DS_COL_BOOL, "whether the page belongs to a section", "!pfn",
     DS_FIELD(ROW, prototype)},
    {"pte_address", DS_COL_ADDRESS, "its PTE or prototype PTE: virtual", "!pfn",
     DS_FIELD(ROW, pte_address)},
    {"pfn", DS_COL_ADDRESS, "the page frame number", "", NULL},
};
#undef ROW

static void frame_call(struct ds_facts *f, const uint64_t *args, const bool *given,
                       struct ds_rows *ret)
{
    (void)given;
    struct ds_pfn_entry x = ds_nt_pfn(ds_facts_nt(f), args[0]);
    *ret = x.address.known ? one_row(&x, sizeof(x)) : call_failed(x.address.why);
}

const struct ds_table ds_table_page_frame = {
    .spec = {.name = "page_frame",
             .doc = "What the page-frame database says of a physical page. No rows when it cannot "
                    "be found.",
             .windbg = "!pfn",
             .columns = frame_columns,
             .column_count = sizeof(frame_columns) / sizeof(frame_columns[0]),
             .argument_count = 1,
             .argument_needed = 1},
    .fill = ds_fill_none,
    .needs_layout = true,
    .call = frame_call};

/* ---- page_sharing(va, eprocess_a, eprocess_b) ---- */

struct sharing_row {
    const char *verdict, *state_a, *state_b; /* static */
    struct ds_opt copied_a, copied_b, physical_a, physical_b, pte_a, pte_b;
    struct ds_opt copy_on_write_a, copy_on_write_b, prototype_a, prototype_b;
    struct ds_opt share_count_a, share_count_b;
};

#define ROW struct sharing_row
static const struct ds_column_spec sharing_columns[] = {
    {"verdict", DS_COL_TEXT,
     "same (one page), same_section (one prototype PTE decides, not both have the page), copied "
     "(copy on write done), private, different, absent, unknown",
     "", DS_FIELD(ROW, verdict)},
    {"copied_a", DS_COL_BOOL, "whether the first process has a copy of its own; NULL unless copied",
     "", DS_FIELD(ROW, copied_a)},
    {"copied_b", DS_COL_BOOL, "the same of the second", "", DS_FIELD(ROW, copied_b)},
    {"physical_a", DS_COL_ADDRESS, "what va translates to in the first: physical", "!vtop",
     DS_FIELD(ROW, physical_a)},
    {"physical_b", DS_COL_ADDRESS, "in the second", "!vtop", DS_FIELD(ROW, physical_b)},
    {"pte_a", DS_COL_ADDRESS, "the last page-table entry in the first", "!pte",
     DS_FIELD(ROW, pte_a)},
    {"pte_b", DS_COL_ADDRESS, "in the second", "!pte", DS_FIELD(ROW, pte_b)},
    {"state_a", DS_COL_TEXT, "what the walk came to in the first, as in pte", "",
     DS_FIELD(ROW, state_a)},
    {"state_b", DS_COL_TEXT, "in the second", "", DS_FIELD(ROW, state_b)},
    {"copy_on_write_a", DS_COL_BOOL, "the copy-on-write bit of the first's PTE; NULL without one",
     "!pte (C)", DS_FIELD(ROW, copy_on_write_a)},
    {"copy_on_write_b", DS_COL_BOOL, "of the second's", "!pte (C)", DS_FIELD(ROW, copy_on_write_b)},
    {"prototype_a", DS_COL_ADDRESS,
     "the prototype PTE in the first, by PTE, page-frame database or VAD: virtual", "",
     DS_FIELD(ROW, prototype_a)},
    {"prototype_b", DS_COL_ADDRESS, "in the second", "", DS_FIELD(ROW, prototype_b)},
    {"share_count_a", DS_COL_INTEGER, "entries that map the first's page", "!pfn",
     DS_FIELD(ROW, share_count_a)},
    {"share_count_b", DS_COL_INTEGER, "the second's", "!pfn", DS_FIELD(ROW, share_count_b)},
    {"va", DS_COL_ADDRESS, "the virtual address", "", NULL},
    {"eprocess_a", DS_COL_ADDRESS, "the first process", "", NULL},
    {"eprocess_b", DS_COL_ADDRESS, "the second process", "", NULL},
};
#undef ROW

static struct ds_opt physical_of(const struct ds_page_view *v)
{
    return known_if(v->space_status == DS_OK && v->e.status == DS_OK, v->e.pa, v->e.status);
}

static void sharing_call(struct ds_facts *f, const uint64_t *args, const bool *given,
                         struct ds_rows *ret)
{
    struct ds_page_view a, b;
    (void)given;
    ds_nt_page_view(ds_facts_nt(f), args[1], args[0], &a);
    ds_nt_page_view(ds_facts_nt(f), args[2], args[0], &b);
    struct ds_share s = ds_nt_share(&a, &b);
    bool copied = s.verdict == DS_SHARING_COPIED && (s.copied_a || s.copied_b);
    struct sharing_row row = {.verdict = ds_sharing_name(s.verdict),
                              .state_a = ds_pte_state_name(a.e.fault.state),
                              .state_b = ds_pte_state_name(b.e.fault.state),
                              .copied_a = known_if(copied, s.copied_a, DS_NOT_FOUND),
                              .copied_b = known_if(copied, s.copied_b, DS_NOT_FOUND),
                              .physical_a = physical_of(&a),
                              .physical_b = physical_of(&b),
                              .pte_a = a.pte,
                              .pte_b = b.pte,
                              .copy_on_write_a = a.copy_on_write,
                              .copy_on_write_b = b.copy_on_write,
                              .prototype_a = a.prototype,
                              .prototype_b = b.prototype,
                              .share_count_a = a.pfn.share_count,
                              .share_count_b = b.pfn.share_count};
    *ret = one_row(&row, sizeof(row));
}

const struct ds_table ds_table_page_sharing = {
    .spec = {.name = "page_sharing",
             .doc = "Whether two processes share the page at one address; one row.",
             .windbg = "!vtop in both, !pfn",
             .columns = sharing_columns,
             .column_count = sizeof(sharing_columns) / sizeof(sharing_columns[0]),
             .argument_count = 3,
             .argument_needed = 3},
    .fill = ds_fill_none,
    .needs_layout = true,
    .call = sharing_call};
