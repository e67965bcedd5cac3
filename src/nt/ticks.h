/* The clock that waits and processor times are counted in. */
#ifndef DS_NT_TICKS_H
#define DS_NT_TICKS_H

#include "nt/nt.h"

/*
 * Length of a clock tick in 100 ns, read, never assumed: the kernel's KeTimeIncrement, else its
 * KeMaximumIncrement, else TickCountMultiplier of KUSER_SHARED_DATA, else the uptime over what a
 * processor has counted. 0: not to be known. *source (may be NULL) is static: " (by ...)", ""
 * when it is the kernel's own variable.
 */
uint64_t ds_nt_tick_length(struct ds_nt *nt, const char **source);

/*
 * Ticks since the system started, 64 bits: KeTickCount, where the kernel has that variable, else
 * TickCount of KUSER_SHARED_DATA. Unknown when neither can be read, or both are zero.
 */
struct ds_opt ds_nt_tick_count(struct ds_nt *nt);

/* Address of KUSER_SHARED_DATA as kernel mode sees it (ntddk.h). */
uint64_t ds_nt_shared_data(const struct ds_target *t);

#endif
