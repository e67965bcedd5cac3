/* Addresses, page table entries and list entries that parameters carry. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "memory/paging.h"
#include "nt/follow.h"

#define HEX(x) (unsigned long long)(x)
#define LIST_ENTRIES 3u    /* broken ones that are shown: an entry and its neighbours */
#define NULL_AREA 0x10000u /* explained as NULL plus an offset wherever parameters are shown */
#define SHARED_DATA_X64 UINT64_C(0xfffff78000000000) /* KUSER_SHARED_DATA, ntddk.h */

static enum ds_paging paging_of(const struct ds_target *t)
{
    enum ds_paging mode = t->kernel != NULL ? ds_space_paging(t->kernel) : DS_PAGING_NONE;
    if (mode == DS_PAGING_NONE) /* triage dumps have no page tables */
        mode = t->arch == DS_ARCH_X64     ? DS_PAGING_X64
               : t->arch == DS_ARCH_ARM64 ? DS_PAGING_ARM64
                                          : DS_PAGING_NONE;
    return mode;
}

/* Pairs of KDDEBUGGER_DATA64 members that point to where a region starts and ends: kernels before
 * Windows 10 keep them; later ones leave them empty. */
static const struct {
    const char *start, *end, *name;
} kdbg_regions[] = {
    {"MmNonPagedPoolStart", "MmNonPagedPoolEnd", "nonpaged pool"},
    {"MmPagedPoolStart", "MmPagedPoolEnd", "paged pool"},
    {"MmSystemPtesStart", "MmSystemPtesEnd", "system PTEs"},
    {"MmSystemCacheStart", "MmSystemCacheEnd", "system cache"},
};

/* MI_SYSTEM_VA_TYPE of the public symbols; the values that no build from 14393 to 22000, of which
 * the array's place is known, has moved. */
static const char *const va_types[] = {
    NULL,           "session space", "process space", "memory of the boot loader",
    "PFN database", "nonpaged pool", "paged pool",    "special pool",
    "system cache", "system PTEs",   "HAL",           "session space",
    "driver images"};

static uint64_t kdbg_value(const struct ds_follow *f, const char *member)
{
    uint64_t va;
    if (ds_target_kdbg(f->nt->target, member, &va) != DS_OK)
        return 0;
    return ds_opt_or(ds_follow_pointer(f, va), 0);
}

static const char *kdbg_region(const struct ds_follow *f, uint64_t va)
{
    for (size_t i = 0; i < sizeof(kdbg_regions) / sizeof(kdbg_regions[0]); i++) {
        uint64_t start = kdbg_value(f, kdbg_regions[i].start);
        uint64_t end = kdbg_value(f, kdbg_regions[i].end);
        if (start != 0 && start < end && va >= start && va <= end)
            return kdbg_regions[i].name;
    }
    return NULL;
}

/* MiState.Vs.SystemVaType: one byte for each entry of the upper half of the top table. */
static const char *assigned_region(const struct ds_follow *f, uint64_t va)
{
    struct ds_target *t = f->nt->target;
    uint64_t state, array, type;
    if (t->arch != DS_ARCH_X64 || t->layout_unproven ||
        ds_target_global(t, "MiState", &state) != DS_OK ||
        ds_target_field_va(t, state, "_MI_SYSTEM_INFORMATION", "Vs.SystemVaType", &array) !=
            DS_OK ||
        ds_space_read_uint(t->kernel, array + (va >> 39 & 0xff), 1, &type, NULL) != DS_OK)
        return NULL;
    return type < sizeof(va_types) / sizeof(va_types[0]) ? va_types[type] : NULL;
}

/* The thread whose kernel stack holds the address. */
static const struct ds_thread *stack_owner(const struct ds_follow *f, uint64_t va)
{
    const struct ds_threads *all = ds_nt_threads(f->nt);
    for (size_t i = 0; i < all->count; i++) {
        const struct ds_thread *t = &all->rows[i];
        if (t->stack_base.known && t->stack_limit.known && va >= t->stack_limit.value &&
            va < t->stack_base.value)
            return t;
    }
    return NULL;
}

/* The region where the page tables are mapped covers an entry of 8 bytes for each page of the
 * 256 TB that 48 bits reach. */
