/* Contradictions of the file that only the bootstrap can see: notes for `integrity`. */
#include "dump/integrity.h"
#include "symbols/globals.h"
#include "target/dtb.h"
#include "target/impl.h"

static struct ds_integrity_note *note(struct ds_target *t, enum ds_integrity_level level,
                                      const char *check, uint64_t offset64, uint64_t offset32)
{
    bool is64 = ds_dump_header(t->dump)->is64;
    return ds_integrity_add(ds_dump_integrity(t->dump), level, check, is64 ? offset64 : offset32);
}

/* Header offsets: Windows SDK mindumpdef.h, DUMP_HEADER64 and DUMP_HEADER32. */
static void check_list_head(struct ds_target *t, const char *check, const char *member,
                            struct ds_opt header, uint64_t offset64, uint64_t offset32)
{
    uint64_t told;
    if (!header.known || ds_target_kdbg(t, member, &told) != DS_OK || told == header.value) {
        return;
    }
    struct ds_integrity_note *n = note(t, DS_INTEGRITY_DAMAGE, check, offset64, offset32);
    ds_integrity_expected(n, "0x%llx, as KDDEBUGGER_DATA64 says", (unsigned long long)told);
    ds_integrity_found(n, "0x%llx", (unsigned long long)header.value);
    ds_integrity_lost(n, "the header's %s; the debugger data's is used instead", member);
}

static void check_kernel_base(struct ds_target *t)
{
    uint64_t told;
    if (ds_dump_triage(t->dump) == NULL || !t->kernel_base.known ||
        ds_target_kdbg(t, "KernBase", &told) != DS_OK || told == t->kernel_base.value) {
        return;
    }
    struct ds_integrity_note *n =
        ds_integrity_add(ds_dump_integrity(t->dump), DS_INTEGRITY_DAMAGE, "kdbg.kernel_base",
                         ds_dump_triage(t->dump)->debugger_data.offset + 0x18);
    ds_integrity_expected(n, "0x%llx, the first driver's base",
                          (unsigned long long)t->kernel_base.value);
    ds_integrity_found(n, "0x%llx", (unsigned long long)told);
    ds_integrity_lost(n, "either the debugger data or the driver list is not this system's");
}

/* A minidump keeps the block, not its address: that only the kernel's own symbols can prove. */
static void check_kdbg_rva(struct ds_target *t)
{
    struct ds_opt va = ds_dump_header(t->dump)->kd_debugger_data_block;
    uint32_t rva;
    if (ds_dump_triage(t->dump) == NULL || !va.known || !t->kernel_base.known ||
        ds_globals_find(&t->kernel_id, "KdDebuggerDataBlock", &rva) != DS_OK ||
        va.value == t->kernel_base.value + rva) {
        return;
    }
    struct ds_integrity_note *n =
        note(t, DS_INTEGRITY_DAMAGE, "header.kd_debugger_data_block", 0x80, 0x60);
    ds_integrity_expected(n, "0x%llx, where this kernel has it",
                          (unsigned long long)(t->kernel_base.value + rva));
    ds_integrity_found(n, "0x%llx", (unsigned long long)va.value);
    ds_integrity_lost(n, "the block's address; its contents were captured and can be trusted");
}

/* Where the debugger data of a minidump should be and is something else. */
static void check_kdbg_region(struct ds_target *t)
{
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    if (tr == NULL || tr->debugger_data.size == 0 || t->kdbg_size != 0) {
        return;
    }
    struct ds_integrity_note *n = ds_integrity_add(ds_dump_integrity(t->dump), DS_INTEGRITY_DAMAGE,
                                                   "kdbg.tag", tr->debugger_data.offset);
    ds_integrity_expected(n, "a KDDEBUGGER_DATA64 with the tag KDBG");
    ds_integrity_found(n, "other bytes");
    ds_integrity_lost(n, "kernel globals and the kernel's own structure offsets; the driver list "
                         "and the header can be trusted");
}

/* ARM64: a directory of the lower half alone is a process's own, and need not lead to the kernel.
 */
