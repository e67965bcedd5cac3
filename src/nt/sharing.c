#include "nt/sharing.h"

#include "nt/impl.h"
#include "nt/spaces.h"

#define COPY_ON_WRITE 0x200u /* _MMPTE_HARDWARE.CopyOnWrite: bit 9 in every build but of ARM64 */

/* The first of two members that the layout has. */
static struct ds_opt either(const struct ds_target *t, uint64_t va, const char *type,
                            const char *first, const char *second)
{
    struct ds_opt x = ds_target_field(t, va, type, first);
    return x.known || x.why != DS_NO_FIELD ? x : ds_target_field(t, va, type, second);
}

/* MmPfnDatabase is a pointer to the array. */
static struct ds_opt database(struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    struct ds_opt header = ds_dump_header(t->dump)->pfn_database;
    uint64_t at, base;
    enum ds_status status = ds_target_kdbg(t, "MmPfnDatabase", &at);
    if (status != DS_OK && header.known && header.value != 0) {
        at = header.value;
        status = DS_OK;
    }
    if (status == DS_OK) {
        status = t->kernel != NULL ? ds_space_read_ptr(t->kernel, at, &base, NULL) : t->kernel_why;
    }
    return status == DS_OK ? ds_opt_known(base) : ds_opt_unknown(status);
}

struct ds_pfn_entry ds_nt_pfn(struct ds_nt *nt, uint64_t pfn)
{
    const struct ds_target *t = nt->target;
    struct ds_opt base = database(nt);
    uint32_t size = 0;
    enum ds_status status = ds_target_size(t, "_MMPFN", &size);
    status = base.known ? status : base.why;
    struct ds_opt none = ds_opt_unknown(status);
    struct ds_pfn_entry x = {pfn, none, none, none, none, none, none};
    if (status != DS_OK || pfn >> 40 != 0) {
        return x;
    }
    uint64_t va = base.value + pfn * size;
    if (!ds_target_is_kernel_va(t, va)) {
        return x;
    }
    x.address = ds_opt_known(va);
    x.share_count = ds_target_field(t, va, "_MMPFN", "u2.ShareCount");
    x.reference_count = either(t, va, "_MMPFN", "u3.ReferenceCount", "u3.e2.ReferenceCount");
    x.location = ds_target_field(t, va, "_MMPFN", "u3.e1.PageLocation");
    x.prototype = either(t, va, "_MMPFN", "u4.PrototypePte", "u3.e1.PrototypePte");
    x.pte_address = ds_target_field(t, va, "_MMPFN", "PteAddress");
    if (x.pte_address.known) {
        x.pte_address.value &= ~(uint64_t)1; /* its lowest bit is a lock */
    }
    return x;
}

const char *ds_pfn_location_name(uint64_t location)
{
    static const char *const names[] = {
        "zeroed", "free",   "standby",   "modified", "modified no-write",
        "bad",    "active", "transition"};
    return location < sizeof(names) / sizeof(names[0]) ? names[location] : NULL;
}

void ds_nt_page_view(struct ds_nt *nt, uint64_t eprocess, uint64_t va, struct ds_page_view *v)
{
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    struct ds_space *s;
    *v = (struct ds_page_view){.eprocess = eprocess,
                               .pte = none,
                               .copy_on_write = none,
                               .prototype = none,
                               .frame = none,
                               .pfn = {0, none, none, none, none, none, none}};
    v->space_status = ds_nt_space_of(nt, eprocess, &s);
    if (v->space_status != DS_OK) {
        return;
    }
    ds_nt_explain(nt, eprocess, s, va, &v->e, &v->vad, &v->has_vad);
    for (unsigned i = 0; i < v->e.count; i++) {
        const struct ds_walk_step *step = &v->e.steps[i];
        bool leaf = step->level > 0 && step->entry.known;
        v->pte = leaf ? step->entry : v->pte;
        /* A shared page that leaves the working set leaves a prototype PTE behind. */
        v->own = v->own || (leaf && step->level == 1 &&
                            (step->state == DS_PTE_TRANSITION || step->state == DS_PTE_PAGE_FILE ||
                             step->state == DS_PTE_DEMAND_ZERO));
        if (leaf && step->level == 1 && step->state == DS_PTE_VALID &&
            ds_space_paging(s) != DS_PAGING_ARM64) {
            v->copy_on_write = ds_opt_known((step->entry.value & COPY_ON_WRITE) != 0);
        }
    }
    if (v->e.status == DS_OK) {
        v->frame = ds_opt_known(v->e.pa >> 12);
        v->pfn = ds_nt_pfn(nt, v->frame.value);
    }
    v->prototype = v->e.fault.prototype;
    if (!v->prototype.known && v->pfn.prototype.known && v->pfn.prototype.value != 0 &&
        v->pfn.pte_address.known && v->pfn.pte_address.value != 0) {
        v->prototype = v->pfn.pte_address;
    }
    if (!v->prototype.known && v->has_vad) {
        v->prototype = ds_vad_prototype(nt->target, &v->vad, va);
    }
}

