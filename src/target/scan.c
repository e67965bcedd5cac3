#include "target/scan.h"

#include "base/checked.h"
#include "base/limits.h"

#define BATCH 16u /* pages read at once where the source gives no pointer */

/* The pages of one run; *left counts down. False when `each` stopped or the pages are used up. */
static bool scan_run(struct ds_dump *dump, const struct ds_phys_run *run, uint64_t *left,
                     ds_page_fn *each, void *arg)
{
    uint8_t batch[BATCH * DS_SCAN_PAGE];
    uint64_t have_from = 0, have_to = 0;
    for (uint64_t off = 0; off + DS_SCAN_PAGE <= run->size; off += DS_SCAN_PAGE) {
        uint64_t pa = run->pa + off;
        if (*left == 0) {
            return false;
        }
        (*left)--;
        const uint8_t *page = ds_dump_phys_pointer(dump, pa, DS_SCAN_PAGE);
        if (page == NULL && !(pa >= have_from && pa < have_to)) {
            uint64_t rest = (run->size - off) & ~(uint64_t)(DS_SCAN_PAGE - 1);
            size_t want = rest < sizeof(batch) ? (size_t)rest : sizeof(batch);
            if (ds_dump_read_phys(dump, pa, batch, want, NULL) != DS_OK) {
                want = DS_SCAN_PAGE;
                if (ds_dump_read_phys(dump, pa, batch, want, NULL) != DS_OK) {
                    continue;
                }
            }
            have_from = pa;
            have_to = pa + want;
        }
        if (page == NULL) {
            page = batch + (pa - have_from);
        }
        if (!each(arg, pa, page, DS_SCAN_PAGE)) {
            return false;
        }
    }
    return true;
}

enum ds_status ds_scan_physical(struct ds_dump *dump, uint64_t pages, ds_page_fn *each, void *arg)
{
    uint64_t left = pages;
    struct ds_phys_run run = {0};
    while (ds_dump_phys_next(dump, run.pa + run.size, &run.pa, &run.size)) {
        if (!scan_run(dump, &run, &left, each, arg)) {
            return left == 0 ? DS_LIMIT : DS_OK;
        }
        if (run.size > UINT64_MAX - run.pa - 1) {
            break;
        }
    }
    return DS_OK;
}

enum ds_status ds_scan_virtual(struct ds_space *space, uint64_t va, uint64_t size, ds_page_fn *each,
                               void *arg)
{
    uint8_t buf[DS_SCAN_PAGE + DS_SCAN_TAIL];
    enum ds_status end = DS_OK;
    uint64_t last;
    if (size > DS_LIMIT_KERNEL_SCAN) {
        size = DS_LIMIT_KERNEL_SCAN;
        end = DS_LIMIT;
    }
    if (size == 0 || ds_add_overflows(va, size - 1, &last)) {
        return size == 0 ? end : DS_CORRUPT;
    }
    va &= ~(uint64_t)(DS_SCAN_PAGE - 1);
    for (uint64_t count = (last - va) / DS_SCAN_PAGE + 1; count != 0; count--) {
        if (ds_space_read(space, va, buf, DS_SCAN_PAGE, NULL) == DS_OK) {
            size_t len = DS_SCAN_PAGE;
            if (count > 1 && ds_space_read(space, va + DS_SCAN_PAGE, buf + DS_SCAN_PAGE,
                                           DS_SCAN_TAIL, NULL) == DS_OK) {
                len += DS_SCAN_TAIL;
            }
            if (!each(arg, va, buf, len)) {
                return DS_OK;
            }
        }
        va += DS_SCAN_PAGE;
    }
    return end;
}
