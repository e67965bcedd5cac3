#include "facts/windbg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dump/cpuid.h"
#include "dump/machine.h"
#include "nt/bugcheck.h"
#include "nt/drivers.h"

#define VALUE_MAX 1024u
#define STATUS_ACCESS_VIOLATION 0xc0000005u
#define ATTRIBUTE_INSUFFICIENT 0x4u /* header.Attributes, mindumpdef.h */
#define ATTRIBUTE_TRIAGE 0x8u
#define ATTRIBUTE_LIVE 0x10u
#define FAST_FAIL "FAST_FAIL_"
#define HEX(x) ((unsigned long long)(x))

struct keys {
    struct ds_nt *nt;
    struct ds_target *t;
    const struct ds_dump_header *h;
    const struct ds_fault_facts *ff;
    struct ds_windbg *ret;
    struct ds_windbg_crash crash;
    struct ds_windbg_blame blame;
    struct ds_opt offset; /* of the blamed address, from the function or the module's base */
};

static void add(struct keys *k, const char *name, const char *fmt, ...) DS_PRINTF(3, 4);

static void add(struct keys *k, const char *name, const char *fmt, ...)
{
    char text[VALUE_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (n <= 0 || (size_t)n >= sizeof(text) || k->ret->count == DS_WINDBG_KEYS_MAX)
        return;
    const char *value = ds_arena_strdup(&k->t->arena, text, (size_t)n);
    if (value != NULL)
        k->ret->rows[k->ret->count++] = (struct ds_windbg_key){name, value};
}

static unsigned digits(const struct keys *k)
{
    return k->t->pointer_size == 8 ? 16 : 8;
}

static void add_address(struct keys *k, const char *name, uint64_t va)
{
    add(k, name, "%0*llx", (int)digits(k), HEX(va));
}

/* ---- bugcheck ---- */

static void add_bugcheck(struct keys *k)
{
    static const char *const names[4] = {"BUGCHECK_P1", "BUGCHECK_P2", "BUGCHECK_P3",
                                         "BUGCHECK_P4"};
    uint64_t at, raw;
    add(k, "BUGCHECK_CODE", "%x", k->crash.code);
    for (unsigned i = 0; i < 4; i++)
        if (k->h->bugcheck_parameter[i].known)
            add(k, names[i], "%llx", HEX(k->h->bugcheck_parameter[i].value));
    if (k->t->kernel != NULL && ds_target_global(k->t, "KiBugCheckData", &at) == DS_OK &&
        ds_space_read_ptr(k->t->kernel, at, &raw, NULL) == DS_OK && raw != 0)
        add(k, "Bugcheck.Code.KiBugCheckData", "0x%llx", HEX(raw));
    add(k, "Bugcheck.Code.LegacyAPI", "0x%x", (uint32_t)k->h->bugcheck_code.value);
    add(k, "Bugcheck.Code.TargetModel", "0x%x", (uint32_t)k->h->bugcheck_code.value);
    if (!k->h->attributes.known)
        return;
    uint64_t attributes = k->h->attributes.value;
    add(k, "Dump.Attributes.AsUlong", "0x%llx", HEX(attributes));
    if ((attributes & ATTRIBUTE_INSUFFICIENT) != 0)
        add(k, "Dump.Attributes.InsufficientDumpfileSize", "1");
    if ((attributes & ATTRIBUTE_TRIAGE) != 0)
        add(k, "Dump.Attributes.KernelGeneratedTriageDump", "1");
}

/* ---- exception and fault ---- */

static const char *access_word(const char *access)
{
    return access == NULL                   ? NULL
           : strcmp(access, "read") == 0    ? "Read"
           : strcmp(access, "write") == 0   ? "Write"
           : strcmp(access, "execute") == 0 ? "Execute"
                                            : NULL;
}

static void add_access(struct keys *k)
{
    const char *word = access_word(k->ff->fault_access);
    struct ds_opt at = k->ff->fault_address;
    bool av = k->ff->exception.known && k->ff->exception.code == STATUS_ACCESS_VIOLATION;
    if (word == NULL || !at.known)
        return;
    add_address(k,
                *word == 'R'   ? "READ_ADDRESS"
                : *word == 'W' ? "WRITE_ADDRESS"
                               : "EXECUTE_ADDRESS",
                at.value);
    if (av)
        add(k, "AV.Fault", "%s", word);
    else if (k->crash.code == 0x50)
        add(k, "AV.Type", "%s", word);
    if (av && at.value < 0x1000)
        add(k, "AV.Dereference", "%s", at.value == 0 ? "NullPtr" : "NullClassPtr");
}

static void add_exception(struct keys *k)
{
    const struct ds_exception *e = &k->ff->exception;
    static const char *const names[2] = {"EXCEPTION_PARAMETER1", "EXCEPTION_PARAMETER2"};
    struct ds_symbol s;
    if (e->known) {
        add(k, "EXCEPTION_CODE_STR", "%x", e->code);
        for (unsigned i = 0; i < 2 && i < e->parameter_count; i++)
            add_address(k, names[i], e->parameters[i]);
    }
    add_access(k);
    const struct ds_context_record *r =
        k->ff->chosen < k->ff->context_count ? &k->ff->contexts[k->ff->chosen] : NULL;
    bool fault = r != NULL && strcmp(r->meaning, "the fault itself") == 0;
    uint64_t pc = e->known ? e->address : fault ? r->context.pc : 0;
    if (!e->known && !fault)
        return;
    add(k, "Failure.Exception.IP.Address", "0x%llx", HEX(pc));
    if (k->t->symbols != NULL && ds_symbols_find(k->t->symbols, pc, &s)) {
        add(k, "Failure.Exception.IP.Module", "%s", s.module);
        add(k, "Failure.Exception.IP.Offset", "0x%llx", HEX(pc - s.module_base));
    }
}

static void add_fast_fail(struct keys *k)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find(k->crash.code);
    const struct ds_bugcheck_subcode *sub =
        doc != NULL && k->crash.code == 0x139 ? ds_bugcheck_subcode(doc, k->crash.p) : NULL;
    if (sub == NULL || strncmp(sub->name, FAST_FAIL, sizeof(FAST_FAIL) - 1) != 0)
        return;
    add(k, "FailFast.Name", "%s", sub->name + sizeof(FAST_FAIL) - 1);
    add(k, "FailFast.Type", "%llu", HEX(k->crash.p[0]));
}

