/* What the table of processes says beyond who is there. */
#include <stddef.h>
#include <stdlib.h>

#include "nt/details_impl.h"
#include "nt/handle_table.h"
#include "nt/spaces.h"

#define ROW(member) offsetof(struct ds_process_detail, member)
#define MACHINE_I386 0x14cu /* IMAGE_FILE_MACHINE_* (winnt.h) */
#define MACHINE_AMD64 0x8664u
#define MACHINE_ARM64 0xaa64u

static const struct ds_member_spec specs[] = {
    {"_EPROCESS", "CommitCharge", ROW(commit_charge)},
    {"_KPROCESS", "FreezeCount", ROW(freeze_count)},
    {"_KPROCESS", "DeepFreeze", ROW(deep_freeze)},
    {"_KPROCESS", "KernelTime", ROW(kernel_time)},
    {"_KPROCESS", "UserTime", ROW(user_time)},
};

/* The first of several spellings that this kernel's layout has. */
struct choice {
    struct ds_field field;
    enum ds_status status;
};

static struct choice choose(const struct ds_target *t, const char *type, const char *const *names,
                            size_t count)
{
    struct choice c = {.status = DS_NO_FIELD};
    for (size_t i = 0; i < count && c.status != DS_OK; i++)
        c.status = ds_target_member(t, type, names[i], &c.field, NULL);
    return c;
}

static struct ds_opt read_choice(const struct ds_target *t, uint64_t va, const struct choice *c)
{
    return c->status == DS_OK ? ds_target_read_member(t, va, &c->field) : ds_opt_unknown(c->status);
}

struct reader {
    struct ds_nt *nt;
    struct ds_member_set set;
    struct choice working_set, peak, protection, machine, wow64, wow64_peb, wow64_machine;
    struct choice path;
    uint64_t handle_pages; /* that may still be read to count handles */
};

#define CHOOSE(type, ...)                                                                          \
    choose(t, type, (const char *const[]){__VA_ARGS__},                                            \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt};
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->working_set = CHOOSE("_EPROCESS", "Vm.WorkingSetSize", "Vm.Instance.WorkingSetSize");
    r->peak = CHOOSE("_EPROCESS", "Vm.PeakWorkingSetSize", "Vm.Instance.PeakWorkingSetSize");
    r->protection = CHOOSE("_EPROCESS", "Protection", "ProtectedProcess");
    if (r->protection.status == DS_OK && r->protection.field.bit_len == 0)
        r->protection.field.size = 1; /* PS_PROTECTION is one byte, Level */
    r->machine = CHOOSE("_EPROCESS", "Machine");
    r->wow64 = CHOOSE("_EPROCESS", "WoW64Process", "Wow64Process");
    r->wow64_peb = CHOOSE("_EWOW64PROCESS", "Peb");
    r->wow64_machine = CHOOSE("_EWOW64PROCESS", "Machine");
    r->handle_pages = DS_LIMIT_HANDLE_PAGES;
    r->path = CHOOSE("_EPROCESS", "SeAuditProcessCreationInfo.ImageFileName");
}

/* The 32-bit side. Up to Windows 8.1 the process points to the 32-bit PEB itself, except where
 * the layout has a block (_WOW64_PROCESS.Wow64 to Vista) around that pointer. */
static struct ds_opt peb32_of(const struct reader *r, struct ds_opt block)
{
    const struct ds_target *t = r->nt->target;
    struct ds_field wow64;
    if (!block.known || block.value == 0)
        return block.known ? ds_opt_unknown(DS_OK) : block;
    if (r->wow64_peb.status == DS_OK)
        return read_choice(t, block.value, &r->wow64_peb);
    if (ds_target_member(t, "_WOW64_PROCESS", "Wow64", &wow64, NULL) == DS_OK)
        return ds_target_read_member(t, block.value, &wow64);
    return ds_target_is_kernel_va(t, block.value) ? ds_opt_unknown(DS_NO_FIELD) : block;
}

static struct ds_opt machine_of(const struct reader *r, uint64_t eprocess, struct ds_opt block)
{
    const struct ds_target *t = r->nt->target;
    if (r->machine.status == DS_OK)
        return read_choice(t, eprocess, &r->machine);
    if (t->arch == DS_ARCH_X86)
        return ds_opt_known(MACHINE_I386);
    if (t->arch != DS_ARCH_X64 && t->arch != DS_ARCH_ARM64)
        return ds_opt_unknown(DS_NO_FIELD);
    if (!block.known)
        return block;
    if (block.value == 0)
        return ds_opt_known(t->arch == DS_ARCH_X64 ? MACHINE_AMD64 : MACHINE_ARM64);
    if (r->wow64_machine.status == DS_OK)
        return read_choice(t, block.value, &r->wow64_machine);
    /* Before the block named its machine, x64 ran x86 programs and no others beside its own. */
    return t->arch == DS_ARCH_X64 ? ds_opt_known(MACHINE_I386) : ds_opt_unknown(DS_NO_FIELD);
}

/* SE_AUDIT_PROCESS_CREATION_INFO points to an OBJECT_NAME_INFORMATION: a UNICODE_STRING. */
static const char *path_of(const struct reader *r, uint64_t eprocess)
{
    struct ds_opt at = read_choice(r->nt->target, eprocess, &r->path);
    return at.known && at.value != 0 ? ds_nt_ustring(r->nt, at.value) : NULL;
}

