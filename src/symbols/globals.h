/*
 * Addresses of kernel globals without a symbol table: RVAs by exact kernel, of the globals that
 * analysis needs and KDDEBUGGER_DATA64 does not carry. Source: data/layouts/nt-globals.tsv.
 */
#ifndef DS_SYMBOLS_GLOBALS_H
#define DS_SYMBOLS_GLOBALS_H

#include "symbols/layout.h"

/*
 * RVA of "PspCidTable" in the kernel image. The kernel must be the very one: by PDB id, else by
 * build and revision when id->pdb is "". Code moves with every revision, so there is no nearest.
 * Errors: DS_NO_SYMBOL (this kernel, or this name, is not listed).
 */
enum ds_status ds_globals_find(const struct ds_kernel_id *id, const char *name,
                               uint32_t *rva) DS_MUST_CHECK;

/*
 * PDB id ("GUID-AGE", static) of the kernel of this architecture, build and revision, for images
 * whose debug directory was not captured. id->pdb is ignored. NULL when not listed.
 */
const char *ds_globals_pdb(const struct ds_kernel_id *id);

#endif
