#include "cli/read.h"

#include <string.h>

#include "memory/words.h"
#include "nt/vads.h"

static void explain(struct reading *r, uint64_t va, struct ds_explanation *e)
{
    struct ds_vad vad;
    bool has_vad;
    if (r->m->eprocess.known)
        ds_nt_explain(r->m->nt, r->m->eprocess.value, r->m->space, va, e, &vad, &has_vad);
    else
        ds_space_explain(r->m->space, va, e);
}

/* Within one page, where its tables lead nowhere: what the VAD makes of it. */
static enum ds_status load_explained(struct reading *r, const struct ds_fault *fault, uint64_t at,
                                     uint8_t *to, size_t len, uint64_t *bad)
{
    struct ds_explanation e;
    explain(r, fault->va, &e);
    r->state = e.fault.state;
    if (e.status != DS_OK || fault->va != at)
        return e.status != DS_OK ? e.status : fault->status;
    uint64_t bad_pa = e.pa;
    enum ds_status status = ds_dump_read_phys(r->m->target->dump, e.pa, to, len, &bad_pa);
    *bad = at + (bad_pa - e.pa);
    return status;
}

/* DS_OK, or the first address in [at, at + len) that cannot be read. */
static enum ds_status load(struct reading *r, uint64_t at, uint8_t *to, size_t len, uint64_t *bad)
{
    if (r->physical)
        return ds_dump_read_phys(r->m->target->dump, at, to, len, bad);
    struct ds_fault fault = {.va = at};
    enum ds_status status = ds_space_read(r->m->space, at, to, len, &fault);
    *bad = fault.va;
    if (status == DS_OK || ds_space_paging(r->m->space) == DS_PAGING_NONE)
        return status;
    return load_explained(r, &fault, at, to, len, bad);
}

/* One page: whole, or up to its faults. Page tables end at page borders, captured pieces of a
 * minidump anywhere. */
static void load_page(struct reading *r, uint64_t page)
{
    bool pieces = r->physical || ds_space_paging(r->m->space) == DS_PAGING_NONE;
    size_t done = 0;
    r->loaded = true;
    r->page = page;
    memset(r->status, DS_OK, sizeof(r->status));
    while (done < READ_PAGE) {
        uint64_t bad = page + done;
        enum ds_status status = load(r, page + done, r->data + done, READ_PAGE - done, &bad);
        if (status == DS_OK)
            return;
        size_t good = bad >= page + done && bad < page + READ_PAGE ? (size_t)(bad - page) : done;
        if (good > done && load(r, page + done, r->data + done, good - done, &bad) != DS_OK)
            good = done;
        size_t lost = pieces ? 1 : READ_PAGE - good;
        memset(r->status + good, (int)status, lost);
        done = good + lost;
    }
}

static void add_hole(struct reading *r, uint64_t at, enum ds_status status)
{
    if (r->bad && at <= r->last_bad)
        return; /* seen before: characters beside their bytes */
    struct read_hole *last = r->hole_count > 0 ? &r->holes[r->hole_count - 1] : NULL;
    bool next = r->bad && at - r->last_bad == 1;
    r->bad = true;
    r->last_bad = at;
    if (r->holes_more > 0)
        r->holes_more += !next;
    else if (last != NULL && next && status == last->status &&
             (at % READ_PAGE != 0 || (r->state == last->state && r->state != DS_PTE_PAGE_FILE)))
        last->size++;
    else if (r->hole_count < READ_HOLES)
        r->holes[r->hole_count++] = (struct read_hole){at, 1, status, r->state};
    else
        r->holes_more = 1;
}

bool reading_byte(struct reading *r, uint64_t at, uint8_t *ret)
{
    uint64_t page = at & ~(uint64_t)(READ_PAGE - 1);
    if (!r->loaded || page != r->page)
        load_page(r, page);
    size_t i = (size_t)(at - page);
    if (r->status[i] != DS_OK) {
        add_hole(r, at, (enum ds_status)r->status[i]);
        return false;
    }
    *ret = r->data[i];
    return true;
}

const char *reading_state(const struct reading *r, const struct read_hole *h)
{
    bool tables = !r->physical && ds_space_paging(r->m->space) != DS_PAGING_NONE;
    return tables ? ds_pte_state_name(h->state) : NULL;
}

void reading_reason(struct reading *r, const struct read_hole *h, struct ds_buf *b)
{
    struct ds_explanation e;
    if (r->physical || ds_space_paging(r->m->space) == DS_PAGING_NONE) {
        ds_buf_str(b, ds_status_text(h->status));
        return;
    }
    explain(r, h->at, &e);
    if (e.status != DS_OK) {
        ds_fault_words(ds_space_paging(r->m->space), &e.fault, r->m->digits, b);
        return;
    }
    ds_buf_printf(b, "%s (physical address %llx", ds_status_text(h->status),
                  (unsigned long long)e.pa);
    if (e.fault.state == DS_PTE_TRANSITION)
        ds_buf_str(b, ", in transition");
    if (e.fault.prototype.known)
        ds_buf_printf(b, ", through the prototype PTE at %0*llx", (int)r->m->digits,
                      (unsigned long long)e.fault.prototype.value);
    ds_buf_char(b, ')');
}
