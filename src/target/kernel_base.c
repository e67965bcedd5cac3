/* Where the kernel's image begins, by whatever leads there. */
#include "base/bytes.h"
#include "target/image.h"
#include "target/impl.h"

/* True when a kernel's image, or at least an image, begins there; *trust says which. */
static bool image_at(struct ds_target *t, uint64_t base, const char **trust, const char **how)
{
    struct ds_pe pe;
    if (ds_image_is_kernel(t->kernel, base, &pe, how)) {
        *trust = "verified";
        return true;
    }
    *how = "an image, whose name was not captured";
    *trust = "likely";
    return ds_pe_read(t->kernel, base, &pe, NULL) == DS_OK;
}

/* KDDEBUGGER_DATA64 was checked already: its word is taken even where the image was not captured.
 */
static bool from_kdbg(struct ds_target *t)
{
    uint64_t told;
    const char *trust, *how;
    if (ds_target_kdbg(t, "KernBase", &told) != DS_OK) {
        return false;
    }
    if (!image_at(t, told, &trust, &how)) {
        trust = "likely";
    }
    t->kernel_base = ds_opt_known(told);
    ds_step_add(t, "kernel_base", "kdbg", DS_OK, t->kernel_base, trust, "KernBase");
    return true;
}

/* The first entry of the header's module list. The list's layout never moved within the builds of
 * one architecture, so the header's build number will do. */
static bool from_list(struct ds_target *t, struct ds_opt *fallback)
{
    struct ds_opt head = ds_dump_header(t->dump)->ps_loaded_module_list;
    struct ds_kernel_id first = {.arch = t->arch, .build = (uint32_t)ds_opt_or(t->build, 0)};
    const char *trust, *how;
    if (!head.known || head.value == 0) {
        ds_step_add(t, "kernel_base", "module list", DS_NOT_FOUND, head, "",
                    "PsLoadedModuleList is not recorded");
        return false;
    }
    if (ds_layout_open_builtin(&first, &t->layout, NULL) != DS_OK) {
        t->layout = NULL;
    }
    struct ds_opt base = ds_modules_first_base(t, head.value);
    ds_layout_close(t->layout); /* the one chosen with all that is known follows */
    t->layout = NULL;
    if (base.known && image_at(t, base.value, &trust, &how)) {
        t->kernel_base = base;
        ds_step_add(t, "kernel_base", "module list", DS_OK, base, trust,
                    "the first entry of PsLoadedModuleList");
        return true;
    }
    enum ds_status why = base.known ? DS_CORRUPT : base.why;
    ds_step_add(t, "kernel_base", "module list", why, base, "",
                "the first entry of PsLoadedModuleList%s%s", base.known ? " names no image" : ": ",
                base.known ? "" : ds_status_text(why));
    /* A list that holds is believed when the image's headers were not captured. */
    *fallback = base;
    return false;
}

/* An address that lies in the kernel: down to its image. */
static bool from_address(struct ds_target *t, const char *method, struct ds_opt va)
{
    uint64_t base;
    const char *trust, *how;
    if (!va.known || !ds_target_is_kernel_va(t, va.value) ||
        ds_image_below(t->kernel, va.value, &base) != DS_OK || !image_at(t, base, &trust, &how) ||
        trust[0] != 'v') {
        return false;
    }
    t->kernel_base = ds_opt_known(base);
    ds_step_add(t, "kernel_base", method, DS_OK, t->kernel_base, trust,
                "the image that holds %llx: known by %s", (unsigned long long)va.value, how);
    return true;
}

static bool from_header(struct ds_target *t)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    return from_address(t, "KdDebuggerDataBlock", h->kd_debugger_data_block) ||
           from_address(t, "PsLoadedModuleList", h->ps_loaded_module_list) ||
           from_address(t, "PsActiveProcessHead", h->ps_active_process_head) ||
           from_address(t, "start block", t->kernel_hint);
}

