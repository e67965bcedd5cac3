/*
 * The triage ("minidump") body: a header of file offsets and the records that they lead to.
 * Layout of the 64-bit form: TRIAGE_DUMP64 as decoded by several open readers; the 32-bit form
 * and both forms' details were checked on real dumps.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/cursor.h"
#include "base/err.h"
#include "dump/impl.h"

#define TRGD 0x44475254u /* 'TRGD' in file order: the last thing that the writer writes */
#define HEAD64_SIZE 0x80u
#define HEAD32_SIZE 0x68u

static void decode_common(struct ds_triage_head *h, struct ds_cursor *c)
{
    h->service_pack_build = ds_cursor_u32(c);
    h->size_of_dump = ds_cursor_u32(c);
    h->valid_offset = ds_cursor_u32(c);
    h->context_offset = ds_cursor_u32(c);
    h->exception_offset = ds_cursor_u32(c);
    h->mm_offset = ds_cursor_u32(c);
    h->unloaded_offset = ds_cursor_u32(c);
    h->prcb_offset = ds_cursor_u32(c);
    h->process_offset = ds_cursor_u32(c);
    h->thread_offset = ds_cursor_u32(c);
    h->call_stack_offset = ds_cursor_u32(c);
    h->call_stack_size = ds_cursor_u32(c);
    h->driver_list_offset = ds_cursor_u32(c);
    h->driver_count = ds_cursor_u32(c);
    h->string_pool_offset = ds_cursor_u32(c);
    h->string_pool_size = ds_cursor_u32(c);
    h->broken_driver_offset = ds_cursor_u32(c);
    h->triage_options = ds_cursor_u32(c);
}

static enum ds_status read_head(struct ds_dump *d, struct ds_triage_head *h, struct ds_err *err)
{
    uint8_t raw[HEAD64_SIZE] = {0};
    bool is64 = d->header.is64;
    size_t size = is64 ? HEAD64_SIZE : HEAD32_SIZE, have;
    enum ds_status st = ds_source_read_some(d->src, d->header.body_offset, raw, size, &have, err);
    if (st != DS_OK)
        return st;
    struct ds_cursor c = ds_cursor_over(raw, size);
    h->size = have;
    decode_common(h, &c);
    if (is64) {
        h->top_of_stack = ds_cursor_u64(&c);
        ds_cursor_skip(&c, 16); /* IA-64 backing store */
        h->data_page_address = ds_cursor_u64(&c);
    } else {
        h->top_of_stack = ds_cursor_u32(&c);
        h->data_page_address = ds_cursor_u32(&c);
    }
    h->data_page_offset = ds_cursor_u32(&c);
    h->data_page_size = ds_cursor_u32(&c);
    h->debugger_data_offset = ds_cursor_u32(&c);
    h->debugger_data_size = ds_cursor_u32(&c);
    h->data_blocks_offset = ds_cursor_u32(&c);
    h->data_blocks_count = ds_cursor_u32(&c);
    return DS_OK;
}

static bool marker_at(struct ds_dump *d, uint64_t off)
{
    struct ds_opt m = ds_dump_file_uint(d, off, 4);
    return m.known && m.value == TRGD;
}

bool ds_triage_sniff(struct ds_dump *d)
{
    struct ds_triage_head h = {0};
    if (read_head(d, &h, NULL) != DS_OK)
        return false;
    if (marker_at(d, h.valid_offset) && h.valid_offset == h.size_of_dump - 4u)
        return true;
    /* Without the marker (cut off): the two offsets that every writer sets alike. */
    return h.context_offset == d->header.context_offset &&
           h.exception_offset == d->header.exception_offset;
}

uint64_t ds_triage_end(const struct ds_dump *d)
{
    uint64_t end = d->head.size_of_dump;
    return end > d->header.body_offset && end < d->file_size ? end : d->file_size;
}

/* A region bounded to the file; size 0 when the offset is 0 or outside. */
static struct ds_region region_at(const struct ds_dump *d, uint64_t off, uint64_t size)
{
    struct ds_region r = {.offset = off, .va = ds_opt_unknown(DS_NOT_FOUND)};
    if (off >= d->header.body_offset)
        r.size = ds_dump_captured(d, off, size);
    return r;
}

/* Bytes from `off` to the record that follows it in the file. */
static uint64_t gap_after(const struct ds_dump *d, uint64_t off)
{
    const struct ds_triage_head *h = &d->head;
    const uint32_t starts[] = {
        h->mm_offset,        h->unloaded_offset,    h->prcb_offset,          h->process_offset,
        h->thread_offset,    h->call_stack_offset,  h->driver_list_offset,   h->string_pool_offset,
        h->data_page_offset, h->data_blocks_offset, h->debugger_data_offset, h->valid_offset,
    };
    uint64_t next = ds_triage_end(d);
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (starts[i] > off && starts[i] < next)
            next = starts[i];
    }
    return next > off ? next - off : 0;
}

