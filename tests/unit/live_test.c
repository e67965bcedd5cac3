/* Whether the system crashed at all, and who asked for the dump if it did not. */
#include "nt/live.h"

#include "kernel_maker.h"
#include "nt/bugcheck.h"
#include "rules/rules.h"

static struct kernel k;

#define FILLER 0x45474150u

static void set_header(uint32_t code, uint64_t p1, uint64_t p2, uint32_t attributes)
{
    ds_put_le32(k.m.file + 0x38, code);
    ds_put_le64(k.m.file + 0x40, p1);
    ds_put_le64(k.m.file + 0x48, p2);
    ds_put_le64(k.m.file + 0x50, 0);
    ds_put_le64(k.m.file + 0x58, 0);
    ds_put_le32(k.m.file + 0x1050, attributes);
}

struct expected {
    uint32_t code, attributes;
    int live; /* -1: unknown */
};

static void the_header_says_whether_it_crashed(void)
{
    static const struct expected cases[] = {
        {0xd1, 0, 0},          {0xd1, FILLER, 0},  {0xd1, 0x10, 1},   {0x161, 0, 1},
        {0x161, FILLER, 1},    {0x156, 0, 1},      {0x144, 0x10, 1},  {0x144, 0, 0},
        {0x144, FILLER, -1},   {0x124, 0x18, 1},   {0x124, 0x8, 0},   {0, 0, 1},
        {0, 0x10, 1},          {FILLER, 0, -1},    {FILLER, 0x10, 1}, {0x7ffffff, 0, 0},
        {0x100000d1, 0x10, 1}, {0x100000d1, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        kernel_open(&k);
        set_header(cases[i].code, 1, 2, cases[i].attributes);
        struct ds_nt *nt = kernel_nt(&k);
        const struct ds_live *l = ds_nt_live(nt);
        bool right = cases[i].live < 0 ? !l->live.known
                                       : l->live.known && l->live.value == (uint64_t)cases[i].live;
        if (!right)
            printf("    case %zu: %s\n", i, l->evidence);
        CHECK(right);
        CHECK(l->evidence != NULL);
        CHECK(cases[i].live != 1 || l->asked_how != NULL);
        CHECK(cases[i].live == 1 || l->asked_by == NULL);
        CHECK(ds_nt_live(nt) == l);
        ds_nt_close(nt);
        kernel_close(&k);
    }
}

static void expect_asker(uint64_t p1, uint64_t p2, uint32_t attributes, const char *asked_by)
{
    kernel_open(&k);
    set_header(0x161, p1, p2, attributes);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_live *l = ds_nt_live(nt);
    CHECK(l->on_request);
    CHECK_STR(l->asked_by, asked_by);
    ds_nt_close(nt);
    kernel_close(&k);
}

static void code_161_says_who_asked(void)
{
    expect_asker(0x005461736b6d6772, 0, 0x10, "Task Manager");
    expect_asker(0x5461736b6d6772, 7, FILLER, "Task Manager");
    expect_asker(0x4d79546f6f6c, 0, 0x10, "MyTool");
    expect_asker(0x5463, 0, 0x10, "an administrator, or a program with that right");
    expect_asker(0x5461730a6d6772, 0, 0x10, "an administrator, or a program with that right");
    expect_asker(UINT64_MAX, 0, 0x10, "an administrator, or a program with that right");
    expect_asker(0, 0, 0x10, "an administrator, or a program with that right");
    expect_asker(0, 1, 0, "an administrator, or a program with that right");
    expect_asker(0, 0, 0, "QEMU's dump-guest-memory command, most likely");
    expect_asker(0, 0, FILLER, "QEMU's dump-guest-memory command, most likely");
}

static void every_live_code_has_its_component(void)
{
    for (uint32_t code = 1; code < 0x3000; code++) {
        const struct ds_bugcheck_doc *doc = ds_bugcheck_find(code);
        if (doc == NULL || !(doc->live || doc->also_live) || code == 0x161)
            continue;
        bool found = false;
        for (size_t i = 0; i < ds_live_component_count; i++)
            found = found || ds_live_components[i].code == code;
        if (!found)
            printf("    no component for 0x%x\n", (unsigned)code);
        CHECK(found);
    }
    for (size_t i = 0; i < ds_live_component_count; i++) {
        const struct ds_bugcheck_doc *doc = ds_bugcheck_find(ds_live_components[i].code);
        CHECK(doc != NULL && (doc->live || doc->also_live));
    }
}

static struct ds_verdict verdict_of(uint32_t code, uint32_t attributes, enum ds_culprit_kind kind)
{
    kernel_open(&k);
    set_header(code, 0, 0, attributes);
    struct ds_nt *nt = kernel_nt(&k);
    struct ds_verdict v = {
        .culprit = {kind, "a.sys", "a+1", "because", "high"},
        .runners_up = {{DS_CULPRIT_DRIVER, "b.sys", NULL, "also", "low"}},
        .runner_up_count = 1,
    };
    ds_verdict_live(nt, &v);
    ds_nt_close(nt);
    kernel_close(&k);
    return v;
}

static void nobody_is_blamed_for_a_live_dump(void)
{
    struct ds_verdict v = verdict_of(0x161, 0x10, DS_CULPRIT_DRIVER);
    CHECK(v.culprit.kind == DS_CULPRIT_UNKNOWN && v.culprit.module == NULL);
    CHECK_U64(v.runner_up_count, 0);
    v = verdict_of(0x156, 0x10, DS_CULPRIT_DRIVER);
    CHECK(v.culprit.kind == DS_CULPRIT_UNKNOWN && v.culprit.module == NULL);
    CHECK_U64(v.runner_up_count, 2);
    CHECK_STR(v.runners_up[0].module, "a.sys");
    CHECK_STR(v.runners_up[1].module, "b.sys");
    CHECK(v.culprit.confidence != NULL);
    v = verdict_of(0x124, 0x10, DS_CULPRIT_HARDWARE);
    CHECK(v.culprit.kind == DS_CULPRIT_HARDWARE);
    v = verdict_of(0xd1, 0, DS_CULPRIT_DRIVER);
    CHECK_STR(v.culprit.module, "a.sys");
    CHECK_U64(v.runner_up_count, 1);
}

TEST_MAIN(TEST(the_header_says_whether_it_crashed), TEST(code_161_says_who_asked),
          TEST(every_live_code_has_its_component), TEST(nobody_is_blamed_for_a_live_dump))