/* Whether the process has a page of its own where a section would give a shared one. */
static bool has_own(const struct ds_page_view *v)
{
    bool private_frame = v->frame.known && !v->e.fault.prototype.known && v->pfn.prototype.known &&
                         v->pfn.prototype.value == 0;
    return v->prototype.known && (v->own || private_frame);
}

static bool is_private(const struct ds_page_view *v)
{
    return v->has_vad && v->vad.private_memory.known && v->vad.private_memory.value != 0;
}

static bool same_known(struct ds_opt a, struct ds_opt b)
{
    return a.known && b.known && a.value == b.value;
}

struct ds_share ds_nt_share(const struct ds_page_view *a, const struct ds_page_view *b)
{
    struct ds_share s = {.verdict = DS_SHARING_UNKNOWN};
    bool section = same_known(a->prototype, b->prototype);
    if (a->space_status != DS_OK || b->space_status != DS_OK) {
        return s;
    }
    if (same_known(a->frame, b->frame)) {
        s.verdict = DS_SHARING_SAME;
        s.copy_pending = (a->copy_on_write.known && a->copy_on_write.value != 0) ||
                         (b->copy_on_write.known && b->copy_on_write.value != 0);
        return s;
    }
    s.copied_a = has_own(a);
    s.copied_b = has_own(b);
    if (section && (s.copied_a || s.copied_b)) {
        s.verdict = DS_SHARING_COPIED;
    } else if (section && a->frame.known && b->frame.known && a->has_vad && b->has_vad) {
        /* A section has one page for an address: a second one is a copy, whosever it is. */
        s.verdict = DS_SHARING_COPIED;
    } else if (section) {
        s.verdict = DS_SHARING_SECTION;
    } else if (is_private(a) && is_private(b)) {
        s.verdict = DS_SHARING_PRIVATE;
    } else {
        s.verdict = a->frame.known && b->frame.known ? DS_SHARING_DIFFERENT : DS_SHARING_ABSENT;
    }
    return s;
}

const char *ds_sharing_name(enum ds_sharing verdict)
{
    static const char *const names[] = {"unknown", "same",      "same_section", "copied",
                                        "private", "different", "absent"};
    return (size_t)verdict < sizeof(names) / sizeof(names[0]) ? names[verdict] : "unknown";
}

static void copied_words(const struct ds_share *s, const char *a, const char *b, struct ds_buf *out)
{
    ds_buf_str(out, "copy on write done: ");
    if (s->copied_a == s->copied_b) {
        ds_buf_str(out, s->copied_a ? "each has its own copy of the section's page"
                                    : "different pages of one section's place; which is the copy "
                                      "cannot be told without the page-frame database");
    } else {
        ds_buf_printf(out, "%s has a copy of its own, %s the section's page", s->copied_a ? a : b,
                      s->copied_a ? b : a);
    }
}

void ds_share_words(const struct ds_share *s, const char *a, const char *b, struct ds_buf *out)
{
    switch (s->verdict) {
    case DS_SHARING_SAME:
        ds_buf_str(out, "the same page");
        ds_buf_str(out, s->copy_pending ? ", until one of them writes: it is copied then" : "");
        break;
    case DS_SHARING_SECTION:
        ds_buf_str(out, "one prototype PTE decides for both, but not both have a page now");
        break;
    case DS_SHARING_COPIED:
        copied_words(s, a, b, out);
        break;
    case DS_SHARING_PRIVATE:
        ds_buf_str(out, "private memory of each");
        break;
    case DS_SHARING_DIFFERENT:
        ds_buf_str(out, "different pages; nothing tells that they ever were one");
        break;
    case DS_SHARING_ABSENT:
        ds_buf_str(out, "no page on one side at least, and no section in common is known");
        break;
    case DS_SHARING_UNKNOWN:
        ds_buf_str(out, "cannot be told: an address space cannot be read");
        break;
    }
}
