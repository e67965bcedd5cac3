/*
 * Kdump-compressed files (and diskdumps) of guest machines, as QEMU's dump-guest-memory -z and -l
 * and makedumpfile write them. Pages are read by libkdumpfile in a process of its own, so that a
 * hostile file can hurt that process only; built without it (KDUMPFILE=0, Windows), such files are
 * refused by name. Formats: struct disk_dump_header and kdump_sub_header of makedumpfile's
 * diskdump_mod.h; QEMU's include/sysemu/dump.h has the same. Private to src/dump.
 */
#ifndef DS_DUMP_KDUMP_H
#define DS_DUMP_KDUMP_H

#include "base/worker.h"
#include "dump/impl.h"

/* What the worker and its owner say to each other; all numbers little-endian.
 * Request: u32 what, u32 count, u64 first. */
#define DS_KDUMP_REQUEST 16u
enum ds_kdump_what {
    DS_KDUMP_OPEN = 1, /* reply: u32 0 or 1 (failed), char words[DS_KDUMP_WORDS] */
    DS_KDUMP_RUNS,     /* first = a physical address; reply: u32 runs, then so many {u64 physical
                        * address, u64 bytes}, ascending; fewer than `count` means the last */
    DS_KDUMP_READ, /* first = a physical address; reply: enum ds_status of each page, a byte, then
                    * the `count` pages */
};
#define DS_KDUMP_WORDS 160u
#define DS_KDUMP_RUNS_MAX 1024u
#define DS_KDUMP_PAGES_MAX 256u

/* kdump_worker.c: the life of the worker; NULL when built without libkdumpfile. */
typedef void ds_kdump_worker_fn(int file, struct ds_os_channel *c);
ds_kdump_worker_fn *ds_kdump_worker(void);

/* Looks at some pages and says in `integrity` when they cannot be unpacked. */
void ds_kdump_check(struct ds_dump *d);

#endif
