#include "nt/explain.h"

#include "test.h"

static char text[65536];

static const char *explain(uint32_t code, const uint64_t params[4], unsigned known, bool want)
{
    struct ds_buf b;
    ds_buf_init(&b, sizeof(text) - 1);
    CHECK(ds_bugcheck_explain(code, params, known, &b) == want);
    CHECK(ds_buf_ok(&b));
    snprintf(text, sizeof(text), "%s", ds_buf_text(&b));
    ds_buf_deinit(&b);
    return text;
}

static const char *value(uint32_t code, unsigned param, uint64_t v, enum ds_arch arch)
{
    const struct ds_bugcheck_doc *doc = ds_bugcheck_find(code);
    uint64_t params[4] = {0};
    params[param] = v;
    const struct ds_bugcheck_subcode *sub = ds_bugcheck_subcode(doc, params);
    struct ds_buf b;
    ds_buf_init(&b, 2000);
    bool said = ds_bugcheck_value_explain(doc, sub, param, v, arch, &b);
    snprintf(text, sizeof(text), "%s", ds_buf_text(&b));
    CHECK(said == (text[0] != '\0'));
    ds_buf_deinit(&b);
    return text;
}

static bool has(const char *needle)
{
    return strstr(text, needle) != NULL;
}

static void irqls_differ_by_architecture(void)
{
    CHECK_STR(ds_irql_name(DS_ARCH_X64, 0), "PASSIVE_LEVEL");
    CHECK_STR(ds_irql_name(DS_ARCH_UNKNOWN, 2), "DISPATCH_LEVEL");
    CHECK_STR(ds_irql_name(DS_ARCH_X64, 13), "CLOCK_LEVEL");
    CHECK_STR(ds_irql_name(DS_ARCH_X86, 13), "device interrupt level");
    CHECK_STR(ds_irql_name(DS_ARCH_X86, 28), "CLOCK_LEVEL");
    CHECK_STR(ds_irql_name(DS_ARCH_ARM64, 15), "HIGH_LEVEL");
    CHECK(ds_irql_name(DS_ARCH_X64, 16) == NULL);
    CHECK(ds_irql_name(DS_ARCH_X86, 32) == NULL);
    CHECK(ds_irql_name(DS_ARCH_UNKNOWN, 13) == NULL);
    CHECK(ds_irql_name(DS_ARCH_X64, UINT64_MAX) == NULL);
}

static void access_kinds_differ_by_code(void)
{
    CHECK_STR(ds_bugcheck_access(ds_bugcheck_find(0x50), 1, 2), "write");
    CHECK_STR(ds_bugcheck_access(ds_bugcheck_find(0x50), 1, 0x10), "execute");
    CHECK_STR(ds_bugcheck_access(ds_bugcheck_find(0xD1), 2, 2), "execute");
    CHECK_STR(ds_bugcheck_access(ds_bugcheck_find(0xA), 2, 1), "write");
    CHECK_STR(ds_bugcheck_access(ds_bugcheck_find(0xD5), 1, 0), "read");
    CHECK(ds_bugcheck_access(ds_bugcheck_find(0xA), 2, 7) == NULL);
    CHECK(ds_bugcheck_access(ds_bugcheck_find(0xA), 0, 0) == NULL);
    CHECK(ds_bugcheck_access(ds_bugcheck_find(0xA), 4, 0) == NULL);
}

static void values_are_interpreted(void)
{
    CHECK(strstr(value(0x7E, 0, 0xFFFFFFFFC0000005, DS_ARCH_X64), "STATUS_ACCESS_VIOLATION"));
    CHECK(strstr(value(0x7E, 0, 0xC0000005, DS_ARCH_X64), "STATUS_ACCESS_VIOLATION"));
    value(0x7E, 0, 0x123456789, DS_ARCH_X64);
    CHECK(has("more than 32 bits"));
    CHECK_STR(value(0xD1, 0, 0x28, DS_ARCH_X64), "close to zero: a NULL pointer plus an offset");
    CHECK_STR(value(0xD1, 0, 0x8000000000000000, DS_ARCH_X64),
              "not a canonical address with four-level paging");
    CHECK_STR(value(0xD1, 0, 0xFFFFF80012345678, DS_ARCH_X64), "");
    CHECK_STR(value(0x161, 0, 0x5461736B6D6772, DS_ARCH_X64),
              "as text \"rgmksaT\", from the other end \"Taskmgr\"");
    CHECK_STR(value(0x101, 0, 0x10, DS_ARCH_X64), "16 in decimal");
    value(0x50, 3, 2, DS_ARCH_X64);
    CHECK(has("NONPAGED_BUGCHECK_NOT_PRESENT_PAGE_TABLE"));
}

static void a_code_is_explained(void)
{
    const uint64_t p[4] = {3, 0xFFFFC00112345678, 0xFFFFF80112345678, 0xFFFFC00187654321};
    explain(0x9F, p, 0, true);
    CHECK(has("0x0000009F DRIVER_POWER_STATE_FAILURE\n"));
    CHECK(has("Sub-codes (P1):\n") && has("  0x500  "));
    CHECK(has("/debugger/bug-check-0x9f--driver-power-state-failure\n"));
    explain(0x9F, p, 0xF, true);
    CHECK(!has("Sub-codes (P1):\n"));
    CHECK(has("  P4 = 0xFFFFC00187654321  [pointer to _IRP]"));
    explain(0x4000009F, p, 0xF, true);
    CHECK(has("0x4000009F DRIVER_POWER_STATE_FAILURE\nA variant of 0x0000009F."));
}

static void what_is_not_known_is_said(void)
{
    const uint64_t p[4] = {0x41791, 0, 0, 0};
    explain(0x1A, p, 1, true);
    CHECK(has("sub-code 0x41791 is not in table edition 20") && has(" of 0x1A"));
    explain(0x12345678, p, 0, false);
    CHECK(has("Bugcheck 0x12345678 is not in table edition 20"));
    explain(0xE5, p, 0, true);
    CHECK(has("POWER_FAILURE_SIMULATE") && has("no more than the name"));
    /* Every code, bare and with every parameter at its extremes. */
    const uint64_t high[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < ds_bugcheck_count(); i++) {
        explain(ds_bugcheck_at(i)->code, p, 0, true);
        explain(ds_bugcheck_at(i)->code, high, 0xF, true);
    }
}

TEST_MAIN(TEST(irqls_differ_by_architecture), TEST(access_kinds_differ_by_code),
          TEST(values_are_interpreted), TEST(a_code_is_explained), TEST(what_is_not_known_is_said))
