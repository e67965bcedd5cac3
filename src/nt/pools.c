/*
 * The pools' own descriptors. NonPagedPoolDescriptor is one; ExpPagedPoolDescriptor is an array of
 * pointers to ExpNumberOfPagedPools of them and one more (!vm shows PagedPool 0 to that number).
 * Since build 18362 pool comes from segment heaps, which keep no such counts.
 */
#include "nt/vm_impl.h"

#define POOL_PAGED 1u /* POOL_TYPE (wdm.h); bit 0 tells paged from nonpaged */

static const struct ds_member_spec members[] = {
    {"_POOL_DESCRIPTOR", "TotalPages", offsetof(struct ds_pool, pages)},
    {"_POOL_DESCRIPTOR", "TotalBigPages", offsetof(struct ds_pool, big_pages)},
    {"_POOL_DESCRIPTOR", "TotalBytes", offsetof(struct ds_pool, bytes)},
    {"_POOL_DESCRIPTOR", "RunningAllocs", offsetof(struct ds_pool, allocs)},
    {"_POOL_DESCRIPTOR", "RunningDeAllocs", offsetof(struct ds_pool, frees)},
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

struct reader {
    struct ds_nt *nt;
    struct ds_pools *pools;
    struct ds_pool *rows;
    size_t cap;
    struct ds_member_set set;
};

/* Windows 10 counts what came and what went. */
static struct ds_opt difference(const struct ds_target *t, uint64_t va, const char *came,
                                const char *went)
{
    struct ds_opt a = ds_target_field(t, va, "_POOL_DESCRIPTOR", came);
    struct ds_opt b = ds_target_field(t, va, "_POOL_DESCRIPTOR", went);
    if (!a.known || !b.known)
        return a.known ? b : a;
    return a.value >= b.value ? ds_opt_known(a.value - b.value) : ds_opt_unknown(DS_CORRUPT);
}

/* The counters are 4 bytes wide on all builds that have them: signed members are not negative. */
static void unsign(struct ds_opt *o)
{
    o->value &= UINT32_MAX;
}

static void read_counts(struct reader *r, struct ds_pool *row)
{
    const struct ds_target *t = r->nt->target;
    uint64_t va = row->descriptor;
    ds_members_read(&r->set, t, va, row);
    if (!row->pages.known && row->pages.why == DS_NO_FIELD)
        row->pages = difference(t, va, "PagesAllocated", "PagesDeallocated");
    if (!row->big_pages.known && row->big_pages.why == DS_NO_FIELD)
        row->big_pages = difference(t, va, "BigPagesAllocated", "BigPagesDeallocated");
    if (!row->bytes.known && row->bytes.why == DS_NO_FIELD)
        row->bytes = difference(t, va, "BytesAllocated", "BytesDeallocated");
    if (!row->frees.known && row->frees.why == DS_NO_FIELD)
        row->frees = ds_target_field(t, va, "_POOL_DESCRIPTOR", "RunningDeallocs");
    unsign(&row->pages);
    unsign(&row->big_pages);
    unsign(&row->allocs);
    unsign(&row->frees);
    row->total_pages = row->pages.known && row->big_pages.known
                           ? ds_opt_known(row->pages.value + row->big_pages.value)
                       : row->pages.known ? row->big_pages
                                          : row->pages;
}

/* A descriptor proves itself by its type and its number. */
static bool add(struct reader *r, const char *kind, uint32_t number, uint64_t va)
{
    const struct ds_target *t = r->nt->target;
    struct ds_walk *walk = &r->pools->walk;
    struct ds_opt type = ds_target_field(t, va, "_POOL_DESCRIPTOR", "PoolType");
    struct ds_opt index = ds_target_field(t, va, "_POOL_DESCRIPTOR", "PoolIndex");
    bool paged = kind[0] == 'p';
    if (!type.known || !index.known) {
        ds_walk_stop(walk, type.known ? index.why : type.why, ds_opt_known(va),
                     "a pool's descriptor cannot be read");
        return false;
    }
    if ((type.value & POOL_PAGED) != (paged ? POOL_PAGED : 0) || type.value > 0x3ff ||
        (index.value & UINT32_MAX) != number) {
        ds_walk_stop(walk, DS_CORRUPT, ds_opt_known(va),
                     "what should be a pool's descriptor is not one");
        return false;
    }
    if (r->pools->count == r->cap)
        return false;
    struct ds_pool *row = &r->rows[r->pools->count++];
    *row = (struct ds_pool){.kind = kind, .number = number, .descriptor = va};
    read_counts(r, row);
    if (!row->total_pages.known)
        ds_walk_stop(walk, row->total_pages.why, ds_opt_known(va), "a pool's pages are not known");
    return true;
}

static void nonpaged(struct reader *r)
{
    uint64_t va;
    enum ds_status s = ds_target_global(r->nt->target, "NonPagedPoolDescriptor", &va);
    if (s == DS_OK)
        (void)add(r, "nonpaged", 0, va);
    else
        ds_walk_stop(&r->pools->walk, s, ds_opt_unknown(DS_OK),
                     "NonPagedPoolDescriptor is not known");
}

static struct ds_opt sum(const struct reader *r, uint64_t wanted)
{
    uint64_t pages = 0, found = 0;
    for (size_t i = 0; i < r->pools->count; i++) {
        const struct ds_pool *p = &r->rows[i];
        if (p->kind[0] != 'p')
            continue;
        if (!p->total_pages.known)
            return p->total_pages;
        pages += p->total_pages.value;
        found++;
    }
    return found == wanted ? ds_opt_known(pages) : ds_opt_unknown(DS_NOT_FOUND);
}

static void paged(struct reader *r)
{
    const struct ds_target *t = r->nt->target;
    struct ds_walk *walk = &r->pools->walk;
    struct ds_opt at = ds_opt_unknown(DS_OK);
    struct ds_opt count = ds_vm_global(t, "ExpNumberOfPagedPools", 0, 4, &at);
    if (!count.known || count.value == 0 || count.value >= DS_LIMIT_POOLS) {
        ds_walk_stop(walk, count.known ? DS_CORRUPT : count.why, at,
                     "how many paged pools there are is not known");
        return;
    }
    for (uint32_t i = 0; i <= count.value; i++) {
        struct ds_opt p = ds_vm_global(t, "ExpPagedPoolDescriptor", (uint64_t)i * t->pointer_size,
                                       t->pointer_size, &at);
        if (!p.known) {
            ds_walk_stop(walk, p.why, at, "ExpPagedPoolDescriptor cannot be read");
            return;
        }
        if (!add(r, "paged", i, p.value))
            return;
    }
    r->pools->paged_pages = sum(r, count.value + 1);
}

static void fill(struct ds_nt *nt, struct ds_nt_vm *v)
{
    struct reader r = {.nt = nt, .pools = &v->pools, .cap = DS_LIMIT_POOLS + 1};
    struct ds_field f;
    v->pools.paged_pages = ds_opt_unknown(DS_NO_FIELD);
    if (nt->target->kernel == NULL || ds_dump_triage(nt->target->dump) != NULL) {
        v->pools.walk = ds_walk_none(
            "pools", nt->target->kernel == NULL ? nt->target->kernel_why : DS_NOT_IN_DUMP,
            "the pools' descriptors are not kept");
        return;
    }
    if (ds_target_member(nt->target, "_POOL_DESCRIPTOR", "PoolIndex", &f, NULL) != DS_OK) {
        v->pools.walk =
            ds_walk_none("pools", DS_NO_FIELD, "this kernel's pools keep no descriptors");
        return;
    }
    v->pool_rows = ds_alloc_array(r.cap, sizeof(*v->pool_rows));
    if (v->pool_rows == NULL) {
        v->pools.walk = ds_walk_none("pools", DS_NO_MEMORY, "");
        return;
    }
    r.rows = v->pool_rows;
    v->pools.rows = r.rows;
    v->pools.walk = (struct ds_walk){.table_name = "pools",
                                     .complete = true,
                                     .stop_address = ds_opt_unknown(DS_OK),
                                     .detail = ""};
    v->pools.paged_pages = ds_opt_unknown(DS_NOT_FOUND);
    ds_members_resolve(&r.set, nt->target, members, MEMBERS);
    nonpaged(&r);
    paged(&r);
    v->pools.walk.rows = v->pools.count;
}

const struct ds_pools *ds_nt_pools(struct ds_nt *nt)
{
    static const struct ds_pools none = {
        .walk = {.table_name = "pools", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    struct ds_nt_vm *v = ds_nt_vm_state(nt);
    if (v == NULL)
        return &none;
    if (!v->have_pools) {
        v->have_pools = true;
        fill(nt, v);
    }
    return &v->pools;
}