/* The records that parameters point to, and the command that makes the debugger use them. */
static void add_records(struct keys *k)
{
    static const struct {
        uint32_t code;
        const char *key, *command;
        unsigned parameter;
    } records[] = {{0x7e, "EXCEPTION_RECORD", ".exr", 3}, {0x7e, "CONTEXT", ".cxr", 4},
                   {0x3b, "CONTEXT", ".cxr", 3},          {0x8e, "TRAP_FRAME", ".trap", 3},
                   {0x139, "TRAP_FRAME", ".trap", 2},     {0x139, "EXCEPTION_RECORD", ".exr", 3}};
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        uint64_t va = k->crash.p[records[i].parameter - 1];
        if (records[i].code != k->crash.code || va == 0)
            continue;
        add(k, records[i].key, "%0*llx -- (%s 0x%llx)", (int)digits(k), HEX(va), records[i].command,
            HEX(va));
        if (strcmp(records[i].command, ".exr") != 0)
            add(k, "STACK_COMMAND", "%s 0x%llx ; kb", records[i].command, HEX(va));
    }
}

/* ---- who ---- */

static const char *stem_of(struct keys *k, const char *file)
{
    const char *dot = strrchr(file, '.');
    size_t n = dot != NULL && dot != file ? (size_t)(dot - file) : strlen(file);
    return ds_arena_strdup(&k->t->arena, file, n);
}

/* The kernel goes by its original file name, that of its symbol file. */
static const char *kernel_image(struct keys *k)
{
    if (!k->t->kernel_pe_known || k->t->kernel_pe.pdb_name[0] == '\0')
        return NULL;
    char name[160];
    const char *stem = stem_of(k, k->t->kernel_pe.pdb_name);
    (void)snprintf(name, sizeof(name), "%s.exe", stem != NULL ? stem : "");
    return stem != NULL ? ds_arena_strdup(&k->t->arena, name, strlen(name)) : NULL;
}

/* Takes the candidate as the debugger would name it. */
static void blame_set(struct keys *k, const struct ds_candidate *c)
{
    struct ds_symbol s;
    bool kernel = c->kind == DS_CANDIDATE_KERNEL;
    k->blame.sure = strcmp(c->source, "exception") == 0 || strcmp(c->source, "parameter") == 0 ||
                    strcmp(c->source, "kernel") == 0;
    k->blame.image = kernel ? kernel_image(k) : c->module;
    k->blame.module = kernel ? "nt" : stem_of(k, c->module);
    k->blame.symbols_public = kernel || ds_in_box_find(c->module) != NULL;
    bool at = c->address.known && k->t->symbols != NULL &&
              ds_symbols_find(k->t->symbols, c->address.value, &s);
    if (!at || c->function == NULL)
        return;
    k->blame.module = s.module;
    k->blame.function = s.trust == DS_NAME_SYMBOLS ? s.function : NULL;
    k->offset =
        ds_opt_known(k->blame.function != NULL ? s.displacement : c->address.value - s.module_base);
}

