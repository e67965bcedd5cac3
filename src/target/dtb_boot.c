/* Which page directory the kernel's space is opened by, and in which paging mode. */
#include <string.h>

#include "base/limits.h"
#include "target/dtb.h"
#include "target/impl.h"

/* How far a page directory is to be believed. */
static const char *trust_of(const struct ds_dtb_fit *f)
{
    unsigned rank = ds_dtb_rank(f);
    return rank == 0 ? "unverified" : rank == 1 ? "likely" : "verified";
}

struct ds_dtb_fit ds_dtb_try_modes(struct ds_target *t, uint64_t dtb)
{
    enum ds_paging modes[DS_DTB_MODES];
    size_t count = ds_dtb_modes(t, modes);
    struct ds_dtb_fit best = {.mode = DS_PAGING_NONE, .dtb = dtb, .status = DS_UNSUPPORTED};
    for (size_t i = 0; i < count; i++) {
        struct ds_dtb_fit f = ds_dtb_try(t, modes[i], dtb);
        if (i == 0 || ds_dtb_rank(&f) > ds_dtb_rank(&best)) {
            best = f;
        }
    }
    return best;
}

static void add_fit(struct ds_target *t, const char *method, const struct ds_dtb_fit *f)
{
    struct ds_opt pa = ds_opt_known(ds_paging_root(f->mode, f->dtb));
    if (f->status == DS_OK) {
        ds_step_add(t, "dtb", method, DS_OK, pa, trust_of(f), "%s: KUSER_SHARED_DATA %s%s%s",
                    ds_paging_name(f->mode), f->plausible ? "reads right" : "translates",
                    f->list ? ", PsLoadedModuleList is a list" : "",
                    f->self ? ", the tables map themselves" : "");
    } else {
        ds_step_add(t, "dtb", method, f->status, pa, trust_of(f),
                    "KUSER_SHARED_DATA does not translate: %s", ds_status_text(f->status));
    }
}

static bool from_processors(struct ds_target *t, struct ds_dtb_fit *best)
{
    *best = (struct ds_dtb_fit){.status = DS_NOT_FOUND};
    for (size_t i = 0; i < ds_dump_cpu_count(t->dump); i++) {
        const struct ds_dump_cpu *cpu = ds_dump_cpu(t->dump, i);
        if (!cpu->cr3.known) {
            continue;
        }
        struct ds_dtb_fit f = ds_dtb_try_modes(t, cpu->cr3.value);
        if (ds_dtb_rank(&f) > ds_dtb_rank(best)) {
            *best = f;
        }
    }
    if (ds_dump_cpu_count(t->dump) == 0) {
        return false;
    }
    if (best->status == DS_OK) {
        add_fit(t, "processor state", best);
        return true;
    }
    ds_step_add(t, "dtb", "processor state", DS_NOT_FOUND, ds_opt_unknown(DS_NOT_FOUND), "",
                "no CR3 of the %u processors translates KUSER_SHARED_DATA",
                (unsigned)ds_dump_cpu_count(t->dump));
    return false;
}

static bool from_header(struct ds_target *t, struct ds_dtb_fit *best)
{
    struct ds_opt dtb = ds_dump_header(t->dump)->dtb;
    if (!dtb.known || dtb.value == 0) {
        *best = (struct ds_dtb_fit){.status = DS_NOT_FOUND};
        ds_step_add(t, "dtb", "header", dtb.known || dtb.why == DS_OK ? DS_NOT_FOUND : dtb.why, dtb,
                    "", "DirectoryTableBase is not recorded");
        return false;
    }
    *best = ds_dtb_try_modes(t, dtb.value);
    add_fit(t, "header", best);
    return best->status == DS_OK;
}

static bool from_memory(struct ds_target *t, struct ds_dtb_fit *best)
{
    struct ds_dtb_search s = ds_dtb_search_start();
    ds_dtb_find_start(t, &s);
    if (s.start_block.known) {
        t->kernel_hint = s.start_entry;
        add_fit(t, "start block", &s.start_fit);
        *best = s.start_fit;
        if (s.start_fit.status == DS_OK) {
            return true;
        }
    }
    ds_dtb_search(t, DS_LIMIT_SCAN_PAGES, &s);
    *best = s.best;
    if (ds_dtb_rank(&s.best) != 0) {
        add_fit(t, s.best.self ? "self-map scan" : "shared data scan", &s.best);
        return true;
    }
    ds_step_add(t, "dtb", "self-map scan", s.status != DS_OK ? s.status : DS_NOT_FOUND,
                ds_opt_unknown(DS_NOT_FOUND), "",
                "none of %llu pages that look like page directories leads to KUSER_SHARED_DATA%s",
                (unsigned long long)s.probes,
                s.status == DS_LIMIT ? "; the search was cut short" : "");
    return false;
}

static bool open_space(struct ds_target *t, const struct ds_dtb_fit *f)
{
    struct ds_err err = {0};
    enum ds_status status = ds_space_open_paged(t->dump, f->mode, f->dtb, &t->kernel, &err);
    if (status != DS_OK) {
        const char *why = ds_arena_strdup(&t->arena, err.text, strlen(err.text));
        ds_step_add(t, "dtb", "page tables", status, ds_opt_known(f->dtb), "", "%s", err.text);
        t->kernel_why = status;
        t->kernel_why_text = why != NULL ? why : "";
        return false;
    }
    ds_target_set_arch(t, f->mode);
    ds_space_set_pointer_size(t->kernel, t->pointer_size);
    t->dtb = ds_opt_known(ds_space_dtb(t->kernel));
    return true;
}

