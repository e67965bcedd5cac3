/* The heads of the kernel's lists: from KDDEBUGGER_DATA64, else by what they must hold. */
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "target/impl.h"
#include "target/scan.h"

/* Neighbours that point back at the head on both sides. */
static bool list_holds(const struct ds_target *t, uint64_t head)
{
    uint64_t next, back;
    return ds_space_read_ptr(t->kernel, head, &next, NULL) == DS_OK && next != head &&
           ds_space_read_ptr(t->kernel, next + t->pointer_size, &back, NULL) == DS_OK &&
           back == head;
}

static struct ds_opt header_head(const struct ds_target *t, const char *name)
{
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    struct ds_opt head = strcmp(name, "PsLoadedModuleList") == 0 ? h->ps_loaded_module_list
                                                                 : h->ps_active_process_head;
    return head.value == 0 ? ds_opt_unknown(DS_NOT_FOUND) : head;
}

struct ds_opt ds_target_list_head(const struct ds_target *t, const char *name, const char **method)
{
    uint64_t va;
    struct ds_opt header = header_head(t, name);
    *method = "kdbg";
    if (ds_target_kdbg(t, name, &va) == DS_OK) {
        return ds_opt_known(va);
    }
    *method = "header";
    if (header.known && t->kernel != NULL && list_holds(t, header.value)) {
        return header;
    }
    if (ds_target_global(t, name, &va) == DS_OK) {
        *method = "symbols";
        for (size_t i = 0; i < t->found_count; i++) {
            if (t->found[i].va == va && strcmp(t->found[i].name, name) == 0) {
                *method = t->found[i].method;
            }
        }
        return ds_opt_known(va);
    }
    return header;
}

static void found(struct ds_target *t, const char *what, const char *name, uint64_t va,
                  const char *method)
{
    if (t->found_count < DS_TARGET_FOUND) {
        t->found[t->found_count++] = (struct ds_found){name, va, method};
        ds_step_add(t, what, method, DS_OK, ds_opt_known(va), "verified", "%s", name);
    }
}

/* ---- what the kernel's data must hold ---- */

struct hunt {
    struct ds_target *t;
    struct ds_field dll_base, links;
    bool want_modules, want_processes, want_processors;
    struct ds_field number, thread, vendor;
    uint64_t followed;                       /* pointers */
    uint64_t modules, processes, processors; /* found; 0 = not */
};

static bool is_module_list(struct hunt *h, uint64_t va, uint64_t first)
{
    struct ds_target *t = h->t;
    uint64_t back, base;
    return ds_space_read_ptr(t->kernel, first + t->pointer_size, &back, NULL) == DS_OK &&
           back == va &&
           ds_space_read_ptr(t->kernel, first + h->dll_base.offset, &base, NULL) == DS_OK &&
           base == t->kernel_base.value;
}

static bool is_process_list(struct hunt *h, uint64_t va, uint64_t first)
{
    struct ds_target *t = h->t;
    uint64_t back;
    return ds_space_read_ptr(t->kernel, first + t->pointer_size, &back, NULL) == DS_OK &&
           back == va && ds_process_is_system(t, first - h->links.offset) == DS_OK;
}

/* KPRCB of that number: a vendor that CPUID has, a thread in kernel space. */
static bool is_prcb(struct hunt *h, uint64_t first, uint64_t n)
{
    struct ds_target *t = h->t;
    char vendor[13] = "";
    struct ds_opt number = ds_target_read_member(t, first, &h->number);
    struct ds_opt thread = ds_target_read_member(t, first, &h->thread);
    return number.known && number.value == n && thread.known &&
           ds_target_is_kernel_va(t, thread.value) &&
           ds_space_read(t->kernel, first + h->vendor.offset, vendor, 12, NULL) == DS_OK &&
           (strcmp(vendor, "GenuineIntel") == 0 || strcmp(vendor, "AuthenticAMD") == 0 ||
            strcmp(vendor, "HygonGenuine") == 0 || strcmp(vendor, "CentaurHauls") == 0);
}

/* An array: processor 0, then processor 1 or the first free slot. */
static bool is_processor_block(struct hunt *h, uint64_t va, uint64_t first)
{
    struct ds_target *t = h->t;
    uint64_t second;
    return is_prcb(h, first, 0) &&
           ds_space_read_ptr(t->kernel, va + t->pointer_size, &second, NULL) == DS_OK &&
           (second == 0 || is_prcb(h, second, 1));
}

