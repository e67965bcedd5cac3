/* Mutants, by those who wait for them and those who own them. */
#include "nt/mutants.h"

#include <stddef.h>

#include "nt/address_map.h"
#include "nt/impl.h"
#include "nt/object_header.h"

#define TYPE_MASK 0x7fu /* the top bit of DISPATCHER_HEADER.Type is the lock of the object */
#define TYPE_MUTANT 2u  /* KOBJECTS, data/layouts/enums.layout */
#define ROW(member) offsetof(struct ds_mutant, member)

static const struct ds_member_spec specs[] = {
    {"_KMUTANT", "OwnerThread", ROW(owner)},
    {"_DISPATCHER_HEADER", "SignalState", ROW(signal_state)},
    {"_KMUTANT", "Abandoned", ROW(abandoned)},
    {"_KMUTANT", "ApcDisable", ROW(apc_disable)},
};

struct ds_nt_mutants {
    struct ds_mutants table;
    struct ds_mutant *rows; /* owned */
    size_t cap;
    struct ds_address_map map;
};

struct reader {
    struct ds_nt *nt;
    struct ds_nt_mutants *m;
    struct ds_member_set set;
    struct ds_field type, head, links;
    bool full;
};

static void lost(struct reader *r, enum ds_status why, uint64_t at, const char *detail)
{
    ds_walk_stop(&r->m->table.walk, why, ds_opt_known(at), detail);
}

/* SignalState counts down from 1 with every acquisition. */
static struct ds_opt recursion(struct ds_opt signal_state)
{
    int64_t s = (int64_t)signal_state.value;
    if (!signal_state.known)
        return signal_state;
    return s <= 1 && s >= INT32_MIN ? ds_opt_known((uint64_t)(1 - s)) : ds_opt_unknown(DS_CORRUPT);
}

/* Only what has the header of an object of this type has a name. */
static const char *name_of(struct ds_nt *nt, uint64_t mutant)
{
    struct ds_object_info info;
    struct ds_opt header = ds_nt_object_header(nt, mutant);
    if (!header.known)
        return NULL;
    ds_nt_object_info(nt, header.value, &info);
    return ds_nt_object_is(nt, &info, "Mutant") ? ds_nt_object_name(nt, &info) : NULL;
}

/* The mutant at this address, added when it is new; NULL when it is none or there is no room. */
static struct ds_mutant *mutant_at(struct reader *r, uint64_t address)
{
    struct ds_nt_mutants *m = r->m;
    const struct ds_target *t = r->nt->target;
    uint32_t row;
    if (ds_address_map_get(&m->map, address, &row))
        return &m->rows[row];
    struct ds_opt type = ds_target_read_member(t, address, &r->type);
    if (!type.known || (type.value & TYPE_MASK) != TYPE_MUTANT) {
        lost(r, type.known ? DS_CORRUPT : type.why, address, "a mutant cannot be read");
        return NULL;
    }
    void *array = m->rows;
    size_t limit = DS_ROWS_MAX(struct ds_mutant, DS_LIMIT_WAIT_BLOCKS);
    if (!ds_array_reserve(&array, &m->cap, m->table.count + 1, sizeof(*m->rows), limit) ||
        !ds_address_map_put(&m->map, address, (uint32_t)m->table.count)) {
        r->full = true;
        lost(r, DS_LIMIT, address, "more mutants than are kept");
        return NULL;
    }
    m->rows = array;
    struct ds_mutant *row_at = &m->rows[m->table.count++];
    *row_at = (struct ds_mutant){.address = address};
    ds_members_read(&r->set, t, address, row_at);
    row_at->recursion = recursion(row_at->signal_state);
    row_at->name = name_of(r->nt, address);
    row_at->owner_ended = ds_nt_thread_ended(r->nt, row_at->owner);
    return row_at;
}

static void add_waited(struct reader *r)
{
    const struct ds_wait_blocks *waits = ds_nt_wait_blocks(r->nt);
    for (size_t i = 0; i < waits->count && !r->full; i++) {
        const struct ds_wait_block *b = &waits->rows[i];
        if (!b->object_type.known || b->object_type.value != TYPE_MUTANT)
            continue;
        struct ds_mutant *m = mutant_at(r, b->object.value);
        if (m != NULL) {
            m->waited_for = true;
            m->waiters++;
        }
    }
    if (!waits->walk.complete)
        ds_walk_stop(&r->m->table.walk, waits->walk.stop_reason, waits->walk.stop_address,
                     waits->walk.detail);
}

