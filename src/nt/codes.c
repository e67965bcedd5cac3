#include "nt/codes.h"

#include "nt/tables.h"

/* HRESULT and NTSTATUS layout: [MS-ERREF] 2.1 and 2.3. */
#define FACILITY_NT_BIT 0x10000000u
#define FACILITY_WIN32 7u

static const struct ds_code *find(const struct ds_code *table, size_t count, uint32_t value)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (table[mid].value < value)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < count && table[lo].value == value ? &table[lo] : NULL;
}

const struct ds_code *ds_ntstatus_find(uint32_t value)
{
    return find(ds_ntstatus_table, ds_ntstatus_table_count, value);
}

const struct ds_code *ds_hresult_find(uint32_t value)
{
    return find(ds_hresult_table, ds_hresult_table_count, value);
}

const struct ds_code *ds_win32_find(uint32_t value)
{
    return find(ds_win32_table, ds_win32_table_count, value);
}

/* "0xC0000005 STATUS_ACCESS_VIOLATION: text" */
static void put_code(struct ds_buf *out, const struct ds_code *code)
{
    ds_buf_printf(out, "0x%08X %s", (unsigned)code->value, code->name);
    if (code->text[0] != '\0')
        ds_buf_printf(out, ": %s", code->text);
}

static void put_win32(struct ds_buf *out, uint32_t value)
{
    const struct ds_code *code = ds_win32_find(value);
    ds_buf_printf(out, "Win32 error %u (0x%X)", (unsigned)value, (unsigned)value);
    if (code == NULL) {
        ds_buf_str(out, ", which has no name in the table");
        return;
    }
    ds_buf_printf(out, " %s", code->name);
    if (code->text[0] != '\0')
        ds_buf_printf(out, ": %s", code->text);
}

static unsigned explain_ntstatus(uint32_t value, struct ds_buf *out)
{
    const struct ds_code *code = ds_ntstatus_find(value);
    if (code == NULL)
        return 0;
    ds_buf_str(out, "NTSTATUS ");
    put_code(out, code);
    ds_buf_char(out, '\n');
    return 1;
}

static unsigned explain_hresult(uint32_t value, struct ds_buf *out)
{
    const struct ds_code *code = ds_hresult_find(value);
    if (code != NULL) {
        ds_buf_str(out, "HRESULT ");
        put_code(out, code);
        ds_buf_char(out, '\n');
        return 1;
    }
    if ((value & 0x80000000u) != 0 && ((value >> 16) & 0x1fffu) == FACILITY_WIN32) {
        ds_buf_printf(out, "HRESULT 0x%08X, wraps ", (unsigned)value);
        put_win32(out, value & 0xffffu);
        ds_buf_char(out, '\n');
        return 1;
    }
    return 0;
}

/* HRESULT_FROM_NT sets one bit; a status with that bit set is never a plain NTSTATUS. */
static unsigned explain_wrapped_nt(uint32_t value, struct ds_buf *out)
{
    if ((value & FACILITY_NT_BIT) == 0)
        return 0;
    const struct ds_code *code = ds_ntstatus_find(value & ~FACILITY_NT_BIT);
    if (code == NULL)
        return 0;
    ds_buf_printf(out, "HRESULT 0x%08X, wraps NTSTATUS ", (unsigned)value);
    put_code(out, code);
    ds_buf_char(out, '\n');
    return 1;
}

static const char *const severities[] = {"success", "informational", "warning", "error"};

/* What the bits alone say. */
static unsigned explain_bits(uint32_t value, struct ds_buf *out)
{
    unsigned facility = (value >> 16) & 0xfffu;
    if ((value & FACILITY_NT_BIT) != 0) {
        ds_buf_printf(out,
                      "HRESULT 0x%08X wraps an NTSTATUS 0x%08X without a name in the table: "
                      "%s, facility 0x%X, code 0x%X\n",
                      (unsigned)value, (unsigned)(value & ~FACILITY_NT_BIT),
                      severities[value >> 30], facility, (unsigned)(value & 0xffffu));
        return 1;
    }
    ds_buf_printf(out, "NTSTATUS 0x%08X has no name in the table: %s, %sfacility 0x%X, code 0x%X\n",
                  (unsigned)value, severities[value >> 30],
                  (value & 0x20000000u) != 0 ? "defined by an application or vendor, " : "",
                  facility, (unsigned)(value & 0xffffu));
    /* Severity "warning" as NTSTATUS is plain failure as HRESULT, by far the commoner kind. */
    if (value >> 30 != 2)
        return 1;
    ds_buf_printf(out,
                  "HRESULT 0x%08X has no name in the table: failure, facility 0x%X, code 0x%X\n",
                  (unsigned)value, (unsigned)((value >> 16) & 0x7ffu), (unsigned)(value & 0xffffu));
    return 2;
}

unsigned ds_code_explain(uint32_t value, struct ds_buf *out)
{
    unsigned lines = 0;
    /* Small numbers are Win32 errors far more often than success statuses; 0 is both. */
    bool small = value < 0x10000u;
    if (small && ds_win32_find(value) != NULL) {
        put_win32(out, value);
        ds_buf_char(out, '\n');
        lines++;
    }
    lines += explain_wrapped_nt(value, out);
    lines += explain_ntstatus(value, out);
    lines += explain_hresult(value, out);
    if (lines == 0)
        lines += explain_bits(value, out);
    return lines;
}