static bool in_page_tables(const struct ds_target *t, uint64_t va, uint64_t *mapped)
{
    struct ds_opt base = ds_space_pte_base(t->kernel);
    if (!base.known || ds_space_paging(t->kernel) == DS_PAGING_X86 ||
        ds_space_paging(t->kernel) == DS_PAGING_PAE || t->pointer_size != 8 || va < base.value ||
        va - base.value >= UINT64_C(1) << 39)
        return false;
    uint64_t at = (va - base.value) / 8 * 0x1000;
    *mapped = (at & UINT64_C(1) << 47) != 0 ? at | UINT64_C(0xffff) << 48 : at;
    return true;
}

static void region_text(const struct ds_follow *f, uint64_t va, char *text, size_t size)
{
    struct ds_target *t = f->nt->target;
    const struct ds_thread *thread;
    uint64_t mapped;
    const char *name = NULL;
    if (!ds_target_is_kernel_va(t, va))
        name = "user address";
    else if (t->pointer_size == 8 && va >= SHARED_DATA_X64 && va < SHARED_DATA_X64 + 0x1000)
        name = "shared user data";
    else if (in_page_tables(t, va, &mapped))
        (void)snprintf(text, size, "page tables: entry of address 0x%llx", HEX(mapped));
    else if ((thread = stack_owner(f, va)) != NULL)
        (void)snprintf(text, size, "kernel stack of tid %llu", HEX(ds_opt_or(thread->tid, 0)));
    else {
        name = kdbg_region(f, va);
        if (name == NULL)
            name = assigned_region(f, va);
        if (name == NULL)
            name = "kernel address";
    }
    if (name != NULL)
        (void)snprintf(text, size, "%s", name);
}

/* The state of the page, with page tables; false when that is not to be known. */
static bool state_text(const struct ds_follow *f, uint64_t va, char *text, size_t size)
{
    struct ds_space *s = f->nt->target->kernel;
    struct ds_explanation e;
    enum ds_paging mode = ds_space_paging(s);
    if (mode == DS_PAGING_NONE || !ds_paging_canonical(mode, va))
        return false;
    ds_space_explain(s, va, &e);
    if (e.status == DS_OK)
        (void)snprintf(text, size, "the page is in memory");
    else if (e.fault.state == DS_PTE_NO_ENTRY)
        (void)snprintf(text, size, "%s", ds_status_text(e.status));
    else
        (void)snprintf(text, size, "%s: %s", ds_paging_entry_name(mode, e.fault.level),
                       ds_pte_state_text(e.fault.state));
    return true;
}

void ds_follow_region(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_target *t = f->nt->target;
    char region[120] = "", state[160] = "";
    enum ds_paging mode = paging_of(t);
    if (t->kernel == NULL || va < NULL_AREA ||
        (mode != DS_PAGING_NONE && !ds_paging_canonical(mode, va)))
        return;
    ds_follow_place(f, va, region, sizeof(region));
    if (region[0] == '\0')
        region_text(f, va, region, sizeof(region));
    bool state_known = state_text(f, va, state, sizeof(state));
    /* A bare "kernel address" is no news. */
    if (!state_known && (strcmp(region, "kernel address") == 0 || region[0] == '\0'))
        return;
    ds_follow_add(f, parameter, "region", ds_opt_known(va), "%s%s%s", region,
                  state_known ? "; " : "", state);
}

void ds_follow_pte(struct ds_follow *f, uint32_t parameter, uint64_t pte)
{
    struct ds_target *t = f->nt->target;
    char flags[DS_PTE_FLAGS_SIZE], soft[160] = "";
    enum ds_paging mode = paging_of(t);
    if (mode == DS_PAGING_NONE)
        return;
    ds_pte_flags_text(mode, pte, 1, flags);
    if (flags[0] == '\0' && t->kernel != NULL) {
        struct ds_pte_soft s = ds_pte_decode(mode, ds_space_pte_layout(t->kernel), pte, false);
        (void)snprintf(soft, sizeof(soft), "not valid: %s",
                       s.state == DS_PTE_EMPTY && pte != 0 ? "bits without a meaning are set"
                                                           : ds_pte_state_text(s.state));
    }
    ds_follow_add(f, parameter, "pte", ds_opt_known(pte), "%s%s%s", flags, soft,
                  ds_bits_set(pte) == 1 ? "; a single bit is set" : "");
    if (flags[0] == '\0' || mode == DS_PAGING_X86)
        return;
    uint64_t pfn = pte >> 12 & UINT64_C(0xfffffffff);
    struct ds_opt highest = ds_opt_unknown(DS_NOT_FOUND);
    uint64_t va, value;
    if (t->kernel != NULL && ds_target_global(t, "MmHighestPhysicalPage", &va) == DS_OK &&
        ds_space_read_ptr(t->kernel, va, &value, NULL) == DS_OK && value != 0)
        highest = ds_opt_known(value);
    ds_follow_add(
        f, parameter, "pfn", ds_opt_known(pfn), "page that the entry names%s",
        highest.known && pfn > highest.value ? ", past the end of the memory of this machine" : "");
}

