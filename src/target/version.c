/* Which Windows this is, and which layout fits it. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "symbols/globals.h"
#include "symbols/pe_version.h"
#include "target/dtb.h"
#include "target/impl.h"

#define BUILD_LAB_MAX 128u

static void read_build_lab(struct ds_target *t)
{
    uint64_t va;
    uint8_t raw[BUILD_LAB_MAX];
    struct ds_fault fault;
    struct ds_buf b;
    if (t->kernel == NULL || (ds_target_kdbg(t, "NtBuildLab", &va) != DS_OK &&
                              ds_target_global(t, "NtBuildLabEx", &va) != DS_OK &&
                              ds_target_global(t, "NtBuildLab", &va) != DS_OK)) {
        return;
    }
    size_t len = sizeof(raw);
    if (ds_space_read(t->kernel, va, raw, len, &fault) != DS_OK) {
        len = fault.va - va < len ? (size_t)(fault.va - va) : 0;
        if (len == 0 || ds_space_read(t->kernel, va, raw, len, NULL) != DS_OK) {
            return;
        }
    }
    ds_buf_init(&b, (size_t)BUILD_LAB_MAX * 3);
    ds_text_from_bytes(&b, raw, len);
    if (ds_buf_ok(&b) && b.len != 0) {
        t->build_lab = ds_arena_strdup(&t->arena, ds_buf_text(&b), b.len);
    }
    ds_buf_deinit(&b);
    if (t->build_lab != NULL) {
        ds_step_add(t, "version", "NtBuildLab", DS_OK, ds_opt_unknown(DS_OK), "", "%s",
                    t->build_lab);
    }
}

/* The version resource of the image: exact, with the revision, where it was captured. */
static bool from_resource(struct ds_target *t)
{
    struct ds_pe_version v;
    if (t->kernel == NULL || !t->kernel_pe_known) {
        return false;
    }
    struct ds_pe_memory memory = ds_pe_memory_of_space(t->kernel);
    if (ds_pe_read_version(&memory, &t->kernel_pe, &v) != DS_OK || !v.has_numbers ||
        v.file_numbers[2] == 0 || (t->build.known && t->build.value != v.file_numbers[2])) {
        return false;
    }
    t->build = ds_opt_known(v.file_numbers[2]);
    t->revision = ds_opt_known(v.file_numbers[3]);
    ds_step_add(t, "version", "version resource", DS_OK, ds_opt_unknown(DS_OK), "verified",
                "%u.%u.%u.%u of the kernel's image", v.file_numbers[0], v.file_numbers[1],
                v.file_numbers[2], v.file_numbers[3]);
    return true;
}

/*
 * NtBuildNumber of KUSER_SHARED_DATA (Windows SDK, ntddk.h: at 0x260 since Windows 10, zero
 * before), else the variable of that name, whose top bits tell free from checked builds.
 */
static void find_build(struct ds_target *t)
{
    uint64_t va, build = 0;
    const char *method = "KUSER_SHARED_DATA";
    if (t->kernel == NULL || ds_space_paging(t->kernel) == DS_PAGING_NONE) {
        return;
    }
    uint64_t shared = ds_dtb_shared_data(ds_space_paging(t->kernel));
    if (ds_space_read_uint(t->kernel, shared + 0x260, 4, &build, NULL) != DS_OK || build == 0) {
        method = "NtBuildNumber";
        if (ds_target_global(t, "NtBuildNumber", &va) != DS_OK ||
            ds_space_read_uint(t->kernel, va, 4, &build, NULL) != DS_OK) {
            build = 0;
        }
    }
    build &= 0x0fffffffu;
    if (build >= 1057 && build <= 65535) { /* NT 4 to what a header can say */
        t->build = ds_opt_known(build);
        ds_step_add(t, "version", method, DS_OK, ds_opt_unknown(DS_OK), "likely", "build %llu",
                    (unsigned long long)build);
    }
}

