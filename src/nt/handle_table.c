#include "nt/handle_table.h"

#include "base/bytes.h"
#include "nt/address_map.h"
#include "nt/impl.h"

#define PAGE 4096u
#define LEVELS 3u             /* of TableCode: a page of entries, and up to two above it */
#define HANDLE_STEP 4u        /* a handle's low two bits are the caller's (ntdef.h) */
#define ACCESS_BITS 0x1ffffff /* the mask that entries keep; above it are flags of theirs */

struct table {
    struct ds_nt *nt;
    struct ds_field object, access;
    bool bits;           /* the pointer is a bit field (since Windows 8) */
    unsigned shift;      /* of that field */
    uint32_t entry_size; /* bytes */
    uint64_t per_page, pointers;
    uint64_t pages; /* of entries, that the table says it has */
    uint64_t *budget;
    struct ds_address_map seen;
    struct ds_walk_end end;
    bool (*each)(const struct ds_handle_entry *entry, void *arg);
    void *arg;
    bool stop;
};

static void fail(struct table *t, enum ds_status why, uint64_t at)
{
    if (t->end.status == DS_OK) {
        t->end.status = why;
        t->end.address = at;
    }
}

static bool resolve(struct table *t)
{
    const struct ds_target *k = t->nt->target;
    const char *type = "_HANDLE_TABLE_ENTRY";
    if (ds_target_size(k, type, &t->entry_size) != DS_OK || t->entry_size != 2 * k->pointer_size) {
        return false;
    }
    t->per_page = PAGE / t->entry_size;
    t->pointers = PAGE / k->pointer_size;
    t->bits = ds_target_member(k, type, "ObjectPointerBits", &t->object, NULL) == DS_OK;
    t->shift = k->pointer_size == 8 ? 4 : 3; /* object headers are aligned so */
    if (!t->bits && ds_target_member(k, type, "Object", &t->object, NULL) != DS_OK) {
        return false;
    }
    return (ds_target_member(k, type, "GrantedAccessBits", &t->access, NULL) == DS_OK ||
            ds_target_member(k, type, "GrantedAccess", &t->access, NULL) == DS_OK) &&
           t->object.offset + t->object.size <= t->entry_size && t->access.size == 4 &&
           t->access.offset + t->access.size <= t->entry_size && t->object.size == k->pointer_size;
}

/* The pointer of an entry, 0 for one that is free. */
static uint64_t pointer_of(const struct table *t, const uint8_t *entry)
{
    const uint8_t *at = entry + t->object.offset;
    uint64_t x = t->object.size == 8 ? ds_le64(at) : ds_le32(at);
    if (!t->bits) {
        return x & ~(uint64_t)7; /* lock, inherit and audit flags */
    }
    unsigned bits = t->object.bit_len + t->shift;
    x = x >> t->object.bit_pos & (UINT64_MAX >> (64 - t->object.bit_len));
    x <<= t->shift;
    if (x != 0 && t->object.size == 8 && bits < 64 && (x >> (bits - 1) & 1) != 0) {
        x |= UINT64_MAX << bits;
    }
    return x;
}

/* Whether another page may be read. */
static bool spend(struct table *t, uint64_t page)
{
    if (*t->budget == 0) {
        fail(t, DS_LIMIT, page);
        t->stop = true;
        return false;
    }
    --*t->budget;
    return true;
}

static void walk_page(struct table *t, uint64_t page, uint64_t index)
{
    uint8_t raw[PAGE];
    struct ds_fault fault;
    if (index >= t->pages || t->stop) {
        return;
    }
    if (page == 0 || (page & (PAGE - 1)) != 0 || !ds_target_is_kernel_va(t->nt->target, page)) {
        fail(t, DS_CORRUPT, page);
        return;
    }
    if (ds_address_map_get(&t->seen, page, NULL)) {
        fail(t, DS_LOOP, page);
        return;
    }
    if (!spend(t, page)) {
        return;
    }
    if (!ds_address_map_put(&t->seen, page, 0)) {
        fail(t, DS_NO_MEMORY, page);
        t->stop = true;
        return;
    }
    enum ds_status status = ds_space_read(t->nt->target->kernel, page, raw, sizeof(raw), &fault);
    if (status != DS_OK) {
        fail(t, status, page);
        return;
    }
    for (uint64_t i = 1; i < t->per_page && !t->stop; i++) {
        const uint8_t *entry = raw + i * t->entry_size;
        struct ds_handle_entry e = {.entry = page + i * t->entry_size,
                                    .handle = (index * t->per_page + i) * HANDLE_STEP,
                                    .object = pointer_of(t, entry),
                                    .access = ds_le32(entry + t->access.offset) & ACCESS_BITS};
        if (e.object == 0) {
            continue;
        }
        if (!ds_target_is_kernel_va(t->nt->target, e.object)) {
            fail(t, DS_CORRUPT, e.entry);
            continue;
        }
        t->end.count++;
        t->stop = t->each != NULL && !t->each(&e, t->arg);
    }
}