/* ARM64: the lower half through one table, the upper through another. */
static bool open_halves(struct ds_target *t, const char *method, const struct ds_dtb_fit *lower,
                        const struct ds_dtb_fit *upper)
{
    ds_step_add(t, "dtb", method, DS_OK, ds_opt_known(ds_paging_root(lower->mode, lower->dtb)),
                "likely",
                "a table of the lower half alone (TTBR0): used for it, and for the upper half "
                "(TTBR1) the one at 0x%llx",
                (unsigned long long)ds_paging_root(upper->mode, upper->dtb));
    if (!open_space(t, lower)) {
        return false;
    }
    ds_space_set_upper_root(t->kernel, upper->dtb);
    return true;
}

/* What the caller said is used whatever it leads to. */
static bool open_option(struct ds_target *t, uint64_t dtb)
{
    struct ds_dtb_fit f = ds_dtb_try_modes(t, dtb), upper;
    add_fit(t, "option", &f);
    if (ds_dtb_rank(&f) == 0 && ds_dtb_is_lower_half(t, &f) && from_memory(t, &upper)) {
        return open_halves(t, "option", &f, &upper);
    }
    if (ds_dtb_rank(&f) == 0) {
        ds_boot_warn_option(t, "option.dtb", dtb, "a page directory that maps KUSER_SHARED_DATA",
                            "it is used all the same: virtual memory read through it may be wrong");
    }
    return open_space(t, &f);
}

static bool open_found(struct ds_target *t, const struct ds_dtb_fit *header,
                       const struct ds_dtb_fit *found)
{
    if (found->mode == DS_PAGING_ARM64 && ds_dtb_is_lower_half(t, header)) {
        t->dtb_told = true;
        return open_halves(t, "header", header, found);
    }
    return open_space(t, found);
}

/* What a processor used is of use, even where no kernel is to be found. */
static bool unproven_processor(struct ds_target *t, struct ds_dtb_fit *ret)
{
    for (size_t i = 0; i < ds_dump_cpu_count(t->dump); i++) {
        const struct ds_dump_cpu *cpu = ds_dump_cpu(t->dump, i);
        if (cpu->cr3.known && cpu->cr3.value != 0) {
            *ret = ds_dtb_try_modes(t, cpu->cr3.value);
            ds_step_add(t, "dtb", "processor state", DS_OK, cpu->cr3, "unverified",
                        "%s: CR3 of processor %u, as nothing better was found",
                        ds_paging_name(ret->mode), (unsigned)cpu->number);
            return true;
        }
    }
    return false;
}

bool ds_boot_open_paged(struct ds_target *t)
{
    struct ds_dtb_fit header = {.status = DS_NOT_FOUND}, best;
    t->dtb_told = true;
    if (t->option.dtb.known) {
        return open_option(t, t->option.dtb.value);
    }
    if (from_header(t, &header)) {
        return open_space(t, &header);
    }
    t->dtb_told = false;
    if (from_processors(t, &best) || from_memory(t, &best)) {
        return open_found(t, &header, &best);
    }
    /* What the header says still tells why each read fails. */
    if (ds_dump_header(t->dump)->dtb.known) {
        t->dtb_told = true;
        header = ds_dtb_try_modes(t, ds_dump_header(t->dump)->dtb.value);
        return open_space(t, &header);
    }
    if (unproven_processor(t, &best)) {
        return open_space(t, &best);
    }
    t->kernel_why = DS_NOT_FOUND;
    t->kernel_why_text = "the header records no page directory, and none was found in memory";
    return false;
}

/* The EPROCESS that heads the list of processes; 0 when it is not the System process. */
static uint64_t system_process(struct ds_target *t)
{
    const char *method;
    struct ds_field links;
    uint64_t first;
    struct ds_opt head = ds_target_list_head(t, "PsActiveProcessHead", &method);
    if (!head.known ||
        ds_target_member(t, "_EPROCESS", "ActiveProcessLinks", &links, NULL) != DS_OK ||
        ds_space_read_ptr(t->kernel, head.value, &first, NULL) != DS_OK ||
        ds_process_is_system(t, first - links.offset) != DS_OK) {
        return 0;
    }
    return first - links.offset;
}

struct ds_opt ds_boot_dtb_of_system(struct ds_target *t)
{
    uint64_t eprocess = system_process(t);
    return eprocess != 0 ? ds_target_field(t, eprocess, "_KPROCESS", "DirectoryTableBase")
                         : ds_opt_unknown(DS_NOT_FOUND);
}

void ds_boot_system_dtb(struct ds_target *t)
{
    struct ds_space *space = NULL;
    if (t->dtb_told || t->kernel == NULL || ds_space_paging(t->kernel) == DS_PAGING_NONE) {
        return;
    }
    enum ds_paging mode = ds_space_paging(t->kernel);
    struct ds_opt dtb = ds_boot_dtb_of_system(t);
    if (!dtb.known || ds_paging_root(mode, dtb.value) == ds_space_dtb(t->kernel)) {
        return;
    }
    struct ds_dtb_fit f = ds_dtb_try(t, mode, dtb.value);
    if (ds_dtb_rank(&f) == 0 ||
        ds_space_open_paged(t->dump, mode, dtb.value, &space, NULL) != DS_OK) {
        return;
    }
    ds_space_set_pointer_size(space, t->pointer_size);
    ds_space_close(t->kernel);
    t->kernel = space;
    t->dtb = ds_opt_known(ds_space_dtb(space));
    add_fit(t, "System process", &f);
}
