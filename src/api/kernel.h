/* What the program's own commands see of a snapshot beside the public functions. */
#ifndef DS_API_KERNEL_H
#define DS_API_KERNEL_H

#include "dumpscan/dumpscan.h"
#include "nt/nt.h"

/* The kernel of a snapshot, found on first use; borrowed from it. Errors: DS_NO_MEMORY. */
enum ds_status ds_snapshot_nt(struct ds_snapshot *s, struct ds_nt **ret,
                              struct ds_err *err) DS_MUST_CHECK;

#endif
