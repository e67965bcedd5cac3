/* Tables over the fault: exception, contexts and the stack. */
#include <string.h>

#include "facts/cells.h"
#include "nt/bugcheck.h"
#include "nt/codes.h"

static const struct ds_dump_header *header_of(struct ds_facts *f)
{
    return ds_dump_header(ds_nt_target(ds_facts_nt(f))->dump);
}

/* ---- exceptions ---- */

static void exception_name(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    const struct ds_code *c = ds_ntstatus_find(((const struct ds_exception *)row)->code);
    if (c)
        ds_value_text(v, c->name);
}

static void exception_module(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_module(f, ((const struct ds_exception *)row)->address, v);
}

static void exception_offset(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_module_offset(f, ((const struct ds_exception *)row)->address, v);
}

static void exception_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    ds_value_symbol(f, ((const struct ds_exception *)row)->address, v);
}

static void exception_information(const void *row, unsigned which, struct ds_value *v)
{
    const struct ds_exception *e = row;
    if (e->parameter_count > which)
        ds_value_u64(v, e->parameters[which]);
}

static void exception_information_0(struct ds_facts *f, const void *row, size_t i,
                                    struct ds_value *v)
{
    (void)f;
    (void)i;
    exception_information(row, 0, v);
}

static void exception_information_1(struct ds_facts *f, const void *row, size_t i,
                                    struct ds_value *v)
{
    (void)f;
    (void)i;
    exception_information(row, 1, v);
}

#define ROW struct ds_exception
static const struct ds_column_spec exception_columns[] = {
    {"code", DS_COL_INTEGER, "ExceptionCode, an NTSTATUS", ".exr", DS_FIELD(ROW, code)},
    {"name", DS_COL_TEXT, "name of the code", ".exr", DS_DERIVED(exception_name)},
    {"flags", DS_COL_INTEGER, "ExceptionFlags", ".exr", DS_FIELD(ROW, flags)},
    {"address", DS_COL_ADDRESS, "ExceptionAddress: virtual", ".exr", DS_FIELD(ROW, address)},
    {"module", DS_COL_TEXT, "module that holds the address", ".exr", DS_DERIVED(exception_module)},
    {"module_offset", DS_COL_INTEGER, "bytes from that module's base", ".exr",
     DS_DERIVED(exception_offset)},
    {"symbol", DS_COL_TEXT, "the address as module!symbol+offset", ".exr",
     DS_DERIVED(exception_symbol)},
    {"parameter_count", DS_COL_INTEGER, "NumberParameters", ".exr", DS_FIELD(ROW, parameter_count)},
    {"information_0", DS_COL_ADDRESS, "ExceptionInformation[0]", ".exr",
     DS_DERIVED(exception_information_0)},
    {"information_1", DS_COL_ADDRESS, "ExceptionInformation[1]", ".exr",
     DS_DERIVED(exception_information_1)},
    {"source", DS_COL_TEXT, "where the record was found", "", DS_FIELD(ROW, source)},
};
#undef ROW

/* Whether the bugcheck passes an exception record, so that its absence is a loss. */
static bool exception_expected(struct ds_facts *f)
{
    const struct ds_dump_header *h = header_of(f);
    if (!h->bugcheck_code.known)
        return true;
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)h->bugcheck_code.value);
    for (unsigned i = 0; doc && i < 4; i++)
        if (doc->params[i].text && strstr(doc->params[i].object, "EXCEPTION_RECORD"))
            return true;
    return false;
}

static void exceptions_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_exception *e = &ds_nt_fault(ds_facts_nt(f))->exception;
    if (e->known)
        *ret = ds_rows_complete(e, sizeof(*e), 1);
    else if (exception_expected(f))
        *ret = ds_rows_cut(NULL, 0, 0, DS_NOT_IN_DUMP, "the exception record cannot be read");
    else
        *ret = ds_rows_complete(NULL, 0, 0);
}

DS_TABLE(exceptions, "The exception record of the fault, where there is one.", ".exr -1",
         exception_columns, exceptions_fill, NULL);

/* ---- fault ---- */

struct fault_row {
    const struct ds_fault_facts *facts;
    struct ds_opt pc, sp, fp;
    const char *context_source, *context_meaning;
    struct ds_opt address, current_thread, current_process;
    const char *access, *stack_kind;
};

static void fault_symbol(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt pc = ((const struct fault_row *)row)->pc;
    if (pc.known)
        ds_value_symbol(f, pc.value, v);
}

static void fault_module(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt pc = ((const struct fault_row *)row)->pc;
    if (pc.known)
        ds_value_module(f, pc.value, v);
}

static void fault_offset(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt pc = ((const struct fault_row *)row)->pc;
    if (pc.known)
        ds_value_module_offset(f, pc.value, v);
}

static void fault_unloaded(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)i;
    struct ds_opt pc = ((const struct fault_row *)row)->pc;
    if (pc.known)
        ds_value_unloaded(f, pc.value, v);
}

