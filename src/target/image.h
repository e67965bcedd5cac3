/* Which image is the kernel, and where it begins. Private to this room. */
#ifndef DS_TARGET_IMAGE_H
#define DS_TARGET_IMAGE_H

#include "symbols/pe.h"
#include "target/target.h"

/*
 * Whether the image at base is a Windows kernel: by the name in its export table, by its PDB, or
 * by the section POOLCODE that no other image has (Microsoft's symbol store; MemProcFS
 * vmm/vmmwininit.c). *how (static) says which. *pe gets its headers.
 */
bool ds_image_is_kernel(struct ds_space *space, uint64_t base, struct ds_pe *pe, const char **how);

/*
 * Goes down page by page from an address in the kernel to the image that holds it. Errors:
 * DS_NOT_FOUND, DS_LIMIT.
 */
enum ds_status ds_image_below(struct ds_space *space, uint64_t va, uint64_t *base) DS_MUST_CHECK;

/*
 * Looks at every mapped page where the architecture's kernel can be, and then at the rest of
 * kernel space. Errors: DS_NOT_FOUND, DS_LIMIT (gave up).
 */
enum ds_status ds_image_search(struct ds_space *space, uint64_t *base,
                               const char **how) DS_MUST_CHECK;

#endif