static bool is_lower_half(struct ds_target *t, const struct ds_dtb_fit *fit)
{
    uint64_t root = ds_paging_root(fit->mode, fit->dtb);
    if (fit->mode != DS_PAGING_ARM64 || ds_space_upper_root(t->kernel) == root) {
        return false;
    }
    struct ds_opt system = ds_boot_dtb_of_system(t);
    return ds_dtb_is_lower_half(t, fit) ||
           (system.known && root != 0 && ds_paging_root(fit->mode, system.value) == root);
}

/* Page tables that do not even lead to the page that every process has. */
static void check_dtb(struct ds_target *t)
{
    struct ds_opt dtb = ds_dump_header(t->dump)->dtb;
    bool found = t->dtb.known && !t->dtb_told;
    /* Not recorded: said already. Where there is no header it was filled in here. */
    if (!dtb.known || (dtb.value == 0 && found) || ds_dump_header_to_fill(t->dump) != NULL) {
        return;
    }
    struct ds_dtb_fit fit = ds_dtb_try_modes(t, dtb.value);
    if (fit.status == DS_OK || fit.status == DS_TRUNCATED || fit.status == DS_IO ||
        is_lower_half(t, &fit)) {
        return; /* those are told already */
    }
    struct ds_integrity_note *n =
        note(t, DS_INTEGRITY_DAMAGE, "header.dtb_leads_nowhere", 0x10, 0x10);
    ds_integrity_expected(n, "page tables that map KUSER_SHARED_DATA");
    ds_integrity_found(n, "0x%llx: %s at level %d",
                       (unsigned long long)ds_paging_root(fit.mode, dtb.value),
                       ds_status_name(fit.status), fit.level);
    ds_integrity_lost(n, "%s",
                      found ? "nothing more: another page directory was found and is used"
                            : "virtual memory, as far as it is reached through this page "
                              "directory; the header and physical memory can be trusted");
}

/* The block was found, and not where the header has it. */
static void check_kdbg_elsewhere(struct ds_target *t, uint64_t va)
{
    if (!t->kdbg.known || t->kdbg.value == va || t->option.kdbg.known) {
        return;
    }
    struct ds_integrity_note *n = note(t, DS_INTEGRITY_DAMAGE, "kdbg.address", 0x80, 0x60);
    ds_integrity_expected(n, "0x%llx, where the block is", (unsigned long long)t->kdbg.value);
    ds_integrity_found(n, "0x%llx", (unsigned long long)va);
    ds_integrity_lost(n, "the header's KdDebuggerDataBlock; the block itself was found");
}

static void check_kdbg_address(struct ds_target *t)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    struct ds_opt va = h->kd_debugger_data_block;
    uint64_t tag;
    if (!va.known || va.value == 0) {
        return;
    }
    if (t->kdbg_size != 0) {
        check_kdbg_elsewhere(t, va.value);
        return;
    }
    enum ds_status status = ds_space_read_uint(t->kernel, va.value + 0x10, 4, &tag, NULL);
    if (status == DS_TRUNCATED || status == DS_IO || status == DS_NOT_IN_DUMP) {
        return;
    }
    /* Readable but untagged is the normal, encoded state of many kernels: worth a note only. */
    struct ds_integrity_note *n = note(t, status == DS_OK ? DS_INTEGRITY_NOTE : DS_INTEGRITY_DAMAGE,
                                       status == DS_OK ? "kdbg.tag" : "kdbg.address", 0x80, 0x60);
    ds_integrity_expected(n, "a KDDEBUGGER_DATA64 with the tag KDBG");
    ds_integrity_found(n, "0x%llx: %s", (unsigned long long)va.value,
                       status == DS_OK ? "another tag: encoded, or not the block"
                                       : ds_status_name(status));
    ds_integrity_lost(n, "globals and structure offsets that the kernel itself records; the module "
                         "and process lists are taken from the header instead");
}

void ds_boot_integrity(struct ds_target *t)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    check_list_head(t, "header.ps_loaded_module_list", "PsLoadedModuleList",
                    h->ps_loaded_module_list, 0x20, 0x18);
    check_list_head(t, "header.ps_active_process_head", "PsActiveProcessHead",
                    h->ps_active_process_head, 0x28, 0x1c);
    check_kernel_base(t);
    check_kdbg_rva(t);
    check_kdbg_region(t);
    if (t->kernel != NULL && ds_space_paging(t->kernel) != DS_PAGING_NONE) {
        check_dtb(t);
        check_kdbg_address(t);
    }
}
