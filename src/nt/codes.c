#include "nt/codes.h"

#include <string.h>

#include "base/text.h"
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

static unsigned add(struct ds_code_meaning *ret, unsigned count, const char *space, uint32_t value,
                    bool wrapped, const struct ds_code *code)
{
    ret[count] = (struct ds_code_meaning){space, value, wrapped, code};
    return count + 1;
}

unsigned ds_code_meanings(uint32_t value, struct ds_code_meaning ret[DS_CODE_MEANINGS])
{
    unsigned n = 0;
    const struct ds_code *code;
    /* Small numbers are Win32 errors far more often than success statuses; 0 is both. */
    if (value < 0x10000u && (code = ds_win32_find(value)) != NULL)
        n = add(ret, n, "Win32", value, false, code);
    /* HRESULT_FROM_NT sets one bit; a status with that bit set is never a plain NTSTATUS. */
    if ((value & FACILITY_NT_BIT) != 0 &&
        (code = ds_ntstatus_find(value & ~FACILITY_NT_BIT)) != NULL)
        n = add(ret, n, "NTSTATUS", value & ~FACILITY_NT_BIT, true, code);
    if ((code = ds_ntstatus_find(value)) != NULL)
        n = add(ret, n, "NTSTATUS", value, false, code);
    if ((code = ds_hresult_find(value)) != NULL)
        n = add(ret, n, "HRESULT", value, false, code);
    else if ((value & 0x80000000u) != 0 && ((value >> 16) & 0x1fffu) == FACILITY_WIN32)
        n = add(ret, n, "Win32", value & 0xffffu, true, ds_win32_find(value & 0xffffu));
    return n;
}

const struct ds_code *ds_code_at(size_t index)
{
    if (index < ds_ntstatus_table_count)
        return &ds_ntstatus_table[index];
    index -= ds_ntstatus_table_count;
    if (index < ds_hresult_table_count)
        return &ds_hresult_table[index];
    index -= ds_hresult_table_count;
    return index < ds_win32_table_count ? &ds_win32_table[index] : NULL;
}

unsigned ds_code_by_name(const char *name, uint32_t ret[2])
{
    unsigned n = 0;
    const struct ds_code *code;
    for (size_t i = 0; (code = ds_code_at(i)) != NULL && n < 2; i++)
        if (ds_text_casecmp(code->name, name) == 0 && (n == 0 || ret[0] != code->value))
            ret[n++] = code->value;
    return n;
}

/* "HRESULT 0x80070026, wraps Win32 error 38 (0x26) ERROR_HANDLE_EOF: text" */
static void put_meaning(uint32_t value, const struct ds_code_meaning *m, struct ds_buf *out)
{
    if (m->wrapped)
        ds_buf_printf(out, "HRESULT 0x%08X, wraps ", (unsigned)value);
    if (strcmp(m->space, "Win32") == 0)
        ds_buf_printf(out, "Win32 error %u (0x%X)", (unsigned)m->value, (unsigned)m->value);
    else
        ds_buf_printf(out, "%s 0x%08X", m->space, (unsigned)m->value);
    if (m->code == NULL)
        ds_buf_str(out, ", which has no name in the table");
    else
        ds_buf_printf(out, " %s%s%s", m->code->name, m->code->text[0] != '\0' ? ": " : "",
                      m->code->text);
    ds_buf_char(out, '\n');
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
    struct ds_code_meaning found[DS_CODE_MEANINGS];
    unsigned n = ds_code_meanings(value, found);
    for (unsigned i = 0; i < n; i++)
        put_meaning(value, &found[i], out);
    return n != 0 ? n : explain_bits(value, out);
}