/*
 * The handler of interrupt 0. A gate of 16 bytes holds its address at 0, 6 and 8 (x64), one of 8
 * bytes at 0 and 6 (x86): Intel SDM volume 3A, 6.11 and 6.14.1.
 */
static struct ds_opt first_handler(struct ds_target *t, struct ds_opt idt)
{
    uint8_t gate[16] = {0};
    size_t size = t->pointer_size == 8 ? 16 : 8;
    if (!idt.known || t->arch == DS_ARCH_ARM64 ||
        ds_space_read(t->kernel, idt.value, gate, size, NULL) != DS_OK) {
        return ds_opt_unknown(DS_NOT_FOUND);
    }
    uint64_t va = ds_le16(gate) | (uint64_t)ds_le16(gate + 6) << 16;
    return ds_opt_known(size == 16 ? va | (uint64_t)ds_le32(gate + 8) << 32 : va);
}

/* KPCR keeps the IDT's address at 0x38, on x64 and on x86 (public symbols: KPCR.IdtBase, IDT). */
#define KPCR_IDT 0x38u

static bool from_processors(struct ds_target *t)
{
    for (size_t i = 0; i < ds_dump_cpu_count(t->dump); i++) {
        const struct ds_dump_cpu *cpu = ds_dump_cpu(t->dump, i);
        const struct ds_opt pcrs[] = {cpu->gs_base, cpu->kernel_gs_base, cpu->fs_base};
        if (from_address(t, "interrupt table", first_handler(t, cpu->idt_base)) ||
            from_address(t, "program counter", cpu->pc)) {
            return true;
        }
        for (size_t k = 0; k < sizeof(pcrs) / sizeof(pcrs[0]); k++) {
            uint64_t idt;
            if (pcrs[k].known && ds_target_is_kernel_va(t, pcrs[k].value) &&
                ds_space_read_ptr(t->kernel, pcrs[k].value + KPCR_IDT, &idt, NULL) == DS_OK &&
                from_address(t, "KPCR", first_handler(t, ds_opt_known(idt)))) {
                return true;
            }
        }
    }
    return false;
}

static bool from_search(struct ds_target *t)
{
    uint64_t base;
    const char *how;
    enum ds_status status = ds_image_search(t->kernel, &base, &how);
    if (status != DS_OK) {
        ds_step_add(t, "kernel_base", "image scan", status, ds_opt_unknown(status), "",
                    "no image of a kernel in what is mapped of kernel space%s",
                    status == DS_LIMIT ? "; the search was cut short" : "");
        return false;
    }
    t->kernel_base = ds_opt_known(base);
    ds_step_add(t, "kernel_base", "image scan", DS_OK, t->kernel_base, "verified",
                "an image in kernel space: known by %s", how);
    return true;
}

static void from_option(struct ds_target *t)
{
    const char *trust, *how;
    bool image = image_at(t, t->kernel_base.value, &trust, &how);
    ds_step_add(t, "kernel_base", "option", DS_OK, t->kernel_base, image ? trust : "unverified",
                "%s", image ? how : "no image begins there");
    if (!image || trust[0] != 'v') {
        ds_boot_warn_option(
            t, "option.kernel_base", t->kernel_base.value, "the kernel's image",
            "it is used all the same: symbols and globals of the kernel may be wrong");
    }
}

void ds_boot_kernel_base(struct ds_target *t)
{
    if (t->option.kernel_base.known) {
        from_option(t);
        return;
    }
    struct ds_opt fallback = ds_opt_unknown(DS_NOT_FOUND);
    if (from_kdbg(t) || from_list(t, &fallback) || from_header(t) || from_processors(t) ||
        from_search(t)) {
        return;
    }
    if (fallback.known) {
        t->kernel_base = fallback;
        ds_step_add(t, "kernel_base", "module list", DS_OK, t->kernel_base, "likely",
                    "the first entry of PsLoadedModuleList, for want of an image");
    }
}
