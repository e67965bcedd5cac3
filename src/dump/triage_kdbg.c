/*
 * The captured KDDEBUGGER_DATA64 (wdbgexts.h) against itself, the header and what else the dump
 * holds. In good minidumps it is plain, complete and agrees with the header.
 */
#include <string.h>

#include "dump/impl.h"

#define KDBG_TAG 0x10u
#define KDBG_SIZE 0x14u
#define KDBG_KERN_BASE 0x18u
#define KDBG_PS_LOADED_MODULE_LIST 0x48u
#define KDBG_PS_ACTIVE_PROCESS_HEAD 0x50u
#define KDBG_MM_PFN_DATABASE 0xc0u
#define KDBG_MM_PAGE_SIZE 0x138u
#define KDBG_NT_BUILD_LAB 0x208u
#define KDBG_KI_PROCESSOR_BLOCK 0x218u
#define KDBG_LAST_POINTER 0x290u /* pointers up to here are in every version since XP */
#define KDBG_OFFSET_PROCESS_DTB 0x2aeu
#define KDBG_OFFSET_PRCB_NUMBER 0x2beu

#define TAG_KDBG 0x4742444bu /* 'KDBG' */

static uint64_t member_at(const struct ds_dump *d, uint32_t member)
{
    return d->triage.debugger_data.offset + member;
}

static bool check_tag(struct ds_dump *d)
{
    struct ds_opt tag = ds_kdbg_value(d, KDBG_TAG, 4);
    if (!tag.known)
        return false;
    if (tag.value != TAG_KDBG) {
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "debugger_data.tag", member_at(d, KDBG_TAG),
                    "the debugger data: sizes and offsets in it cannot be trusted; records are "
                    "bounded by their neighbours instead",
                    "the tag 'KDBG'", "0x%08llx", (unsigned long long)tag.value);
        return false;
    }
    struct ds_opt size = ds_kdbg_value(d, KDBG_SIZE, 4);
    if (size.known && size.value != d->head.debugger_data_size)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "debugger_data.size", member_at(d, KDBG_SIZE),
                    "the members past the shorter of the two sizes",
                    "the size that DebuggerDataSize states", "0x%llx against 0x%lx",
                    (unsigned long long)size.value, (unsigned long)d->head.debugger_data_size);
    return true;
}

static void check_same(struct ds_dump *d, enum ds_integrity_level level, const char *check,
                       const char *what, uint32_t member, struct ds_opt header)
{
    struct ds_opt v = ds_kdbg_value(d, member, 8);
    if (!v.known || !header.known || ds_dump_va(d, v.value) == header.value)
        return;
    struct ds_integrity_note *n = ds_dump_note(d, level, check, member_at(d, member));
    ds_integrity_expected(n, "%s 0x%llx, as the header has it", what,
                          (unsigned long long)header.value);
    ds_integrity_found(n, "0x%llx", (unsigned long long)v.value);
    ds_integrity_lost(n, "trust in that address: header and debugger data contradict each other");
}

/* Every pointer of the block leads into the kernel image; MmPageSize is the one number. */
static void check_pointers(struct ds_dump *d)
{
    if (d->triage.driver_count == 0)
        return;
    uint64_t base = d->triage.drivers[0].base, size = d->triage.drivers[0].size;
    struct ds_oddity odd = {0};
    for (uint32_t m = KDBG_PS_LOADED_MODULE_LIST; m < KDBG_LAST_POINTER; m += 8) {
        struct ds_opt v = ds_kdbg_value(d, m, 8);
        if (!v.known || v.value == 0 || m == KDBG_MM_PAGE_SIZE)
            continue;
        if (ds_dump_va(d, v.value) - base >= size)
            ds_oddity_add(&odd, member_at(d, m));
    }
    if (odd.count != 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "debugger_data.pointer", odd.first,
                    "those addresses: what they lead to may not be what it seems",
                    "pointers into the kernel image", "%llu lead elsewhere, the first here",
                    (unsigned long long)odd.count);
}

/* NtBuildLab begins with the build number: "19041.1.amd64fre...". */
static void check_build(struct ds_dump *d)
{
    struct ds_opt stated = d->header.minor_version, va = ds_kdbg_value(d, KDBG_NT_BUILD_LAB, 8);
    char lab[8] = {0};
    if (!stated.known || !va.known ||
        ds_dump_read_virt(d, va.value, lab, sizeof(lab) - 1, NULL) != DS_OK)
        return;
    uint64_t build = 0;
    size_t i = 0;
    for (; lab[i] >= '0' && lab[i] <= '9'; i++)
        build = build * 10 + (uint64_t)(lab[i] - '0');
    if (i < 3 || lab[i] != '.' || build == stated.value)
        return;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_DAMAGE, "header.minor_version", 0xc);
    ds_integrity_expected(n, "MinorVersion %llu, as NtBuildLab says", (unsigned long long)build);
    ds_integrity_found(n, "%llu", (unsigned long long)stated.value);
    ds_integrity_lost(n, "the Windows build in the header; NtBuildLab was captured and tells it");
}

