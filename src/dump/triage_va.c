/*
 * Where a triage dump's PRCB, process and thread records stood in memory. The dump keeps the
 * records without their addresses; the pointers between them, at the offsets that
 * KDDEBUGGER_DATA64 itself tells, give them back.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "dump/impl.h"

/* Members of KDDEBUGGER_DATA64 (wdbgexts.h). */
#define KDBG_KI_PROCESSOR_BLOCK 0x218u
#define KDBG_OFFSET_KTHREAD_APC_PROCESS 0x2a0u
#define KDBG_OFFSET_PRCB_CURRENT_THREAD 0x2b4u
#define KDBG_OFFSET_PRCB_NUMBER 0x2beu

/* DISPATCHER_HEADER (wdm.h): WaitListHead stands at 8 in both pointer sizes. */
#define WAIT_LIST_HEAD 8u

struct ds_opt ds_kdbg_value(struct ds_dump *d, uint32_t member, unsigned size)
{
    const struct ds_region *k = &d->triage.debugger_data;
    if (!ds_range_within(member, size, k->size))
        return ds_opt_unknown(DS_NOT_FOUND);
    return ds_dump_file_uint(d, k->offset + member, size);
}

struct ds_opt ds_kdbg_told_field(struct ds_dump *d, const struct ds_region *r, uint32_t member,
                                 unsigned size)
{
    struct ds_opt off = ds_kdbg_value(d, member, 2);
    if (!off.known || off.value == 0 || !ds_range_within(off.value, size, r->size))
        return ds_opt_unknown(DS_NOT_FOUND);
    return ds_dump_file_uint(d, r->offset + off.value, size);
}

/*
 * Whether a record stood at `va`: kernel objects hold list heads, and an empty one points to
 * itself. At least one word must hold exactly its own address.
 */
static bool points_to_itself(struct ds_dump *d, const struct ds_region *r, uint64_t va)
{
    unsigned ptr = ds_dump_pointer_size(d);
    uint8_t raw[4096];
    size_t have;
    size_t want = r->size < sizeof(raw) ? (size_t)r->size : sizeof(raw);
    if (va % ptr != 0 || va == 0 ||
        ds_source_read_some(d->src, r->offset, raw, want, &have, NULL) != DS_OK)
        return false;
    for (size_t i = 0; i + ptr <= have; i += ptr) {
        uint64_t v = ptr == 8 ? ds_le64(raw + i) : ds_le32(raw + i);
        if (v == ds_dump_va(d, va + i))
            return true;
    }
    return false;
}

/* The pointer that names the record, or else the record's own empty wait list. */
static struct ds_opt place(struct ds_dump *d, const struct ds_region *r, struct ds_opt named)
{
    if (r->size == 0)
        return ds_opt_unknown(DS_NOT_FOUND);
    if (named.known && points_to_itself(d, r, named.value))
        return named;
    unsigned ptr = ds_dump_pointer_size(d);
    struct ds_opt flink = ds_dump_file_uint(d, r->offset + WAIT_LIST_HEAD, ptr);
    struct ds_opt blink = ds_dump_file_uint(d, r->offset + WAIT_LIST_HEAD + ptr, ptr);
    if (flink.known && blink.known && flink.value == blink.value && flink.value > WAIT_LIST_HEAD &&
        points_to_itself(d, r, flink.value - WAIT_LIST_HEAD))
        return ds_opt_known(flink.value - WAIT_LIST_HEAD);
    return ds_opt_unknown(DS_NOT_FOUND);
}

/* KiProcessorBlock[Number], when that array was captured. */
static struct ds_opt place_prcb(struct ds_dump *d)
{
    struct ds_opt number = ds_kdbg_told_field(d, &d->triage.prcb, KDBG_OFFSET_PRCB_NUMBER, 4);
    struct ds_opt array = ds_kdbg_value(d, KDBG_KI_PROCESSOR_BLOCK, 8);
    if (!number.known || !array.known || number.value >= DS_LIMIT_PROCESSORS)
        return ds_opt_unknown(DS_NOT_FOUND);
    unsigned ptr = ds_dump_pointer_size(d);
    struct ds_opt va = ds_dump_virt_uint(d, array.value + number.value * ptr, ptr);
    return va.known && va.value != 0 ? va : ds_opt_unknown(DS_NOT_FOUND);
}

void ds_triage_place_records(struct ds_dump *d)
{
    struct ds_triage *t = &d->triage;
    unsigned ptr = ds_dump_pointer_size(d);
    if (t->prcb.size != 0)
        t->prcb.va = place_prcb(d);
    t->thread.va =
        place(d, &t->thread, ds_kdbg_told_field(d, &t->prcb, KDBG_OFFSET_PRCB_CURRENT_THREAD, ptr));
    t->process.va = place(d, &t->process,
                          ds_kdbg_told_field(d, &t->thread, KDBG_OFFSET_KTHREAD_APC_PROCESS, ptr));
}