static void read_one(struct reader *r, uint64_t eprocess, struct ds_process_detail *d)
{
    const struct ds_target *t = r->nt->target;
    ds_members_read(&r->set, t, eprocess, d);
    d->user_dtb = ds_nt_user_dtb(r->nt, eprocess);
    d->handle_count = ds_nt_handle_count(r->nt, eprocess, &r->handle_pages);
    struct ds_opt block =
        t->pointer_size == 4 ? ds_opt_known(0) : read_choice(t, eprocess, &r->wow64);
    d->machine = machine_of(r, eprocess, block);
    d->peb32 = peb32_of(r, block);
    d->working_set = read_choice(t, eprocess, &r->working_set);
    d->peak_working_set = read_choice(t, eprocess, &r->peak);
    d->protection = read_choice(t, eprocess, &r->protection);
    d->path = path_of(r, eprocess);
}

/* ---- its threads ---- */

struct place {
    uint64_t eprocess;
    size_t row;
};

static int by_address(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return (x->eprocess > y->eprocess) - (x->eprocess < y->eprocess);
}

static void count_state(struct ds_process_detail *d, struct ds_opt state)
{
    switch (state.known ? state.value : UINT64_MAX) {
    case DS_THREAD_WAITING:
    case DS_THREAD_GATE_WAIT:
        d->waiting++;
        break;
    case DS_THREAD_READY:
    case DS_THREAD_STANDBY:
    case DS_THREAD_TRANSITION:
    case DS_THREAD_DEFERRED_READY:
        d->ready++;
        break;
    case DS_THREAD_RUNNING:
        d->running++;
        break;
    case DS_THREAD_TERMINATED:
        d->terminated++;
        break;
    default:
        break;
    }
}

static void count_thread(struct ds_process_detail *d, const struct ds_thread *th,
                         const struct ds_thread_detail *more)
{
    bool suspended = ds_opt_or(th->suspend_count, 0) != 0;
    bool frozen = ds_opt_or(more->freeze_count, 0) != 0;
    d->threads++;
    count_state(d, th->state);
    d->suspended += suspended;
    d->frozen += frozen;
    if (ds_opt_or(th->state, DS_THREAD_RUNNING) == DS_THREAD_TERMINATED)
        return;
    d->live++;
    d->stopped += suspended || frozen;
    d->untold += !suspended && !frozen && !th->suspend_count.known;
}

/* That all threads are suspended can be said only of those that were found, so all must be. */
static struct ds_opt wholly_suspended(const struct ds_process_detail *d, struct ds_opt active)
{
    if (d->live == 0)
        return ds_opt_known(0);
    if (d->stopped + d->untold < d->live)
        return ds_opt_known(0);
    bool all = d->untold == 0 && active.known && active.value <= d->live;
    return all ? ds_opt_known(1) : ds_opt_unknown(active.known ? DS_OK : active.why);
}

static void count_threads(struct ds_nt *nt, struct ds_process_detail *details)
{
    const struct ds_processes *p = ds_nt_processes(nt);
    const struct ds_threads *t = ds_nt_threads(nt);
    const struct ds_thread_detail *more = ds_nt_thread_details(nt);
    struct place *places = ds_alloc_array(p->count, sizeof(*places));
    for (size_t i = 0; places != NULL && i < p->count; i++)
        places[i] = (struct place){p->rows[i].eprocess, i};
    if (places != NULL)
        qsort(places, p->count, sizeof(*places), by_address);
    for (size_t i = 0; places != NULL && more != NULL && i < t->count; i++) {
        struct place key = {ds_opt_or(t->rows[i].eprocess, 0), 0};
        const struct place *at = bsearch(&key, places, p->count, sizeof(*places), by_address);
        if (at != NULL)
            count_thread(&details[at->row], &t->rows[i], &more[i]);
    }
    for (size_t i = 0; i < p->count; i++)
        details[i].wholly_suspended = wholly_suspended(&details[i], p->rows[i].active_threads);
    free(places);
}

const struct ds_process_detail *ds_nt_process_details(struct ds_nt *nt)
{
    const struct ds_processes *processes = ds_nt_processes(nt);
    struct ds_nt_details *keep = ds_nt_details_get(nt);
    struct reader r;
    if (keep == NULL || keep->have_processes || processes->count == 0)
        return keep != NULL ? keep->processes : NULL;
    keep->have_processes = true;
    keep->processes = ds_alloc_array(processes->count, sizeof(*keep->processes));
    if (keep->processes == NULL)
        return NULL;
    reader_init(&r, nt);
    for (size_t i = 0; i < processes->count; i++)
        read_one(&r, processes->rows[i].eprocess, &keep->processes[i]);
    count_threads(nt, keep->processes);
    return keep->processes;
}

struct ds_nt_details *ds_nt_details_get(struct ds_nt *nt)
{
    if (nt->details == NULL)
        nt->details = calloc(1, sizeof(*nt->details));
    return nt->details;
}

void ds_nt_details_free(struct ds_nt_details *d)
{
    if (d != NULL) {
        free(d->processes);
        free(d->threads);
        free(d);
    }
}

const char *ds_nt_ustring(struct ds_nt *nt, uint64_t va)
{
    const char *text = NULL;
    struct ds_buf b;
    ds_buf_init(&b, (size_t)DS_LIMIT_STRING * 3 + 1);
    if (ds_space_read_ustr(nt->target->kernel, va, &b, NULL) == DS_OK && ds_buf_ok(&b) &&
        b.len != 0)
        text = ds_arena_strdup(&nt->arena, ds_buf_text(&b), b.len);
    ds_buf_deinit(&b);
    return text;
}