void ds_follow_pte_at(struct ds_follow *f, uint32_t parameter, uint64_t va)
{
    struct ds_target *t = f->nt->target;
    uint64_t entry, mapped;
    if (t->kernel == NULL)
        return;
    unsigned size = ds_space_paging(t->kernel) == DS_PAGING_X86 ? 4 : 8;
    enum ds_status status = ds_space_read_uint(t->kernel, va, size, &entry, NULL);
    if (in_page_tables(t, va, &mapped))
        ds_follow_add(f, parameter, "maps", ds_opt_known(mapped), "address that the entry is for");
    if (status == DS_OK)
        ds_follow_pte(f, parameter, entry);
    else
        ds_follow_add(f, parameter, "pte", ds_opt_unknown(status), "the entry is not in the dump");
}

/* ---- list entries ---- */

struct neighbours {
    struct ds_opt flink, blink;           /* of the entry */
    struct ds_opt flink_back, blink_back; /* what the neighbours say of it */
};

static struct neighbours look(const struct ds_follow *f, uint64_t entry)
{
    unsigned size = f->nt->target->pointer_size;
    struct neighbours n = {ds_follow_pointer(f, entry), ds_follow_pointer(f, entry + size),
                           ds_opt_unknown(DS_NOT_IN_DUMP), ds_opt_unknown(DS_NOT_IN_DUMP)};
    if (n.flink.known)
        n.flink_back = ds_follow_pointer(f, n.flink.value + size);
    if (n.blink.known)
        n.blink_back = ds_follow_pointer(f, n.blink.value);
    return n;
}

static bool points_to(struct ds_opt o, uint64_t va)
{
    return o.known && o.value == va;
}

/* One neighbour points back and the other does not: an entry, and a broken one. */
static bool broken_entry(const struct neighbours *n, uint64_t entry)
{
    bool forward = points_to(n->flink_back, entry), back = points_to(n->blink_back, entry);
    return n->flink.known && n->blink.known && forward != back;
}

static void neighbour(struct ds_follow *f, const char *name, const char *side, struct ds_opt link,
                      struct ds_opt back, uint64_t entry)
{
    char place[200];
    if (!back.known) {
        ds_follow_add(f, 1, name, link, "its %s cannot be read", side);
        return;
    }
    unsigned bits = ds_bits_set(back.value ^ entry);
    (void)snprintf(place, sizeof(place), "its %s is 0x%llx, not the entry%s", side, HEX(back.value),
                   bits == 1 ? ": one bit differs" : "");
    ds_follow_add(f, 1, name, link, "%s", back.value == entry ? "points back to the entry" : place);
}

static void broken_list(struct ds_follow *f, const char *reg, uint64_t entry)
{
    struct neighbours n = look(f, entry);
    ds_follow_add(f, 1, "list_entry", ds_opt_known(entry),
                  "in register %s: one of its neighbours does not point back", reg);
    neighbour(f, "flink", "Blink", n.flink, n.flink_back, entry);
    neighbour(f, "blink", "Flink", n.blink, n.blink_back, entry);
}

void ds_follow_list_entry(struct ds_follow *f)
{
    const struct ds_fault_facts *fault = ds_nt_fault(f->nt);
    if (fault->chosen >= fault->context_count || f->nt->target->kernel == NULL)
        return;
    const struct ds_context *c = &fault->contexts[fault->chosen].context;
    unsigned found = 0;
    for (size_t i = 0; i < c->register_count && i < DS_CONTEXT_REGISTERS; i++) {
        const struct ds_register *r = &c->registers[i];
        if (!ds_target_is_kernel_va(f->nt->target, r->value))
            continue;
        struct neighbours n = look(f, r->value);
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = c->registers[k].value == r->value;
        if (!seen && found < LIST_ENTRIES && broken_entry(&n, r->value)) {
            broken_list(f, r->name, r->value);
            found++;
        }
    }
    if (found == 0)
        ds_follow_add(f, 1, "list_entry", ds_opt_unknown(DS_NOT_FOUND),
                      "no register of the fault holds a list entry that one neighbour disowns");
}