/* A page of pointers: to pages of entries (level 1), or to such pages (level 2). */
static void walk_level(struct table *t, uint64_t page, unsigned level, uint64_t index)
{
    uint8_t raw[PAGE];
    struct ds_fault fault;
    uint64_t below = level == 2 ? t->pointers : 1; /* pages of entries under one pointer */
    if ((page & (PAGE - 1)) != 0 || !ds_target_is_kernel_va(t->nt->target, page)) {
        fail(t, DS_CORRUPT, page);
        return;
    }
    if (!spend(t, page)) {
        return;
    }
    enum ds_status status = ds_space_read(t->nt->target->kernel, page, raw, sizeof(raw), &fault);
    if (status != DS_OK) {
        fail(t, status, page);
        return;
    }
    for (uint64_t i = 0; i < t->pointers && index + i * below < t->pages && !t->stop; i++) {
        const uint8_t *at = raw + i * t->nt->target->pointer_size;
        uint64_t next = t->nt->target->pointer_size == 8 ? ds_le64(at) : ds_le32(at);
        if (level == 2) {
            walk_level(t, next, 1, index + i * below);
        } else {
            walk_page(t, next, index + i);
        }
    }
}

static void walk(struct table *t, uint64_t table)
{
    const struct ds_target *k = t->nt->target;
    struct ds_opt code = ds_target_field(k, table, "_HANDLE_TABLE", "TableCode");
    struct ds_opt upto = ds_target_field(k, table, "_HANDLE_TABLE", "NextHandleNeedingPool");
    if (!code.known || !upto.known) {
        fail(t, code.known ? upto.why : code.why, table);
        return;
    }
    unsigned level = (unsigned)(code.value & 3);
    /* Handles from NextHandleNeedingPool on have no page yet. */
    uint64_t most = level == 0 ? 1 : level == 1 ? t->pointers : t->pointers * t->pointers;
    t->pages = (upto.value + t->per_page * HANDLE_STEP - 1) / (t->per_page * HANDLE_STEP);
    if (level >= LEVELS || t->pages > most) {
        fail(t, DS_CORRUPT, table);
        t->pages = level < LEVELS ? most : 0;
    }
    uint64_t top = code.value & ~(uint64_t)3;
    if (t->pages == 0) {
        return;
    }
    if (level == 0) {
        walk_page(t, top, 0);
    } else {
        walk_level(t, top, level, 0);
    }
}

struct ds_walk_end
ds_handle_table_walk(struct ds_nt *nt, uint64_t table, uint64_t *budget,
                     bool (*each)(const struct ds_handle_entry *entry, void *arg), void *arg)
{
    uint64_t own = DS_LIMIT_HANDLE_PAGES;
    struct table t = {.nt = nt, .budget = budget != NULL ? budget : &own, .each = each, .arg = arg};
    if (nt->target->kernel == NULL) {
        fail(&t, nt->target->kernel_why, table);
    } else if (!resolve(&t)) {
        fail(&t, DS_NO_FIELD, table);
    } else {
        walk(&t, table);
    }
    ds_address_map_deinit(&t.seen);
    return t.end;
}

struct ds_opt ds_nt_handle_count(struct ds_nt *nt, uint64_t eprocess, uint64_t *budget)
{
    const struct ds_target *t = nt->target;
    struct ds_opt table = ds_target_field(t, eprocess, "_EPROCESS", "ObjectTable");
    if (!table.known) {
        return table;
    }
    if (table.value == 0) { /* given back when the process ends */
        return ds_opt_known(0);
    }
    struct ds_opt count = ds_target_field(t, table.value, "_HANDLE_TABLE", "HandleCount");
    if (count.known || count.why != DS_NO_FIELD) {
        return count;
    }
    struct ds_walk_end end = ds_handle_table_walk(nt, table.value, budget, NULL, NULL);
    return end.status == DS_OK ? ds_opt_known(end.count) : ds_opt_unknown(end.status);
}

struct ds_opt ds_nt_cid_table(struct ds_nt *nt)
{
    uint64_t at, table;
    if (nt->target->kernel == NULL) {
        return ds_opt_unknown(nt->target->kernel_why);
    }
    enum ds_status status = ds_target_global(nt->target, "PspCidTable", &at);
    if (status == DS_OK) {
        status = ds_space_read_ptr(nt->target->kernel, at, &table, NULL);
    }
    return status == DS_OK ? ds_opt_known(table) : ds_opt_unknown(status);
}