static void blame_find(struct keys *k)
{
    struct ds_candidates *c = ds_arena_alloc(&k->t->arena, 1, sizeof(*c));
    if (c == NULL)
        return;
    ds_candidates_find(k->nt, c);
    for (size_t i = 0; i < c->count; i++) {
        bool kernel = c->rows[i].kind == DS_CANDIDATE_KERNEL;
        if (!kernel && c->rows[i].weight < DS_CANDIDATE_NAMED)
            continue;
        if (kernel || c->rows[i].kind == DS_CANDIDATE_DRIVER)
            blame_set(k, &c->rows[i]);
        return;
    }
}

static void add_who(struct keys *k)
{
    const struct ds_windbg_blame *b = &k->blame;
    if (k->ff->current_thread.known)
        add_address(k, "FAULTING_THREAD", k->ff->current_thread.value);
    const struct ds_processes *p = ds_nt_processes(k->nt);
    for (size_t i = 0; i < p->count; i++)
        if (k->ff->current_process.known && p->rows[i].name != NULL &&
            p->rows[i].eprocess == k->ff->current_process.value) {
            add(k, "PROCESS_NAME", "%s", p->rows[i].name);
            break;
        }
    if (b->module == NULL)
        return;
    if (b->function != NULL)
        add(k, "SYMBOL_NAME", "%s!%s+%llx", b->module, b->function, HEX(k->offset.value));
    else if (k->offset.known)
        add(k, "SYMBOL_NAME", "%s+%llx", b->module, HEX(k->offset.value));
    add(k, "MODULE_NAME", "%s", b->module);
    if (b->image != NULL)
        add(k, "IMAGE_NAME", "%s", b->image);
    if (k->offset.known)
        add(k, "BUCKET_ID_FUNC_OFFSET", "%llx", HEX(k->offset.value));
}

/* 0x9F with 3: whose device is at the bottom of the stack. */
static const char *lower_driver(struct keys *k)
{
    if (k->crash.code != 0x9f || k->crash.p[0] != 3 || k->t->kernel == NULL)
        return NULL;
    struct ds_opt driver = ds_target_field(k->t, k->crash.p[1], "_DEVICE_OBJECT", "DriverObject");
    struct ds_opt start = driver.known
                              ? ds_target_field(k->t, driver.value, "_DRIVER_OBJECT", "DriverStart")
                              : ds_opt_unknown(DS_OK);
    const struct ds_module *m = start.known ? ds_target_module_at(k->t, start.value) : NULL;
    return m != NULL && *m->name != '\0' ? m->name : NULL;
}

