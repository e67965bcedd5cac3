/*
 * Page tables from the input: the first bytes choose mode and directory base, the rest is
 * physical memory from 0 on. Walks, explanations and the listing of the whole space agree with
 * one another and end within their limits. Corpus: *.none
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "memory/space.h"

#define BODY 0x2000u
#define PAGES 64u
#define RUNS 500u     /* of a listing; hostile tables have more than anyone waits for */
#define ENTRIES 5000u /* of a listing */
#define MANY 100u     /* addresses at once */

static void check_address(struct ds_space *s, uint64_t va)
{
    struct ds_explanation e;
    struct ds_fault f;
    uint64_t pa = 0;
    char text[DS_PTE_FLAGS_SIZE];
    ds_space_explain(s, va, &e);
    enum ds_status status = ds_space_translate(s, va, &pa, &f);
    if (status != e.status || (status == DS_OK && pa != e.pa) || e.count > DS_WALK_STEPS)
        abort();
    if (status != DS_OK && (f.status != status || f.state != e.fault.state))
        abort();
    for (unsigned i = 0; i < e.count; i++) {
        ds_pte_flags_text(ds_space_paging(s), e.steps[i].entry.value, e.steps[i].level, text);
        if (strlen(text) >= sizeof text || e.steps[i].name == NULL)
            abort();
    }
}

/* Many at once come to the same, with what is kept and without. */
static void check_many(struct ds_space *s, const uint64_t *va, size_t count)
{
    uint64_t pa[MANY], one = 0;
    enum ds_status status[MANY];
    for (int round = 0; round < 2; round++) {
        ds_space_translate_many(s, va, count, pa, status);
        for (size_t i = 0; i < count; i++) {
            if (ds_space_translate(s, va[i], &one, NULL) != status[i] ||
                (status[i] == DS_OK && one != pa[i]))
                abort();
        }
        ds_space_flush(s);
    }
}

static void check_space(struct ds_space *s)
{
    uint64_t va[MANY];
    size_t count = 0;
    struct ds_space_iter it = {.va = 0, .end = UINT64_MAX, .limit = ENTRIES};
    struct ds_space_run run;
    uint64_t next = 0;
    ds_space_set_pte_base(s, ds_space_self_map(s));
    for (unsigned i = 0; i < RUNS && ds_space_next_run(s, &it, &run) == DS_OK; i++) {
        if (run.size == 0 || run.va < next)
            abort();
        next = run.va + run.size;
        va[count++ % MANY] = run.va + (run.size / 2 & ~(uint64_t)0xfff);
        check_address(s, run.va);
        check_address(s, run.va + run.size - 1);
        if (next == 0)
            break;
    }
    if (it.entries > ENTRIES + 6)
        abort();
    check_many(s, va, count < MANY ? count : MANY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_space *s;
    if (size < 16)
        return 0;
    uint8_t *file = calloc(1, BODY + PAGES * 4096);
    if (file == NULL)
        return 0;
    memcpy(file, "PAGEDU64", 8);
    ds_put_le32(file + 0x30, 0x8664);
    ds_put_le32(file + 0x88, 1);
    ds_put_le64(file + 0x90, PAGES);
    ds_put_le64(file + 0xa0, PAGES);
    ds_put_le32(file + 0xf98, 1);
    size_t take = size - 16 < PAGES * 4096 ? size - 16 : PAGES * 4096;
    memcpy(file + BODY, data + 16, take);
    if (ds_source_memory_open(file, BODY + PAGES * 4096, &src, NULL) == DS_OK) {
        if (ds_dump_open(src, &d, NULL) != DS_OK) {
            ds_source_close(src);
        } else {
            enum ds_paging mode = (enum ds_paging)(data[0] % 6);
            struct ds_pte_layout l = {data[1] & 1,     12,         data[1] & 2, data[1] & 4,
                                      0x200000000000u, data[1] & 8};
            if (ds_space_open_paged(d, mode, ds_le64(data + 8) % (PAGES * 4096), &s, NULL) ==
                DS_OK) {
                ds_space_set_pte_layout(s, &l);
                check_space(s);
                ds_space_close(s);
            }
            ds_dump_close(d);
        }
    }
    free(file);
    return 0;
}
