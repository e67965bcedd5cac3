/*
 * VMware's saved states (.vmss of a suspended machine, .vmsn of a snapshot): groups of named,
 * indexed values, among them the registers of each processor and where the pages of the .vmem file
 * belong. Private to src/dump. Format: as the open readers of crash-utility (vmware_vmss.h: magic
 * numbers, tags, register names) and Volatility 3 (layers/vmware.py) publish it.
 */
#ifndef DS_DUMP_VMWARE_H
#define DS_DUMP_VMWARE_H

#include "dump/guest_cpu.h"

struct ds_vmware_tag {
    char name[256];
    unsigned index_count; /* 0 to 3 */
    uint32_t index[3];
    uint64_t value; /* of a value of at most 8 bytes */
    uint64_t at;    /* file offset of the value or block */
    uint64_t size;  /* bytes there */
    bool block, compressed;
};

/* The magic number of a saved state. */
bool ds_vmware_probe(const uint8_t *head, size_t have);

/*
 * Gives the tags of a group until `each` returns false. Errors: DS_NOT_FOUND (no such group),
 * DS_TRUNCATED, DS_LIMIT, DS_IO.
 */
enum ds_status ds_vmware_tags(struct ds_source *state, const char *group,
                              bool (*each)(void *arg, const struct ds_vmware_tag *tag),
                              void *arg) DS_MUST_CHECK;

/*
 * Opens d over a saved state and the memory beside it (NULL: inside the state, or nowhere). The
 * memory becomes d->src. Errors: DS_NOT_DUMP (no memory), DS_UNSUPPORTED (compressed).
 */
enum ds_status ds_vmware_open(struct ds_dump *d, struct ds_source *state, struct ds_source *memory,
                              struct ds_err *err) DS_MUST_CHECK;

#endif