static bool is_ascii(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

static void add_bucket(struct keys *k)
{
    struct ds_buf b;
    char hash[DS_WINDBG_HASH];
    ds_buf_init(&b, VALUE_MAX);
    if (ds_windbg_bucket(&k->crash, &k->blame, &b, &k->ret->bucket_confidence,
                         &k->ret->bucket_reason) &&
        ds_buf_ok(&b)) {
        k->ret->bucket = ds_arena_strdup(&k->t->arena, ds_buf_text(&b), b.len);
        if (k->ret->bucket != NULL) {
            add(k, "FAILURE_BUCKET_ID", "%s", k->ret->bucket);
            add(k, "Failure.Bucket", "%s", k->ret->bucket);
        }
        if (k->ret->bucket != NULL && is_ascii(k->ret->bucket)) { /* how it folds others: unknown */
            ds_windbg_hash(k->ret->bucket, hash);
            add(k, "FAILURE_ID_HASH", "%s", hash);
            add(k, "Failure.Hash", "%s", hash);
        }
    }
    ds_buf_deinit(&b);
}

/* ---- the system ---- */

/* NT version numbers and product names by build (learn.microsoft.com, "Operating System Version");
 * the debugger says Windows 10 of Windows 11 as well. */
static const struct {
    uint32_t first, last;
    const char *version, *name;
} systems[] = {{7600, 7601, "6.1", "Windows 7"},
               {9200, 9200, "6.2", "Windows 8"},
               {9600, 9600, "6.3", "Windows 8.1"},
               {10240, 65535, "10.0", "Windows 10"}};

/* The next field of a lab string: letters, digits and '_' up to '.', '-' or the end. */
static bool lab_field(const char **at, char *out, size_t size, bool number)
{
    size_t n = 0;
    for (; **at != '\0' && **at != '.' && **at != '-'; (*at)++) {
        bool digit = **at >= '0' && **at <= '9';
        if (n + 1 >= size || (number && !digit))
            return false;
        out[n++] = **at;
    }
    out[n] = '\0';
    if (**at != '\0')
        (*at)++;
    return n > 0;
}

/* NtBuildLab: "19041.1.amd64fre.vb_release.191206-1406". */
static void add_lab(struct keys *k, const char *version)
{
    char build[8], revision[8], arch[24], branch[64], date[7], time[5];
    const char *at = k->t->build_lab;
    if (at == NULL || !lab_field(&at, build, sizeof(build), true) ||
        !lab_field(&at, revision, sizeof(revision), true) ||
        !lab_field(&at, arch, sizeof(arch), false) ||
        !lab_field(&at, branch, sizeof(branch), false) ||
        !lab_field(&at, date, sizeof(date), true) || !lab_field(&at, time, sizeof(time), true) ||
        strlen(date) != 6 || strlen(time) != 4)
        return;
    add(k, "OS_VERSION", "%s.%s.%s", version, build, revision);
    add(k, "BUILDLAB_STR", "%s", branch);
    add(k, "WER.OS.Branch", "%s", branch);
    add(k, "WER.OS.Timestamp", "20%.2s-%.2s-%.2sT%.2s:%.2s:00Z", date, date + 2, date + 4, time,
        time + 2);
    add(k, "WER.OS.Version", "%s.%s.%s", version, build, revision);
}

static void add_system(struct keys *k)
{
    if (k->t->arch == DS_ARCH_X64 || k->t->arch == DS_ARCH_X86)
        add(k, "OSPLATFORM_TYPE", "%s", k->t->arch == DS_ARCH_X64 ? "x64" : "x86");
    for (size_t i = 0; k->t->build.known && i < sizeof(systems) / sizeof(systems[0]); i++) {
        if (k->t->build.value < systems[i].first || k->t->build.value > systems[i].last)
            continue;
        add(k, "OSNAME", "%s", systems[i].name);
        add_lab(k, systems[i].version);
    }
}

/* Spellings as in published output; those of other platforms are not known. */
static const char *const virtual_names[][2] = {{"VMware", "VMware"}, {"Hyper-V", "HyperV"}};

static void add_machine(struct keys *k)
{
    struct ds_machine *m = ds_arena_alloc(&k->t->arena, 1, sizeof(*m));
    uint8_t *blob = NULL;
    size_t size;
    struct ds_cpuid cpu;
    if (m != NULL)
        ds_machine_read(k->t->dump, m);
    for (size_t i = 0; m != NULL && m->platform != NULL && m->is_virtual == DS_VIRTUAL_YES &&
                       i < sizeof(virtual_names) / sizeof(virtual_names[0]);
         i++)
        if (strcmp(m->platform, virtual_names[i][0]) == 0)
            add(k, "VIRTUAL_MACHINE", "%s", virtual_names[i][1]);
    /* Leaf 1 is what the kernel itself asks before it looks who the hypervisor is. */
    if (ds_dump_blob_load(k->t->dump, DS_CPUID_TAG, &blob, &size) == DS_OK &&
        ds_cpuid_decode(blob, size, &cpu) == DS_OK && cpu.hypervisor.known)
        add(k, "Hypervisor.Flags.AnyHypervisorPresent", "%u", cpu.hypervisor.value != 0);
    free(blob);
}

void ds_windbg_find(struct ds_nt *nt, struct ds_windbg *ret)
{
    struct ds_target *t = ds_nt_target(nt);
    struct keys k = {.nt = nt, .t = t, .h = ds_dump_header(t->dump), .ret = ret};
    *ret = (struct ds_windbg){.bucket_reason = "there is no bugcheck"};
    k.ff = ds_nt_fault(nt);
    if (k.h->bugcheck_code.known && k.h->bugcheck_code.value != 0) {
        k.crash.code = ds_bugcheck_base((uint32_t)k.h->bugcheck_code.value);
        k.crash.exception = k.ff->exception.known ? k.ff->exception.code : 0;
        k.crash.live = (ds_opt_or(k.h->attributes, 0) & ATTRIBUTE_LIVE) != 0;
        for (unsigned i = 0; i < 4; i++)
            k.crash.p[i] = ds_opt_or(k.h->bugcheck_parameter[i], 0);
        k.crash.lower_driver = lower_driver(&k);
        blame_find(&k);
        add_bugcheck(&k);
        add_exception(&k);
        add_fast_fail(&k);
        add_records(&k);
        add_who(&k);
        add_bucket(&k);
    }
    add_system(&k);
    add_machine(&k);
}
