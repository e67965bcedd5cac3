/* Going through memory page by page while the kernel is looked for. Private to this room. */
#ifndef DS_TARGET_SCAN_H
#define DS_TARGET_SCAN_H

#include "memory/space.h"

#define DS_SCAN_PAGE 4096u
#define DS_SCAN_TAIL 0x20u /* bytes of the following page that a virtual scan shows as well */

/* Gets one page at `address` (page-aligned); len is 4096, or more with a tail. False: stop. */
typedef bool ds_page_fn(void *arg, uint64_t address, const uint8_t *page, size_t len);

/*
 * Captured physical pages in ascending order. DS_OK at the end or when `each` stopped it; DS_LIMIT
 * after `pages` pages.
 */
enum ds_status ds_scan_physical(struct ds_dump *dump, uint64_t pages, ds_page_fn *each,
                                void *arg) DS_MUST_CHECK;

/*
 * The pages of [va, va + size) that can be read, in ascending order, each with up to DS_SCAN_TAIL
 * bytes behind it. At most DS_LIMIT_KERNEL_SCAN bytes: DS_LIMIT then, after those.
 */
enum ds_status ds_scan_virtual(struct ds_space *space, uint64_t va, uint64_t size, ds_page_fn *each,
                               void *arg) DS_MUST_CHECK;

#endif
