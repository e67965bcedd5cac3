/* Every function is pure over one snapshot: the same arguments give the same result. An unknown
 * argument, a failed read or an absent name gives NULL. */
#include "facts/functions.h"

#include <string.h>

#include "base/clock.h"
#include "facts/resolve.h"
#include "nt/bugcheck.h"
#include "nt/codes.h"
#include "nt/hardware.h"
#include "nt/spaces.h"
#include "nt/ticks.h"

static struct ds_facts *facts_of(sqlite3_context *c)
{
    return sqlite3_user_data(c);
}

static struct ds_target *target_of(sqlite3_context *c)
{
    return ds_nt_target(ds_facts_nt(facts_of(c)));
}

/* An integer argument; false for NULL and for what is no integer. */
static bool arg_u64(sqlite3_value *v, uint64_t *ret)
{
    if (sqlite3_value_numeric_type(v) != SQLITE_INTEGER)
        return false;
    *ret = (uint64_t)sqlite3_value_int64(v);
    return true;
}

static void give_u64(sqlite3_context *c, uint64_t x)
{
    sqlite3_result_int64(c, (int64_t)x);
}

static void give_buf(sqlite3_context *c, struct ds_buf *b)
{
    if (ds_buf_ok(b))
        sqlite3_result_text(c, ds_buf_text(b), (int)b->len, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_toobig(c);
}

static void fn_addr(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t x;
    if (!arg_u64(argv[0], &x))
        return;
    char text[32];
    sqlite3_snprintf((int)sizeof(text), text, "0x%llx", (unsigned long long)x);
    sqlite3_result_text(c, text, -1, SQLITE_TRANSIENT);
}

static void fn_symbol(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t va;
    if (!arg_u64(argv[0], &va))
        return;
    struct ds_buf b;
    ds_buf_init(&b, 64 << 10);
    if (ds_resolve_symbol(ds_facts_nt(facts_of(c)), va, &b))
        give_buf(c, &b);
    ds_buf_deinit(&b);
}

/* The kernel's address space, or with a second argument that of a process; NULL when it cannot be
 * had. */
static struct ds_space *space_of(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    uint64_t eprocess;
    struct ds_space *s;
    if (argc < 2)
        return target_of(c)->kernel;
    if (!arg_u64(argv[1], &eprocess) ||
        ds_nt_space_of(ds_facts_nt(facts_of(c)), eprocess, &s) != DS_OK)
        return NULL;
    return s;
}

static void read_uint(sqlite3_context *c, int argc, sqlite3_value **argv, unsigned size)
{
    uint64_t va, x;
    struct ds_space *space = space_of(c, argc, argv);
    if (space && arg_u64(argv[0], &va) && ds_space_read_uint(space, va, size, &x, NULL) == DS_OK)
        give_u64(c, x);
}

static void fn_u8(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    read_uint(c, argc, argv, 1);
}

static void fn_u16(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    read_uint(c, argc, argv, 2);
}

static void fn_u32(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    read_uint(c, argc, argv, 4);
}

static void fn_u64(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    read_uint(c, argc, argv, 8);
}

static void fn_ptr(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    uint64_t va, x;
    struct ds_space *space = space_of(c, argc, argv);
    if (space && arg_u64(argv[0], &va) && ds_space_read_ptr(space, va, &x, NULL) == DS_OK)
        give_u64(c, x);
}

static void fn_phys(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    uint64_t va, pa;
    struct ds_space *space = space_of(c, argc, argv);
    if (space && arg_u64(argv[0], &va) && ds_space_translate(space, va, &pa, NULL) == DS_OK)
        give_u64(c, pa);
}

static void fn_ustr(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    uint64_t va;
    struct ds_space *space = space_of(c, argc, argv);
    if (space == NULL || !arg_u64(argv[0], &va))
        return;
    struct ds_buf b;
    ds_buf_init(&b, 64 << 10);
    if (ds_space_read_ustr(space, va, &b, NULL) == DS_OK)
        give_buf(c, &b);
    ds_buf_deinit(&b);
}

static void fn_field(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t va;
    const char *path = (const char *)sqlite3_value_text(argv[1]);
    if (path == NULL || !arg_u64(argv[0], &va))
        return;
    const char *dot = strchr(path, '.');
    char type[64];
    if (dot == NULL || (size_t)(dot - path) >= sizeof(type) || dot[1] == '\0') {
        sqlite3_result_error(c, "field() wants '_TYPE.Member'", -1);
        return;
    }
    memcpy(type, path, (size_t)(dot - path));
    type[dot - path] = '\0';
    struct ds_opt x = ds_target_field(target_of(c), va, type, dot + 1);
    if (x.known)
        give_u64(c, x.value);
}

static void fn_ntstatus(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t x;
    if (!arg_u64(argv[0], &x))
        return;
    const struct ds_code *code = ds_ntstatus_find((uint32_t)x);
    if (code)
        sqlite3_result_text(c, code->name, -1, SQLITE_STATIC);
}

static void fn_bugcheck_name(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t x;
    if (!arg_u64(argv[0], &x))
        return;
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find((uint32_t)x);
    if (doc)
        sqlite3_result_text(c, doc->name, -1, SQLITE_STATIC);
}

static void fn_bugcheck_base(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t x;
    if (arg_u64(argv[0], &x))
        give_u64(c, ds_bugcheck_base((uint32_t)x));
}

static void fn_filetime(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t x;
    if (!arg_u64(argv[0], &x))
        return;
    char text[DS_CLOCK_TEXT];
    if (ds_clock_iso(x, text))
        sqlite3_result_text(c, text, -1, SQLITE_TRANSIENT);
}

static void fn_ticks_ms(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t ticks, product;
    uint64_t length = ds_nt_tick_length(ds_facts_nt(facts_of(c)), NULL);
    if (length == 0 || !arg_u64(argv[0], &ticks))
        return;
    if (!__builtin_mul_overflow(ticks, length, &product))
        give_u64(c, product / 10000u);
}

/* The order of two addresses: -1, 0, 1; false when either is unknown. */
static bool compare(sqlite3_value **argv, int *ret)
{
    uint64_t a, b;
    if (!arg_u64(argv[0], &a) || !arg_u64(argv[1], &b))
        return false;
    *ret = (a > b) - (a < b);
    return true;
}

static void fn_addr_lt(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    int order;
    if (compare(argv, &order))
        sqlite3_result_int(c, order < 0);
}

static void fn_addr_le(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    int order;
    if (compare(argv, &order))
        sqlite3_result_int(c, order <= 0);
}

static void fn_addr_gt(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    int order;
    if (compare(argv, &order))
        sqlite3_result_int(c, order > 0);
}

static void fn_addr_ge(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    int order;
    if (compare(argv, &order))
        sqlite3_result_int(c, order >= 0);
}

static void fn_disasm(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t va;
    struct ds_insn insn;
    if (arg_u64(argv[0], &va) && ds_nt_disassemble(ds_facts_nt(facts_of(c)), va, &insn) == DS_OK)
        sqlite3_result_text(c, insn.text, -1, SQLITE_TRANSIENT);
}

static void fn_insn_size(sqlite3_context *c, int argc, sqlite3_value **argv)
{
    (void)argc;
    uint64_t va;
    struct ds_insn insn;
    if (arg_u64(argv[0], &va) && ds_nt_disassemble(ds_facts_nt(facts_of(c)), va, &insn) == DS_OK)
        give_u64(c, insn.size);
}

const struct ds_function_spec ds_functions[] = {
    {"addr", "x", "the integer as hexadecimal text: 0xfffff8048b58334c"},
    {"symbol", "va", "module!symbol+offset or module+offset; NULL when in no module"},
    {"u8", "va[, eprocess]",
     "the byte at the virtual address, of the kernel or of a process; NULL when it cannot be read"},
    {"u16", "va[, eprocess]", "the 16-bit integer there"},
    {"u32", "va[, eprocess]", "the 32-bit integer there"},
    {"u64", "va[, eprocess]", "the 64-bit integer there"},
    {"ptr", "va[, eprocess]", "the pointer there, zero-extended on 32-bit systems"},
    {"ustr", "va[, eprocess]", "text of the UNICODE_STRING there"},
    {"phys", "va[, eprocess]",
     "the physical address of the virtual one, also of pages in transition; NULL when there is "
     "none"},
    {"field", "va, '_TYPE.Member'", "the member of the structure at the virtual address"},
    {"disasm", "va", "the instruction there, Intel syntax; NULL when its bytes were not captured"},
    {"insn_size", "va", "bytes of the instruction there: va + insn_size(va) is the next one"},
    {"ntstatus", "x", "name of an NTSTATUS; NULL when not known"},
    {"ticks_ms", "ticks", "clock ticks (as in threads.wait_time_ticks) in milliseconds"},
    {"filetime", "x", "100 ns ticks since 1601 as ISO 8601 text, UTC"},
    {"addr_lt", "a, b", "a < b, as unsigned addresses"},
    {"addr_le", "a, b", "a <= b, as unsigned addresses"},
    {"addr_gt", "a, b", "a > b, as unsigned addresses"},
    {"addr_ge", "a, b", "a >= b, as unsigned addresses"},
    {"bugcheck_name", "code", "name of a bugcheck code; NULL when not known"},
    {"bugcheck_base", "code", "the code without the bits that mark variants"},
};
const size_t ds_functions_count = sizeof(ds_functions) / sizeof(ds_functions[0]);

/* In the order of ds_functions. */
static const struct {
    int argc, most; /* arguments: at least, at most */
    void (*call)(sqlite3_context *, int, sqlite3_value **);
} implementations[] = {
    {1, 1, fn_addr},          {1, 1, fn_symbol},   {1, 2, fn_u8},       {1, 2, fn_u16},
    {1, 2, fn_u32},           {1, 2, fn_u64},      {1, 2, fn_ptr},      {1, 2, fn_ustr},
    {1, 2, fn_phys},          {2, 2, fn_field},    {1, 1, fn_disasm},   {1, 1, fn_insn_size},
    {1, 1, fn_ntstatus},      {1, 1, fn_ticks_ms}, {1, 1, fn_filetime}, {2, 2, fn_addr_lt},
    {2, 2, fn_addr_le},       {2, 2, fn_addr_gt},  {2, 2, fn_addr_ge},  {1, 1, fn_bugcheck_name},
    {1, 1, fn_bugcheck_base},
};
_Static_assert(sizeof(implementations) / sizeof(implementations[0]) ==
                   sizeof(ds_functions) / sizeof(ds_functions[0]),
               "every documented function is implemented");

int ds_functions_add(sqlite3 *db, struct ds_facts *f)
{
    for (size_t i = 0; i < ds_functions_count; i++) {
        for (int argc = implementations[i].argc; argc <= implementations[i].most; argc++) {
            int rc =
                sqlite3_create_function_v2(db, ds_functions[i].name, argc,
                                           SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
                                           f, implementations[i].call, NULL, NULL, NULL);
            if (rc != SQLITE_OK)
                return rc;
        }
    }
    return SQLITE_OK;
}

size_t ds_function_count(void)
{
    return ds_functions_count;
}

const struct ds_function_spec *ds_function_at(size_t index)
{
    return index < ds_functions_count ? &ds_functions[index] : NULL;
}
