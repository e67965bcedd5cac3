#include "nt/codes.h"

#include "test.h"

static char text[2000];

/* The lines for one code. */
static const char *explain(uint32_t value, unsigned want_lines)
{
    struct ds_buf b;
    ds_buf_init(&b, sizeof(text));
    unsigned lines = ds_code_explain(value, &b);
    CHECK(ds_buf_ok(&b));
    CHECK_U64(lines, want_lines);
    snprintf(text, sizeof(text), "%s", ds_buf_text(&b));
    ds_buf_deinit(&b);
    return text;
}

static bool starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static void names_are_the_usual_ones(void)
{
    CHECK_STR(ds_ntstatus_find(0)->name, "STATUS_SUCCESS");
    CHECK_STR(ds_ntstatus_find(0xC0000005)->name, "STATUS_ACCESS_VIOLATION");
    CHECK_STR(ds_ntstatus_find(0x80000003)->name, "STATUS_BREAKPOINT");
    CHECK_STR(ds_ntstatus_find(0xC0000409)->name, "STATUS_STACK_BUFFER_OVERRUN");
    CHECK_STR(ds_hresult_find(0x80004005)->name, "E_FAIL");
    CHECK_STR(ds_win32_find(0)->name, "ERROR_SUCCESS");
    CHECK_STR(ds_win32_find(1)->name, "ERROR_INVALID_FUNCTION");
    CHECK_STR(ds_win32_find(38)->name, "ERROR_HANDLE_EOF");
    CHECK(ds_ntstatus_find(0xC0FFEE00) == NULL);
    CHECK(ds_win32_find(0xFFFFFFFF) == NULL);
}

static void wrappings_are_undone(void)
{
    CHECK(starts(explain(0xD0000147, 1),
                 "HRESULT 0xD0000147, wraps NTSTATUS 0xC0000147 STATUS_NO_PAGEFILE"));
    CHECK(starts(explain(0x80070026, 1),
                 "HRESULT 0x80070026, wraps Win32 error 38 (0x26) ERROR_HANDLE_EOF"));
    CHECK(starts(explain(0xC000000D, 1), "NTSTATUS 0xC000000D STATUS_INVALID_PARAMETER"));
}

static void small_numbers_have_two_meanings(void)
{
    explain(5, 1);
    CHECK(starts(text, "Win32 error 5 (0x5) ERROR_ACCESS_DENIED"));
    explain(0x102, 2);
    CHECK(starts(text, "Win32 error 258 (0x102) WAIT_TIMEOUT"));
    CHECK(strstr(text, "\nNTSTATUS 0x00000102 STATUS_TIMEOUT") != NULL);
}

static void unknown_codes_show_their_bits(void)
{
    CHECK(strstr(explain(0xC0FF1234, 1), "error, facility 0xFF, code 0x1234") != NULL);
    CHECK(strstr(explain(0xE06D7363, 1), "defined by an application or vendor") != NULL);
    explain(0x80137777, 2);
    CHECK(strstr(text, "warning, facility 0x13") != NULL);
    CHECK(strstr(text, "\nHRESULT 0x80137777 has no name in the table: failure") != NULL);
    CHECK(strstr(explain(0xD0FF1234, 1), "wraps an NTSTATUS 0xC0FF1234") != NULL);
}

static void names_lead_to_values(void)
{
    uint32_t values[2] = {0};
    CHECK_U64(ds_code_by_name("status_Access_violation", values), 1);
    CHECK_U64(values[0], 0xC0000005);
    CHECK_U64(ds_code_by_name("E_FAIL", values), 1);
    CHECK_U64(values[0], 0x80004005);
    CHECK_U64(ds_code_by_name("ERROR_HANDLE_EOF", values), 1);
    CHECK_U64(values[0], 38);
    CHECK_U64(ds_code_by_name("NO_SUCH_NAME", values), 0);
    CHECK_U64(ds_code_by_name("", values), 0);
    size_t count = 0;
    while (ds_code_at(count) != NULL)
        count++;
    CHECK(count > 3000);
    CHECK(ds_code_at(SIZE_MAX) == NULL);
}

static void meanings_are_structured(void)
{
    struct ds_code_meaning m[DS_CODE_MEANINGS];
    CHECK_U64(ds_code_meanings(0x8007ffff, m), 1);
    CHECK_STR(m[0].space, "Win32");
    CHECK(m[0].wrapped && m[0].code == NULL);
    CHECK_U64(m[0].value, 0xffff);
    CHECK_U64(ds_code_meanings(0xD0000147, m), 1);
    CHECK_STR(m[0].space, "NTSTATUS");
    CHECK_U64(m[0].value, 0xC0000147);
    CHECK_U64(ds_code_meanings(0xC0FF1234, m), 0);
}

TEST_MAIN(TEST(names_are_the_usual_ones), TEST(wrappings_are_undone),
          TEST(small_numbers_have_two_meanings), TEST(unknown_codes_show_their_bits),
          TEST(names_lead_to_values), TEST(meanings_are_structured))