void ds_boot_version(struct ds_target *t, struct ds_opt timestamp, struct ds_opt size)
{
    if (!timestamp.known || !size.known) {
        ds_step_add(t, "version", "kernel image", timestamp.why, t->build, "",
                    "timestamp and size of the kernel image are not known");
    } else if (ds_version_find(t->arch, (uint32_t)timestamp.value, (uint32_t)size.value,
                               &t->version)) {
        t->version_exact = true;
        t->build = ds_opt_known(t->version.build);
        t->revision = ds_opt_known(t->version.revision);
        ds_step_add(t, "version", "kernel image", DS_OK, ds_opt_known(timestamp.value), "exact",
                    "%u.%u.%u.%u (%s) by timestamp and size", t->version.major, t->version.minor,
                    t->version.build, t->version.revision, t->version.file);
    } else {
        ds_step_add(t, "version", "kernel image", DS_NOT_FOUND, ds_opt_known(timestamp.value), "",
                    "timestamp 0x%llx and size 0x%llx are not in the list of kernels: the build "
                    "is known, the revision is not",
                    (unsigned long long)timestamp.value, (unsigned long long)size.value);
    }
    if (!t->version_exact && !from_resource(t) && !t->build.known) {
        find_build(t);
    }
}

/* Of several profiles of one build, the one that KDDEBUGGER_DATA64 contradicts least. */
static void choose_by_kdbg(struct ds_target *t)
{
    struct ds_profile p;
    struct ds_agreement best = ds_layout_agreement(t, t->layout);
    for (uint32_t i = 0; best.differ != 0 && ds_profile_get(i, &p); i++) {
        struct ds_layout *l = NULL;
        if (p.arch != t->arch || t->kernel_id.build < p.build_min ||
            t->kernel_id.build > p.build_max || ds_layout_open_profile(i, &l, NULL) != DS_OK) {
            continue;
        }
        struct ds_agreement a = ds_layout_agreement(t, l);
        if (a.differ < best.differ && a.agree >= best.agree) {
            best = a;
            ds_layout_close(t->layout);
            t->layout = l;
        } else {
            ds_layout_close(l);
        }
    }
}

static bool load_kernel_symbols(struct ds_target *t, const char *symbol_path)
{
    struct ds_err err = {0};
    DS_AUTO_FREE char *file = NULL;
    const char *pdb = t->kernel_pe.pdb_name[0] != '\0' ? t->kernel_pe.pdb_name : "ntkrnlmp.pdb";
    if (t->kernel_id.pdb[0] == '\0') {
        ds_step_add(t, "symbols", "search path", DS_NOT_FOUND, t->kernel_base, "",
                    "the kernel's PDB id is not known: its debug directory was not captured and "
                    "its version is not listed");
        return false;
    }
    enum ds_status status = ds_symbols_search(symbol_path, pdb, t->kernel_id.pdb, &file, &err);
    if (status == DS_OK) { /* a table made of another PDB is refused */
        status = ds_symbols_set_pdb(t->symbols, t->kernel_base.value, t->kernel_id.pdb);
    }
    if (status == DS_OK) {
        status = ds_symbols_load_isf(t->symbols, t->kernel_base.value, file, &t->layout, &err);
    }
    if (status != DS_OK && err.text[0] != '\0')
        ds_step_add(t, "symbols", "search path", status, t->kernel_base, "", "%s", err.text);
    else
        ds_step_add(t, "symbols", "search path", status, t->kernel_base,
                    status == DS_OK ? "symbols" : "", "%s %s", pdb, t->kernel_id.pdb);
    return status == DS_OK;
}

/* Declares the kernel ahead of the other modules: a symbol table hangs on a module. */
static bool declare_kernel(struct ds_target *t)
{
    uint64_t size = t->kernel_pe_known ? t->kernel_pe.size_of_image : 0;
    const char *name = "ntoskrnl.exe";
    if (t->module_count != 0 && t->kernel_base.known &&
        t->modules[0].base == t->kernel_base.value) {
        size = t->modules[0].size;
        name = t->modules[0].name;
    }
    return t->kernel_base.known && size != 0 &&
           ds_symbols_add_module(t->symbols, name, t->kernel_base.value, size) == DS_OK;
}