/* A record whose size KDDEBUGGER_DATA64 tells at `kdbg_field` (0 = it does not). */
static struct ds_region sized_record(struct ds_dump *d, uint64_t off, uint32_t kdbg_field)
{
    uint64_t size = gap_after(d, off);
    const struct ds_region *k = &d->triage.debugger_data;
    if (kdbg_field != 0 && ds_range_within(kdbg_field, 2, k->size)) {
        struct ds_opt told = ds_dump_file_uint(d, k->offset + kdbg_field, 2);
        if (told.known && told.value != 0 && told.value < size)
            size = told.value;
    }
    return region_at(d, off, size);
}

/* Members of KDDEBUGGER_DATA64 (wdbgexts.h): u16 sizes of the structures. */
#define KDBG_SIZE_EPROCESS 0x2a8u
#define KDBG_SIZE_PRCB 0x2b0u
#define KDBG_SIZE_ETHREAD 0x2c0u

static void place_regions(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    struct ds_triage *t = &d->triage;
    struct ds_opt mm = ds_dump_file_uint(d, (uint64_t)h->mm_offset + 4, 4);
    t->debugger_data = region_at(d, h->debugger_data_offset, h->debugger_data_size);
    t->call_stack = region_at(d, h->call_stack_offset, h->call_stack_size);
    t->data_page = region_at(d, h->data_page_offset, h->data_page_size);
    uint64_t mm_room = gap_after(d, h->mm_offset);
    t->mm = region_at(d, h->mm_offset, mm.known && mm.value < mm_room ? mm.value : mm_room);
    t->prcb = sized_record(d, h->prcb_offset, KDBG_SIZE_PRCB);
    t->process = sized_record(d, h->process_offset, KDBG_SIZE_EPROCESS);
    t->thread = sized_record(d, h->thread_offset, KDBG_SIZE_ETHREAD);
    if (d->header.kd_debugger_data_block.known && t->debugger_data.size != 0)
        t->debugger_data.va = d->header.kd_debugger_data_block;
    if (t->call_stack.size != 0)
        t->call_stack.va = ds_opt_known(h->top_of_stack);
    if (t->data_page.size != 0)
        t->data_page.va = ds_opt_known(h->data_page_address);
}

/* Unknown where the file ended before the triage header did. */
static struct ds_opt head_value(const struct ds_triage_head *h, uint64_t end, uint64_t value)
{
    return h->size >= end ? ds_opt_known(value) : ds_opt_unknown(DS_TRUNCATED);
}

static void publish_head(struct ds_dump *d)
{
    const struct ds_triage_head *h = &d->head;
    struct ds_triage *t = &d->triage;
    t->service_pack_build = head_value(h, 4, h->service_pack_build);
    t->size_of_dump = head_value(h, 8, h->size_of_dump);
    t->valid_offset = head_value(h, 0xc, h->valid_offset);
    t->broken_driver_offset = head_value(h, 0x44, h->broken_driver_offset);
    t->triage_options = head_value(h, 0x48, h->triage_options);
    if (h->triage_options == UINT32_MAX)
        t->triage_options = ds_opt_unknown(DS_OK);
    t->top_of_stack = head_value(h, d->header.is64 ? 0x50 : 0x4c, h->top_of_stack);
    t->driver_count_stated = h->driver_count;
    t->block_count_stated = h->data_blocks_count;
    t->valid_marker = marker_at(d, h->valid_offset);
    /* Attributes bit 3, KernelGeneratedTriageDump (Windows SDK mindumpdef.h). */
    t->kernel_written = (ds_opt_or(d->header.attributes, 0) & 8u) != 0;
}

/* With the stated size, so that a piece that is cut off reads as such. */
static enum ds_status add_region(struct ds_dump *d, const struct ds_region *r, uint64_t size,
                                 const char *origin)
{
    if (r->size == 0 || !r->va.known)
        return DS_OK;
    return ds_dump_virt_range_add(d, r->va.value, r->offset, size, origin);
}

enum ds_status ds_triage_open(struct ds_dump *d, struct ds_err *err)
{
    d->kind = DS_DUMP_TRIAGE;
    enum ds_status st = read_head(d, &d->head, err);
    if (st != DS_OK)
        return st;
    publish_head(d);
    place_regions(d);
    st = ds_triage_read_drivers(d);
    if (st == DS_OK)
        st = ds_triage_read_unloaded(d);
    if (st == DS_OK)
        st = ds_triage_read_blocks(d);
    struct ds_triage *t = &d->triage;
    if (st == DS_OK)
        st = add_region(d, &t->call_stack, d->head.call_stack_size, "call stack");
    if (st == DS_OK)
        st = add_region(d, &t->data_page, d->head.data_page_size, "data page");
    if (st == DS_OK)
        st = add_region(d, &t->debugger_data, d->head.debugger_data_size, "debugger data");
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot list the contents of the triage dump: %s",
                          ds_status_text(st));
    ds_triage_place_records(d);
    if (add_region(d, &t->prcb, t->prcb.size, "prcb") != DS_OK ||
        add_region(d, &t->process, t->process.size, "process") != DS_OK ||
        add_region(d, &t->thread, t->thread.size, "thread") != DS_OK)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    ds_blobs_read(d, d->head.size_of_dump, t->valid_marker);
    ds_triage_check(d);
    return DS_OK;
}