static bool hunt_page(void *arg, uint64_t va, const uint8_t *page, size_t len)
{
    struct hunt *h = arg;
    struct ds_target *t = h->t;
    (void)len;
    for (size_t at = 0; at + t->pointer_size <= DS_SCAN_PAGE; at += t->pointer_size) {
        uint64_t p = t->pointer_size == 8 ? ds_le64(page + at) : ds_le32(page + at);
        if ((p & (t->pointer_size - 1)) != 0 || p == va + at || !ds_target_is_kernel_va(t, p)) {
            continue;
        }
        if (++h->followed > DS_LIMIT_SCAN_LINKS) {
            return false;
        }
        if (h->want_modules && h->modules == 0 && is_module_list(h, va + at, p)) {
            h->modules = va + at;
        } else if (h->want_processes && h->processes == 0 && is_process_list(h, va + at, p)) {
            h->processes = va + at;
        } else if (h->want_processors && h->processors == 0 && is_processor_block(h, va + at, p)) {
            h->processors = va + at;
        }
    }
    return (h->want_modules && h->modules == 0) || (h->want_processes && h->processes == 0) ||
           (h->want_processors && h->processors == 0);
}

static bool known_head(struct ds_target *t, const char *name)
{
    const char *method;
    struct ds_opt head = ds_target_list_head(t, name, &method);
    return head.known && (strcmp(method, "kdbg") == 0 || list_holds(t, head.value));
}

/* By exported variable: the System process heads the list, so what precedes it is the head. */
static bool processes_by_export(struct ds_target *t)
{
    struct ds_field links;
    uint64_t va, system, back, first;
    if (ds_target_global(t, "PsInitialSystemProcess", &va) != DS_OK ||
        ds_target_member(t, "_EPROCESS", "ActiveProcessLinks", &links, NULL) != DS_OK ||
        ds_space_read_ptr(t->kernel, va, &system, NULL) != DS_OK ||
        ds_process_is_system(t, system) != DS_OK ||
        ds_space_read_ptr(t->kernel, system + links.offset + t->pointer_size, &back, NULL) !=
            DS_OK ||
        ds_space_read_ptr(t->kernel, back, &first, NULL) != DS_OK ||
        first != system + links.offset) {
        return false;
    }
    found(t, "processes", "PsActiveProcessHead", back, "PsInitialSystemProcess");
    return true;
}

static void hunt(struct ds_target *t, struct hunt *h)
{
    h->t = t;
    enum ds_status status =
        ds_target_member(t, "_KLDR_DATA_TABLE_ENTRY", "DllBase", &h->dll_base, NULL);
    if (status != DS_OK) {
        status = ds_target_member(t, "_LDR_DATA_TABLE_ENTRY", "DllBase", &h->dll_base, NULL);
    }
    h->want_modules = h->want_modules && status == DS_OK;
    h->want_processes = h->want_processes && ds_target_member(t, "_EPROCESS", "ActiveProcessLinks",
                                                              &h->links, NULL) == DS_OK;
    h->want_processors =
        h->want_processors && ds_target_member(t, "_KPRCB", "Number", &h->number, NULL) == DS_OK &&
        ds_target_member(t, "_KPRCB", "CurrentThread", &h->thread, NULL) == DS_OK &&
        ds_target_member(t, "_KPRCB", "VendorString", &h->vendor, NULL) == DS_OK;
    if (!h->want_modules && !h->want_processes && !h->want_processors) {
        return;
    }
    status =
        ds_scan_virtual(t->kernel, t->kernel_base.value, t->kernel_pe.size_of_image, hunt_page, h);
    if (h->modules != 0) {
        found(t, "modules", "PsLoadedModuleList", h->modules, "kernel image scan");
    }
    if (h->processes != 0) {
        found(t, "processes", "PsActiveProcessHead", h->processes, "kernel image scan");
    }
    if (h->processors != 0) {
        found(t, "processors", "KiProcessorBlock", h->processors, "kernel image scan");
    }
    if (h->followed > DS_LIMIT_SCAN_LINKS || status == DS_LIMIT) {
        ds_step_add(t, "modules", "kernel image scan", DS_LIMIT, t->kernel_base, "",
                    "the search for list heads was cut short");
    }
}

void ds_boot_lists(struct ds_target *t)
{
    uint64_t va;
    struct hunt h = {0};
    if (t->kernel == NULL || ds_space_paging(t->kernel) == DS_PAGING_NONE || !t->kernel_pe_known) {
        return;
    }
    h.want_modules = !known_head(t, "PsLoadedModuleList");
    h.want_processes = !known_head(t, "PsActiveProcessHead");
    h.want_processors = ds_target_global(t, "KiProcessorBlock", &va) != DS_OK;
    if (!h.want_modules && !h.want_processes && !h.want_processors) {
        return;
    }
    enum ds_status exports =
        t->kernel_declared ? ds_symbols_load_exports(t->symbols, t->kernel_base.value, t->kernel)
                           : DS_NOT_FOUND;
    ds_step_add(t, "symbols", "exports", exports, t->kernel_base, "",
                "the names that the kernel exports");
    h.want_modules = !known_head(t, "PsLoadedModuleList");
    h.want_processes = h.want_processes && !processes_by_export(t);
    hunt(t, &h);
}
