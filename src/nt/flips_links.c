/*
 * List links that are one bit away from their neighbour. A doubly linked list says everything
 * twice: where an entry's Flink leads astray, the entry after it still points back. A changed bit
 * that makes both agree again is no coincidence: all 64 bits of an address have to match.
 */
#include <string.h>

#include "nt/hardware_impl.h"

#define ENTRIES_MAX 65536u
#define CHANCE (64.0 / 18446744073709551616.0)

struct link_check {
    struct ds_flip_list *out;
    struct ds_space *space;
    unsigned word;   /* bytes of a pointer */
    unsigned lowest; /* bits below it are left alone */
    const char *list;
};

static bool read_ptr(const struct link_check *c, uint64_t va, uint64_t *ret)
{
    return ds_space_read_ptr(c->space, va, ret, NULL) == DS_OK;
}

static void add(struct link_check *c, const char *member, uint64_t place, uint64_t value,
                uint64_t expected, unsigned bit)
{
    ds_flip_add(c->out, &(struct ds_bit_flip){
                            .subject = ds_flip_text(c->out->nt, "%s of %s", member, c->list),
                            .place = ds_opt_known(place),
                            .value = value,
                            .expected = expected,
                            .bit = bit,
                            .kind = "list link",
                            .expected_is = "the neighbour, which points back here",
                            .confidence = "medium",
                            .chance = CHANCE});
}

/* Looks for the neighbour that points back to `entry` from `back` bytes behind one changed bit. */
static bool find_neighbour(struct link_check *c, const char *member, uint64_t place, uint64_t link,
                           unsigned back, uint64_t entry)
{
    for (unsigned bit = c->lowest; bit < c->word * 8; bit++) {
        uint64_t other = link ^ (uint64_t)1 << bit, points;
        if (read_ptr(c, other + back, &points) && points == entry && other != entry) {
            add(c, member, place, link, other, bit);
            return true;
        }
    }
    return false;
}

/* The neighbour is there, and its link back is the wrong one. */
static bool wrong_back(struct link_check *c, const char *member, uint64_t place, uint64_t entry)
{
    uint64_t points;
    if (!read_ptr(c, place, &points))
        return false;
    int bit = ds_one_bit(points, entry);
    if (bit < (int)c->lowest)
        return false;
    add(c, member, place, points, entry, (unsigned)bit);
    return true;
}

/* Checks the entry at `entry` against both neighbours; one of them must agree. */
static void check_entry(struct link_check *c, uint64_t entry)
{
    uint64_t flink, blink, points;
    if (!read_ptr(c, entry, &flink) || !read_ptr(c, entry + c->word, &blink))
        return;
    bool next_agrees = read_ptr(c, flink + c->word, &points) && points == entry;
    bool last_agrees = read_ptr(c, blink, &points) && points == entry;
    if (next_agrees == last_agrees)
        return;
    if (last_agrees && !wrong_back(c, "the next entry's Blink", flink + c->word, entry))
        (void)find_neighbour(c, "Flink", entry, flink, c->word, entry);
    else if (next_agrees && !wrong_back(c, "the entry before's Flink", blink, entry))
        (void)find_neighbour(c, "Blink", entry + c->word, blink, 0, entry);
}

/* Follows a list as far as it agrees with itself, and examines the entry where it does not. */
static void check_list(struct link_check *c, struct ds_opt head)
{
    uint64_t entry, next, points;
    if (!head.known || head.value == 0)
        return;
    entry = head.value;
    for (unsigned i = 0; i < ENTRIES_MAX; i++) {
        if (!read_ptr(c, entry, &next))
            return;
        if (!read_ptr(c, next + c->word, &points) || points != entry) {
            check_entry(c, entry);
            return;
        }
        if (next == head.value)
            return;
        entry = next;
    }
}

/* A list that was just found corrupt has an entry of it in a register. */
static void check_registers(struct link_check *c, const struct ds_context *context)
{
    for (size_t i = 0; i < context->register_count; i++) {
        const struct ds_register *r = &context->registers[i];
        if (r->size != c->word || (r->value & (c->word - 1)) != 0 ||
            !ds_target_is_kernel_va(c->out->nt->target, r->value))
            continue;
        c->list = ds_flip_text(c->out->nt, "the list entry in register %s", r->name);
        check_entry(c, r->value);
    }
}

void ds_flips_of_links(struct ds_flip_list *l)
{
    struct ds_nt *nt = l->nt;
    struct ds_target *t = nt->target;
    const struct ds_fault_facts *f = ds_nt_fault(nt);
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    const char *method;
    struct link_check c = {.out = l, .space = t->kernel, .word = t->pointer_size, .lowest = 3};
    if (ds_dump_kind(t->dump) != DS_DUMP_TRIAGE) { /* a minidump holds parts of lists only */
        c.list = "a process in PsActiveProcessHead";
        check_list(&c, ds_target_list_head(t, "PsActiveProcessHead", &method));
        c.list = "a module in PsLoadedModuleList";
        check_list(&c, ds_target_list_head(t, "PsLoadedModuleList", &method));
    }
    if (f->chosen < f->context_count) {
        bool corrupt_list = h->bugcheck_code.known && h->bugcheck_parameter[0].known &&
                            (h->bugcheck_code.value & 0xfff) == 0x139 &&
                            h->bugcheck_parameter[0].value == 3;
        /* Elsewhere a register may point at anything that has two pointers in front; adjacent
         * structures differ in low bits. */
        c.lowest = corrupt_list ? 4 : 12;
        check_registers(&c, &f->contexts[f->chosen].context);
    }
}
