/*
 * What the secondary data say of the machine as a whole: an id that is the same in all dumps of
 * one machine (docs/machine-id.md), and whether it is a virtual one, with the evidence.
 */
#ifndef DS_DUMP_MACHINE_H
#define DS_DUMP_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/md5.h"
#include "dump/dump.h"
#include "dump/smbios.h"

struct ds_machine_id {
    char id[2 * DS_MD5_SIZE + 1]; /* 32 hex digits, or "" when it cannot be told */
    const char *basis;            /* "UUID and board serial", "UUID", "board serial"; NULL */
    char why_not[200];            /* why there is none, or why a part was left out; "" */
};

/* The id of an identity; static words, nothing of the identity itself in the texts. */
void ds_machine_id_make(const struct ds_smbios_identity *identity, struct ds_machine_id *ret);
/* The id of the dump's machine: unknown, saying so, for a dump without an SMBIOS table. */
void ds_machine_id_read(struct ds_dump *d, struct ds_machine_id *ret);

/* Whether the machine is virtual. */
enum ds_virtual { DS_VIRTUAL_UNKNOWN, DS_VIRTUAL_NO, DS_VIRTUAL_YES };
const char *ds_virtual_name(enum ds_virtual v); /* "unknown", "no", "yes" */

#define DS_MACHINE_EVIDENCE 24

/* One thing that speaks of it. */
struct ds_machine_evidence {
    const char *source;   /* "SMBIOS manufacturer", "ACPI OEM id", "CPUID leaf 1", ..; static */
    char found[64];       /* what stands there */
    const char *platform; /* "VMware"; NULL when it names none; static */
    enum ds_virtual says; /* what it speaks for */
};

struct ds_machine {
    enum ds_virtual is_virtual;
    const char *platform; /* by the strongest evidence that names one; static; NULL */
    struct ds_machine_evidence evidence[DS_MACHINE_EVIDENCE];
    size_t evidence_count; /* those that fit */
    char oem[64];          /* who made the firmware's tables, by ACPI: "ALASKA A M I"; "" */
};

/* Reads what there is; every part may be absent. */
void ds_machine_read(struct ds_dump *d, struct ds_machine *ret);

#endif
