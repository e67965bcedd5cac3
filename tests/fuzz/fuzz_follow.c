/*
 * Any bugcheck with any parameters over hostile memory: what they lead to. Input: code (u32), four
 * parameters (u64), then the bytes of two pages at HOSTILE. A parameter, or an aligned word of the
 * pages, whose high half is POINTER stands for an address in these pages, so that structures can
 * point at one another. The kernel around them is a healthy one. Corpus: no-fixture
 */
#include "../unit/kernel_maker.h"
#include "nt/bugcheck.h"

#define HOSTILE UINT64_C(0xffffc08000800000)
#define ROOM 0x2000u
#define POINTER UINT64_C(0x5a5a5a5a)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t value_of(uint64_t raw)
{
    return raw >> 32 == POINTER ? HOSTILE + (raw & (ROOM - 1)) : raw;
}

static void fill(struct kernel *k, const uint8_t *data, size_t size)
{
    for (size_t page = 0; page < ROOM; page += 4096) {
        uint8_t *at = maker_va(&k->m, HOSTILE + page);
        for (size_t i = 0; i < 4096; i += 8) {
            uint8_t word[8] = {0};
            if (page + i < size) {
                size_t n = size - page - i < 8 ? size - page - i : 8;
                memcpy(word, data + page + i, n);
            }
            ds_put_le64(at + i, value_of(ds_le64(word)));
        }
    }
}

static void check_facts(const struct ds_bugcheck_facts *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct ds_bugcheck_fact *r = &f->rows[i];
        if (r->parameter < 1 || r->parameter > 4 || r->name == NULL || r->name[0] == '\0')
            __builtin_trap();
        if (i > 0 && r->parameter < f->rows[i - 1].parameter)
            __builtin_trap();
        if (r->meaning != NULL && strlen(r->meaning) > 511)
            __builtin_trap();
    }
}

static void check_samples(const struct ds_dpc_samples *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rows[i].pc == 0 || s->rows[i].processor > 1)
            __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kernel k;
    static bool made;
    uint64_t p[4];
    if (size < 36)
        return 0;
    if (!made)
        kernel_open(&k);
    made = true;
    uint32_t code = ds_le32(data);
    if (ds_bugcheck_find(code) == NULL)
        code = ds_bugcheck_at(code % ds_bugcheck_count())->code;
    for (size_t i = 0; i < 4; i++)
        p[i] = value_of(ds_le64(data + 4 + 8 * i));
    fill(&k, data + 36, size - 36);
    /* Each processor's profile and control block may be hostile as well. */
    kernel_set(&k, PRCB(1), "_KPRCB", "DpcWatchdogProfile", HOSTILE);
    kernel_set(&k, PRCB(1), "_KPRCB", "Context", HOSTILE);
    kernel_bugcheck(&k, code, p[0], p[1], p[2], p[3]);
    struct ds_nt *nt = kernel_nt(&k);
    check_facts(ds_nt_bugcheck_facts(nt));
    check_samples(ds_nt_dpc_samples(nt));
    (void)ds_nt_whea(nt);
    ds_nt_close(nt);
    return 0;
}
