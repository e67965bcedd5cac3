#include "nt/bugcheck.h"

#include "test.h"

static void table_is_sorted(void)
{
    CHECK(ds_bugcheck_count() > 400);
    for (size_t i = 0; i < ds_bugcheck_count(); i++) {
        const struct ds_bugcheck_doc *d = ds_bugcheck_at(i);
        CHECK(i == 0 || ds_bugcheck_at(i - 1)->code < d->code);
        CHECK(d->name[0] != '\0' && d->source[0] != '\0' && d->text != NULL);
        CHECK(ds_bugcheck_find(d->code) == d);
        for (size_t s = 0; s < d->subcode_count; s++) {
            CHECK(d->subcodes[s].value <= d->subcodes[s].last);
            CHECK(s == 0 || d->subcodes[s - 1].last < d->subcodes[s].value);
        }
    }
    CHECK(ds_bugcheck_at(ds_bugcheck_count()) == NULL);
}

static void flags_are_stripped(void)
{
    CHECK_STR(ds_bugcheck_find(0xA)->name, "IRQL_NOT_LESS_OR_EQUAL");
    CHECK_STR(ds_bugcheck_find(0x1000007E)->name, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED_M");
    CHECK_STR(ds_bugcheck_find(0x4000009F)->name, "DRIVER_POWER_STATE_FAILURE");
    CHECK_STR(ds_bugcheck_find(0x100000D1)->name, "DRIVER_IRQL_NOT_LESS_OR_EQUAL");
    CHECK_STR(ds_bugcheck_find(0x4000008A)->name, "THREAD_TERMINATE_HELD_MUTEX");
    CHECK_STR(ds_bugcheck_find(0xC000021A)->name, "WINLOGON_FATAL_ERROR");
    CHECK_STR(ds_bugcheck_find(0xDEADDEAD)->name, "MANUALLY_INITIATED_CRASH1");
    CHECK(ds_bugcheck_find(0x12345678) == NULL);
    CHECK(ds_bugcheck_find(0) == NULL);
    CHECK_U64(ds_bugcheck_base(0x1000007E), 0x7E);
    CHECK_U64(ds_bugcheck_base(0x4000008A), 0x8A);
    CHECK_U64(ds_bugcheck_base(0xC000021A), 0xC000021A);
    CHECK_U64(ds_bugcheck_base(0xDEADDEAD), 0xDEADDEAD);
}

static void described_codes_are_whole(void)
{
    size_t described = 0, rows = 0;
    for (size_t i = 0; i < ds_bugcheck_count(); i++) {
        const struct ds_bugcheck_doc *d = ds_bugcheck_at(i);
        rows += d->subcode_count;
        if (d->text[0] == '\0')
            continue;
        described++;
        for (unsigned p = 0; p < 4; p++) {
            const struct ds_param_doc *q = &d->params[p];
            CHECK(q->text != NULL || q->type == DS_PARAM_UNKNOWN);
            CHECK((q->type == DS_PARAM_OBJECT) == (q->object[0] != '\0'));
            CHECK((q->type == DS_PARAM_SUBCODE) == ((int)p == d->subcode_param));
        }
        CHECK((d->subcode_param >= 0) == (d->subcode_count > 0));
    }
    CHECK(described >= 350);
    CHECK(rows >= 1300);
}

static void the_exception_codes_are_typed(void)
{
    const struct ds_bugcheck_doc *d = ds_bugcheck_find(0x7E);
    CHECK(d->params[0].type == DS_PARAM_NTSTATUS);
    CHECK(d->params[1].type == DS_PARAM_CODE);
    CHECK_STR(d->params[2].object, "_EXCEPTION_RECORD");
    CHECK_STR(d->params[3].object, "_CONTEXT");
    CHECK_STR(d->source, "bug-check-0x7e--system-thread-exception-not-handled.md");
    const struct ds_bugcheck_doc *m = ds_bugcheck_find(0x1000007E);
    CHECK_STR(m->text, d->text);
    CHECK_STR(m->params[3].object, "_CONTEXT");
    CHECK_STR(m->source, "bug-check-0x1000007e--system-thread-exception-not-handled-m.md");
    d = ds_bugcheck_find(0x3B);
    CHECK_STR(d->params[2].object, "_CONTEXT");
    d = ds_bugcheck_find(0x1E);
    CHECK(d->params[2].type == DS_PARAM_NUMBER && d->params[3].type == DS_PARAM_NUMBER);
    d = ds_bugcheck_find(0xA);
    CHECK(d->params[0].type == DS_PARAM_ADDRESS && d->params[1].type == DS_PARAM_IRQL);
    CHECK(d->params[2].type == DS_PARAM_ACCESS && d->params[3].type == DS_PARAM_CODE);
}

static const struct ds_bugcheck_subcode *sub(uint32_t code, uint64_t p1, uint64_t p2, uint64_t p4)
{
    const uint64_t params[4] = {p1, p2, 0, p4};
    return ds_bugcheck_subcode(ds_bugcheck_find(code), params);
}

static void subcodes_are_found(void)
{
    const struct ds_bugcheck_subcode *s = sub(0x139, 3, 0, 0);
    CHECK(s != NULL);
    CHECK_STR(s->name, "FAST_FAIL_CORRUPT_LIST_ENTRY");
    s = sub(0x9F, 3, 0, 0);
    CHECK(s != NULL);
    CHECK_STR(s->params[3].object, "_IRP");
    CHECK_STR(ds_bugcheck_param(ds_bugcheck_find(0x9F), s, 1)->object, "_DEVICE_OBJECT");
    /* The sub-code of 0xC1 and 0x109 is the fourth parameter, of 0x14F the second. */
    CHECK(sub(0xC1, 0, 0, 0x23) != NULL);
    CHECK(sub(0x109, 0, 0, 0x102) != NULL);
    CHECK(sub(0x14F, 0, 2, 0) != NULL);
    /* Ranges, both ends and outside. */
    CHECK(sub(0x27, 0xCA550000, 0, 0) != NULL && sub(0x27, 0xCA55FFFF, 0, 0) != NULL);
    CHECK(sub(0x27, 0xCA560000, 0, 0) == NULL);
    CHECK(sub(0x7A, 0xFFFFF68000001000, 0, 0) != NULL && sub(0x7A, UINT64_MAX, 0, 0) != NULL);
    CHECK(sub(0x1A, 0x41792, 0, 0) != NULL && sub(0x1A, 0x41791, 0, 0) == NULL);
    CHECK(sub(0xC4, 0x2000A, 0, 0) != NULL);
    CHECK_STR(sub(0x1C4, 0x71001, 0, 0)->name, "PcIrqlDDIs");
    CHECK(sub(0x139, 0x100000003, 0, 0) == NULL);
    CHECK(sub(0xA, 1, 2, 3) == NULL);
}

static void an_unknown_selector_selects_nothing(void)
{
    struct ds_opt params[4] = {ds_opt_known(0), ds_opt_known(0), ds_opt_known(0), ds_opt_known(0)};
    const struct ds_bugcheck_doc *d = ds_bugcheck_find(0x139);
    CHECK(sub(0x139, 0, 0, 0) != NULL); /* there is a sub-code 0 that could be taken for it */
    CHECK(ds_bugcheck_subcode_known(d, params) == sub(0x139, 0, 0, 0));
    params[3] = ds_opt_unknown(DS_TRUNCATED); /* another parameter may well be unknown */
    CHECK(ds_bugcheck_subcode_known(d, params) == sub(0x139, 0, 0, 0));
    params[0] = ds_opt_unknown(DS_TRUNCATED);
    CHECK(ds_bugcheck_subcode_known(d, params) == NULL);
    CHECK(ds_bugcheck_subcode_known(ds_bugcheck_find(0xA), params) == NULL);
}

static void live_dumps_are_marked(void)
{
    CHECK(ds_bugcheck_find(0x161)->live && !ds_bugcheck_find(0x161)->also_live);
    CHECK(ds_bugcheck_find(0x117)->live);
    CHECK(!ds_bugcheck_find(0x124)->live && ds_bugcheck_find(0x124)->also_live);
    CHECK(!ds_bugcheck_find(0xA)->live && !ds_bugcheck_find(0xA)->also_live);
}

TEST_MAIN(TEST(table_is_sorted), TEST(flags_are_stripped), TEST(described_codes_are_whole),
          TEST(the_exception_codes_are_typed), TEST(subcodes_are_found),
          TEST(an_unknown_selector_selects_nothing), TEST(live_dumps_are_marked))