static void add_owned(struct reader *r, uint64_t ethread)
{
    struct ds_space *space = r->nt->target->kernel;
    struct ds_entries e = {0};
    uint64_t head = ethread + r->head.offset, first;
    enum ds_status status = ds_space_read_ptr(space, head, &first, NULL);
    if (status != DS_OK) {
        lost(r, status, ethread, "what mutants a thread owns cannot be read");
        return;
    }
    if (first == head)
        return;
    ds_entries_walk(&e, space, head, DS_LIMIT_THREAD_MUTANTS);
    for (size_t i = 0; i < e.count && !r->full; i++) {
        struct ds_mutant *m = mutant_at(r, e.at[i] - r->links.offset);
        if (m == NULL)
            break; /* a list that leads to what is no mutant leads nowhere */
        m->listed = true;
        if (m->owner.known && m->owner.value != ethread)
            lost(r, DS_CORRUPT, m->address, "a mutant in a thread's list names another owner");
    }
    if (e.end.status != DS_OK)
        lost(r, e.end.status, e.end.address, "the list of a thread's mutants is cut short");
    ds_entries_deinit(&e);
}

static void fill(struct ds_nt *nt, struct ds_nt_mutants *m)
{
    struct reader r = {.nt = nt, .m = m};
    const struct ds_target *t = nt->target;
    const struct ds_threads *threads = ds_nt_threads(nt);
    struct ds_walk *walk = &m->table.walk;
    if (t->kernel == NULL) {
        *walk = ds_walk_none("mutants", t->kernel_why, t->kernel_why_text);
        return;
    }
    ds_members_resolve(&r.set, t, specs, sizeof(specs) / sizeof(specs[0]));
    if (ds_target_member(t, "_DISPATCHER_HEADER", "Type", &r.type, NULL) != DS_OK ||
        ds_target_member(t, "_KMUTANT", "MutantListEntry", &r.links, NULL) != DS_OK ||
        ds_target_member(t, "_KTHREAD", "MutantListHead", &r.head, NULL) != DS_OK) {
        *walk = ds_walk_none("mutants", DS_NO_FIELD, "no layout of _KMUTANT fits this kernel");
        return;
    }
    *walk = (struct ds_walk){.table_name = "mutants", .complete = true, .detail = ""};
    walk->stop_address = ds_opt_unknown(DS_OK);
    add_waited(&r);
    if (!threads->walk.complete)
        ds_walk_stop(walk, threads->walk.stop_reason, threads->walk.stop_address,
                     "the list of threads is not complete");
    for (size_t i = 0; i < threads->count && !r.full; i++)
        add_owned(&r, threads->rows[i].ethread);
}

static struct ds_nt_mutants *mutants_of(struct ds_nt *nt)
{
    if (nt->mutants == NULL) {
        nt->mutants = calloc(1, sizeof(*nt->mutants));
        if (nt->mutants != NULL) {
            fill(nt, nt->mutants);
            nt->mutants->table.rows = nt->mutants->rows;
            nt->mutants->table.walk.rows = nt->mutants->table.count;
        }
    }
    return nt->mutants;
}

const struct ds_mutants *ds_nt_mutants(struct ds_nt *nt)
{
    static const struct ds_mutants none = {
        .walk = {.table_name = "mutants", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    const struct ds_nt_mutants *m = mutants_of(nt);
    return m == NULL ? &none : &m->table;
}

uint32_t ds_nt_mutant_row(struct ds_nt *nt, uint64_t address)
{
    const struct ds_nt_mutants *m = mutants_of(nt);
    uint32_t row = DS_NO_ROW;
    return m != NULL && ds_address_map_get(&m->map, address, &row) ? row : DS_NO_ROW;
}

void ds_nt_mutants_free(struct ds_nt_mutants *m)
{
    if (m != NULL) {
        free(m->rows);
        ds_address_map_deinit(&m->map);
        free(m);
    }
}