static void identify_kernel(struct ds_target *t)
{
    struct ds_kernel_id *id = &t->kernel_id;
    const char *pdb = NULL;
    id->arch = t->arch;
    id->build = (uint32_t)ds_opt_or(t->build, 0);
    id->revision = (uint32_t)ds_opt_or(t->revision, 0);
    id->la57 = t->version_exact ? strcmp(t->version.file, "ntoskrnl.exe") != 0
                                : t->kernel != NULL && ds_space_paging(t->kernel) == DS_PAGING_LA57;
    if (t->kernel_pe_known && t->kernel_pe.pdb_id[0] != '\0') {
        pdb = t->kernel_pe.pdb_id;
    } else if (t->version_exact) {
        pdb = ds_globals_pdb(id);
    }
    if (pdb != NULL) {
        (void)snprintf(id->pdb, sizeof(id->pdb), "%s", pdb);
    }
}

void ds_boot_identify(struct ds_target *t, const char *symbol_path)
{
    identify_kernel(t);
    t->kernel_declared = declare_kernel(t);
    if (symbol_path != NULL && t->kernel_declared) {
        (void)load_kernel_symbols(t, symbol_path);
    }
}

void ds_boot_layout(struct ds_target *t)
{
    struct ds_err err = {0};
    read_build_lab(t);
    t->kernel_id.build = (uint32_t)ds_opt_or(t->build, 0);
    if (t->layout != NULL) {
        ds_layout_set_trust(t->layout, DS_TRUST_SYMBOLS);
        ds_step_add(t, "layout", "symbol table", DS_OK, ds_opt_unknown(DS_OK), "symbols", "%s",
                    ds_layout_source(t->layout));
        return;
    }
    enum ds_status status = ds_layout_open_builtin(&t->kernel_id, &t->layout, &err);
    if (status != DS_OK) {
        t->layout = NULL;
        ds_step_add(t, "layout", "built-in profile", status, ds_opt_unknown(DS_OK), "none", "%s",
                    err.text);
        return;
    }
    if (!t->version_exact) {
        choose_by_kdbg(t);
    }
    ds_step_add(t, "layout", "built-in profile", DS_OK, ds_opt_unknown(DS_OK),
                ds_trust_name(ds_layout_trust(t->layout)), "%s", ds_layout_source(t->layout));
}

/* ---- does the layout hold on this snapshot? ---- */

static void lower_trust(struct ds_target *t)
{
    enum ds_trust trust = ds_layout_trust(t->layout);
    if (trust == DS_TRUST_PROFILE || trust == DS_TRUST_NEAREST) {
        ds_layout_set_trust(t->layout,
                            trust == DS_TRUST_PROFILE ? DS_TRUST_NEAREST : DS_TRUST_GUESS);
    }
}

/* Enough agreement of the kernel's own offsets to believe another build's layout. */
#define PROOF_MEMBERS 12u

static bool check_kdbg_offsets(struct ds_target *t)
{
    struct ds_agreement a = ds_layout_agreement(t, t->layout);
    if (a.differ != 0) {
        lower_trust(t);
    }
    ds_step_add(t, "invariants", "kdbg offsets", a.differ != 0 ? DS_CORRUPT : DS_OK,
                ds_opt_unknown(DS_OK), ds_trust_name(ds_layout_trust(t->layout)),
                "%u of %u offsets and sizes that KDDEBUGGER_DATA64 tells agree with the layout%s%s",
                a.agree, a.agree + a.differ, a.differ != 0 ? "; the first that differs: " : "",
                a.differ != 0 ? a.first_differing : "");
    return a.differ == 0 && a.agree >= PROOF_MEMBERS;
}

/* The System process: pid 4 and this name on every Windows since XP. */
enum ds_status ds_process_is_system(struct ds_target *t, uint64_t eprocess)
{
    char name[16] = "";
    uint64_t va;
    struct ds_opt pid = ds_target_field(t, eprocess, "_EPROCESS", "UniqueProcessId");
    if (!pid.known) {
        return pid.why;
    }
    enum ds_status status = ds_target_field_va(t, eprocess, "_EPROCESS", "ImageFileName", &va);
    if (status == DS_OK) {
        status = ds_space_read(t->kernel, va, name, 15, NULL);
    }
    if (status != DS_OK) {
        return status;
    }
    return pid.value == 4 && strcmp(name, "System") == 0 ? DS_OK : DS_CORRUPT;
}