#define ROW struct fault_row
static const struct ds_column_spec fault_columns[] = {
    {"pc", DS_COL_ADDRESS, "instruction pointer of the context that the report shows: virtual",
     ".cxr, r", DS_FIELD(ROW, pc)},
    {"sp", DS_COL_ADDRESS, "its stack pointer: virtual", ".cxr, r", DS_FIELD(ROW, sp)},
    {"fp", DS_COL_ADDRESS, "its frame pointer: virtual", ".cxr, r", DS_FIELD(ROW, fp)},
    {"module", DS_COL_TEXT, "module that holds pc", "lm a", DS_DERIVED(fault_module)},
    {"module_offset", DS_COL_INTEGER, "bytes from that module's base", "ln",
     DS_DERIVED(fault_offset)},
    {"symbol", DS_COL_TEXT, "pc as module!symbol+offset", "ln", DS_DERIVED(fault_symbol)},
    {"unloaded_module", DS_COL_TEXT, "unloaded module whose range holds pc", "lm",
     DS_DERIVED(fault_unloaded)},
    {"context_source", DS_COL_TEXT, "where that context was found", "",
     DS_FIELD(ROW, context_source)},
    {"context_meaning", DS_COL_TEXT, "the fault itself, or the way to the bugcheck", "",
     DS_FIELD(ROW, context_meaning)},
    {"address", DS_COL_ADDRESS, "address whose access failed: virtual", "!analyze (READ_ADDRESS)",
     DS_FIELD(ROW, address)},
    {"access", DS_COL_TEXT, "read, write or execute", "!analyze", DS_FIELD(ROW, access)},
    {"ethread", DS_COL_ADDRESS, "_ETHREAD that was running", "!thread",
     DS_FIELD(ROW, current_thread)},
    {"eprocess", DS_COL_ADDRESS, "_EPROCESS that was current", "!process",
     DS_FIELD(ROW, current_process)},
    {"stack_kind", DS_COL_TEXT, "which stack it is: thread stack, DPC stack, ...", "",
     DS_FIELD(ROW, stack_kind)},
};
#undef ROW

static void fault_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_facts *ff = ds_nt_fault(ds_facts_nt(f));
    struct fault_row *r = ds_facts_rows_alloc(f, 1, sizeof(*r));
    if (r == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    r->facts = ff;
    if (ff->chosen < ff->context_count) {
        const struct ds_context_record *c = &ff->contexts[ff->chosen];
        r->pc = ds_opt_known(c->context.pc);
        r->sp = ds_opt_known(c->context.sp);
        r->fp = ds_opt_known(c->context.fp);
        r->context_source = c->source;
        r->context_meaning = c->meaning;
    }
    r->address = ff->fault_address;
    r->access = ff->fault_access;
    r->current_thread = ff->current_thread;
    r->current_process = ff->current_process;
    r->stack_kind = ff->stack_kind;
    *ret = ds_rows_complete(r, sizeof(*r), 1);
}

DS_TABLE(fault, "One row: the context to believe, what failed, and who was running.",
         ".ecxr, !thread", fault_columns, fault_fill, NULL);

/* ---- contexts and registers ---- */

#define ROW struct ds_context_record
static const struct ds_column_spec context_columns[] = {
    {"number", DS_COL_INTEGER, "from 0; registers.context refers to it", "",
     DS_DERIVED(ds_derive_number)},
    {"source", DS_COL_TEXT, "where the record was found: header, bugcheck parameter 4, ...", "",
     DS_FIELD(ROW, source)},
    {"meaning", DS_COL_TEXT, "what moment it shows", "", DS_FIELD(ROW, meaning)},
    {"chosen", DS_COL_BOOL, "the one that the report shows", "", DS_FIELD(ROW, chosen)},
    {"flags", DS_COL_INTEGER, "ContextFlags", ".cxr", DS_FIELD(ROW, context.flags)},
    {"pc", DS_COL_ADDRESS, "instruction pointer: virtual", ".cxr", DS_FIELD(ROW, context.pc)},
    {"sp", DS_COL_ADDRESS, "stack pointer: virtual", ".cxr", DS_FIELD(ROW, context.sp)},
    {"fp", DS_COL_ADDRESS, "frame pointer: virtual", ".cxr", DS_FIELD(ROW, context.fp)},
};
#undef ROW

static void contexts_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_facts *ff = ds_nt_fault(ds_facts_nt(f));
    *ret = ff->context_count
               ? ds_rows_complete(ff->contexts, sizeof(ff->contexts[0]), ff->context_count)
               : ds_rows_cut(NULL, 0, 0, DS_NOT_IN_DUMP, "no context record can be read");
}

DS_TABLE(contexts, "Context records found in the dump.", ".cxr", context_columns, contexts_fill,
         "number");

struct register_row {
    uint32_t context;
    const char *name;
    uint64_t value;
    uint8_t size;
};

#define ROW struct register_row
static const struct ds_column_spec register_columns[] = {
    {"context", DS_COL_INTEGER, "number of the context", "", DS_FIELD(ROW, context)},
    {"name", DS_COL_TEXT, "register: rip, efl, x29", "r", DS_FIELD(ROW, name)},
    {"value", DS_COL_ADDRESS, "its value", "r", DS_FIELD(ROW, value)},
    {"size", DS_COL_INTEGER, "its bytes", "", DS_FIELD(ROW, size)},
};
#undef ROW

static void registers_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_fault_facts *ff = ds_nt_fault(ds_facts_nt(f));
    struct register_row *rows =
        ds_facts_rows_alloc(f, ff->context_count * DS_CONTEXT_REGISTERS, sizeof(*rows));
    size_t n = 0;
    for (size_t c = 0; rows && c < ff->context_count; c++) {
        const struct ds_context *x = &ff->contexts[c].context;
        for (size_t i = 0; i < x->register_count && i < DS_CONTEXT_REGISTERS; i++)
            rows[n++] = (struct register_row){(uint32_t)c, x->registers[i].name,
                                              x->registers[i].value, x->registers[i].size};
    }
    if (n)
        *ret = ds_rows_complete(rows, sizeof(*rows), n);
    else
        *ret = ds_rows_cut(rows, sizeof(*rows), 0, DS_NOT_IN_DUMP, "no context record can be read");
}

DS_TABLE(registers, "Registers of every context record.", "r", register_columns, registers_fill,
         NULL);