/* The secondary data's file header carries the build too, with 0xf in the top bits. */
static void check_blob_build(struct ds_dump *d)
{
    struct ds_opt stated = d->header.minor_version, blob = d->blob_build;
    if (!stated.known || !blob.known || (blob.value & 0xffff) == (stated.value & 0xffff))
        return;
    ds_dump_say(d, DS_INTEGRITY_DAMAGE, "blob.build", (uint64_t)d->head.size_of_dump + 12,
                "trust in one of the two build numbers",
                "the build number of the header in the secondary data", "%llu against %llu",
                (unsigned long long)(blob.value & 0xffff), (unsigned long long)stated.value);
}

static void note_processors(struct ds_dump *d, uint64_t found, const char *what)
{
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_DAMAGE, "header.processor_count",
                                               d->header.is64 ? 0x34 : 0x24);
    ds_integrity_expected(n, "NumberProcessors that fits %s", what);
    ds_integrity_found(n, "%llu", (unsigned long long)found);
    ds_integrity_lost(n, "the number of processors in the header; the PRCBs found are shown");
}

/* The last processor's slot of KiProcessorBlock is filled, the next (if captured) is not. */
static void check_processors(struct ds_dump *d)
{
    struct ds_opt count = d->header.processor_count;
    struct ds_opt array = ds_kdbg_value(d, KDBG_KI_PROCESSOR_BLOCK, 8);
    struct ds_opt number = ds_kdbg_told_field(d, &d->triage.prcb, KDBG_OFFSET_PRCB_NUMBER, 4);
    if (!count.known || count.value == 0 || count.value > DS_LIMIT_PROCESSORS)
        return;
    if (number.known && number.value >= count.value && number.value < DS_LIMIT_PROCESSORS) {
        note_processors(d, count.value, "the PRCB's own Number");
        return;
    }
    unsigned ptr = ds_dump_pointer_size(d);
    if (!array.known || !ds_dump_virt_uint(d, array.value, ptr).known)
        return;
    struct ds_opt last = ds_dump_virt_uint(d, array.value + (count.value - 1) * ptr, ptr);
    struct ds_opt next = ds_dump_virt_uint(d, array.value + count.value * ptr, ptr);
    if (!last.known || last.value == 0)
        note_processors(d, count.value, "KiProcessorBlock, which has fewer");
    else if (next.known && next.value != 0 && ds_va_kernel(d, next.value))
        note_processors(d, count.value, "KiProcessorBlock, which has more");
}

/* The header's DTB is that of the process that ran. */
static void check_dtb(struct ds_dump *d)
{
    struct ds_opt stated = d->header.dtb;
    struct ds_opt v =
        ds_kdbg_told_field(d, &d->triage.process, KDBG_OFFSET_PROCESS_DTB, ds_dump_pointer_size(d));
    if (!stated.known || !v.known || v.value == 0 || stated.value == v.value)
        return;
    struct ds_integrity_note *n = ds_dump_note(d, DS_INTEGRITY_NOTE, "header.dtb", 0x10);
    ds_integrity_expected(n, "DirectoryTableBase 0x%llx, as the process record has it",
                          (unsigned long long)v.value);
    ds_integrity_found(n, "0x%llx", (unsigned long long)stated.value);
    ds_integrity_lost(n, "nothing in a minidump, which holds no page tables");
}

static void check_placed(struct ds_dump *d)
{
    const struct ds_triage *t = &d->triage;
    const struct {
        const struct ds_region *region;
        const char *expected;
    } records[] = {
        {&t->prcb, "KiProcessorBlock to lead to the PRCB"},
        {&t->thread, "the PRCB's CurrentThread to be the thread record"},
        {&t->process, "the thread's process to be the process record"},
    };
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        if (records[i].region->size != 0 && !records[i].region->va.known)
            ds_dump_say(d, DS_INTEGRITY_NOTE, "triage.record_unplaced", records[i].region->offset,
                        "the record's address, so pointers to it cannot be followed",
                        records[i].expected, "nothing that leads to it");
    }
}

void ds_triage_check_kdbg(struct ds_dump *d)
{
    const struct ds_dump_header *h = &d->header;
    check_blob_build(d);
    if (d->triage.debugger_data.size == 0) {
        ds_dump_say(d, DS_INTEGRITY_NOTE, "debugger_data.absent", d->header.body_offset,
                    "structure sizes and offsets; records are bounded by their neighbours",
                    "a captured KDDEBUGGER_DATA64", "none in this file");
        return;
    }
    if (!check_tag(d))
        return;
    struct ds_opt base = d->triage.driver_count != 0 ? ds_opt_known(d->triage.drivers[0].base)
                                                     : ds_opt_unknown(DS_NOT_FOUND);
    check_same(d, DS_INTEGRITY_DAMAGE, "debugger_data.kern_base", "KernBase", KDBG_KERN_BASE, base);
    check_same(d, DS_INTEGRITY_DAMAGE, "header.ps_loaded_module_list", "PsLoadedModuleList",
               KDBG_PS_LOADED_MODULE_LIST, h->ps_loaded_module_list);
    check_same(d, DS_INTEGRITY_DAMAGE, "header.ps_active_process_head", "PsActiveProcessHead",
               KDBG_PS_ACTIVE_PROCESS_HEAD, h->ps_active_process_head);
    if (h->is64)
        check_same(d, DS_INTEGRITY_NOTE, "header.pfn_database", "PfnDataBase", KDBG_MM_PFN_DATABASE,
                   h->pfn_database);
    check_pointers(d);
    check_build(d);
    check_processors(d);
    check_dtb(d);
    check_placed(d);
}