/* The first process of the list is System, and the list's neighbours point back at one another. */
static enum ds_status check_process_list(struct ds_target *t, uint64_t head, uint64_t *eprocess)
{
    uint64_t first, back;
    struct ds_field links;
    enum ds_status status = ds_target_member(t, "_EPROCESS", "ActiveProcessLinks", &links, NULL);
    if (status == DS_OK) {
        status = ds_space_read_ptr(t->kernel, head, &first, NULL);
    }
    if (status == DS_OK) {
        status = ds_space_read_ptr(t->kernel, first + t->pointer_size, &back, NULL);
    }
    if (status != DS_OK) {
        return status;
    }
    *eprocess = first - links.offset;
    return back == head ? ds_process_is_system(t, *eprocess) : DS_CORRUPT;
}

/* The first thread in the process's list says that it belongs to the process. */
static enum ds_status check_first_thread(struct ds_target *t, uint64_t eprocess)
{
    struct ds_field links;
    uint64_t head, first;
    enum ds_status status = ds_target_member(t, "_ETHREAD", "ThreadListEntry", &links, NULL);
    if (status == DS_OK) {
        status = ds_target_field_va(t, eprocess, "_EPROCESS", "ThreadListHead", &head);
    }
    if (status == DS_OK) {
        status = ds_space_read_ptr(t->kernel, head, &first, NULL);
    }
    if (status != DS_OK) {
        return status;
    }
    struct ds_opt pid = ds_target_field(t, first - links.offset, "_ETHREAD", "Cid.UniqueProcess");
    if (!pid.known) {
        return pid.why;
    }
    return pid.value == 4 ? DS_OK : DS_CORRUPT;
}

static bool check_processes(struct ds_target *t)
{
    uint64_t eprocess = 0;
    const char *method;
    uint64_t head = ds_opt_or(ds_target_list_head(t, "PsActiveProcessHead", &method), 0);
    if (head == 0) {
        return false;
    }
    enum ds_status status = check_process_list(t, head, &eprocess);
    const char *what = "the System process (pid 4) heads PsActiveProcessHead";
    if (status == DS_OK) {
        status = check_first_thread(t, eprocess);
        what = "the System process (pid 4) heads PsActiveProcessHead and owns its first thread";
    }
    if (status == DS_CORRUPT || status == DS_NO_FIELD) {
        lower_trust(t);
    }
    ds_step_add(t, "invariants", "process list", status, ds_opt_known(head),
                ds_trust_name(ds_layout_trust(t->layout)), "%s%s%s",
                status == DS_OK ? what : "cannot confirm the System process: ",
                status == DS_OK ? "" : ds_status_text(status), "");
    return status == DS_OK;
}

/* Does the thread record of a triage dump belong to its process record? */
static void check_triage_records(struct ds_target *t, const struct ds_triage *tr)
{
    struct ds_opt pid = ds_target_field(t, tr->process.va.value, "_EPROCESS", "UniqueProcessId");
    struct ds_opt owner = ds_target_field(t, tr->thread.va.value, "_ETHREAD", "Cid.UniqueProcess");
    bool known = pid.known && owner.known;
    bool agree = known && pid.value == owner.value;
    ds_step_add(t, "invariants", "triage records",
                agree   ? DS_OK
                : known ? DS_NOT_FOUND
                        : DS_NO_FIELD,
                tr->process.va, ds_trust_name(ds_layout_trust(t->layout)), "%s",
                agree   ? "the thread record belongs to the process record"
                : known ? "the thread belongs to another process (attached), or the layout is wrong"
                        : "process and thread ids cannot be compared");
}

void ds_boot_invariants(struct ds_target *t)
{
    bool proven = false;
    if (t->layout == NULL) {
        return;
    }
    if (t->kdbg_size != 0) {
        proven = check_kdbg_offsets(t);
    }
    if (t->kernel != NULL && ds_dump_kind(t->dump) != DS_DUMP_TRIAGE) {
        proven = check_processes(t) || proven;
    }
    t->layout_unproven = ds_layout_trust(t->layout) == DS_TRUST_GUESS && !proven;
    const struct ds_triage *tr = ds_dump_triage(t->dump);
    if (t->kernel != NULL && tr != NULL && tr->thread.va.known && tr->process.va.known) {
        check_triage_records(t, tr);
    }
}
