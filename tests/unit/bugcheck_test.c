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

TEST_MAIN(TEST(table_is_sorted), TEST(flags_are_stripped))
