/*
 * What the parameters of a bugcheck lead to: the state that its followers share. A follower adds
 * rows; it never fails, it says in a row what could not be read. Private to src/nt.
 */
#ifndef DS_NT_FOLLOW_H
#define DS_NT_FOLLOW_H

#include "nt/bugcheck.h"
#include "nt/impl.h"

#define DS_FOLLOW_MAX 96u  /* rows of one bugcheck */
#define DS_FOLLOW_LIST 16u /* entries shown of one list */

/* Facts of one bugcheck while they are gathered. */
struct ds_follow {
    struct ds_nt *nt;
    uint32_t code; /* without the variant flags */
    uint64_t p[4];
    const struct ds_bugcheck_doc *doc;     /* NULL for an unknown code */
    const struct ds_bugcheck_subcode *sub; /* NULL without one */
    struct ds_bugcheck_fact *rows;         /* DS_FOLLOW_MAX */
    size_t count;
    bool dropped;       /* there was no room for a row */
    uint64_t pool_page; /* whose blocks were looked at already; 0 none */
};

/* Adds a row; the meaning is formatted into the arena, or absent when fmt is NULL. */
void ds_follow_add(struct ds_follow *f, uint32_t parameter, const char *name, struct ds_opt value,
                   const char *fmt, ...) DS_PRINTF(5, 6);
/* Whether a row of this parameter is there already. */
bool ds_follow_has(const struct ds_follow *f, uint32_t parameter);
/* DS_OK, or why this address cannot be read at all. */
enum ds_status ds_follow_readable(const struct ds_follow *f, uint64_t va, void *buf, size_t size);
/* A pointer of the target at va; unknown with the reason. */
struct ds_opt ds_follow_pointer(const struct ds_follow *f, uint64_t va);
/* Number of bits set: how far two values differ. */
unsigned ds_bits_set(uint64_t x);
/* "driver+0x2a4c" or "nt!KeBugCheckEx+0x10"; the unloaded driver that held it; "" else. */
void ds_follow_place(struct ds_follow *f, uint64_t va, char *text, size_t size);

/* ---- follow_object.c: kernel objects by address ---- */
void ds_follow_process(struct ds_follow *f, uint32_t parameter, uint64_t eprocess);
void ds_follow_thread(struct ds_follow *f, uint32_t parameter, const char *name,
                      struct ds_opt ethread);
/* Text of bytes, and of a UNICODE_STRING. */
void ds_follow_text(struct ds_follow *f, uint32_t parameter, const char *name);
void ds_follow_unicode(struct ds_follow *f, uint32_t parameter, const char *name, uint64_t va);
void ds_follow_exception(struct ds_follow *f, uint32_t parameter, uint64_t va);
void ds_follow_context(struct ds_follow *f, uint32_t parameter, uint64_t va);
void ds_follow_trap_frame(struct ds_follow *f, uint32_t parameter, uint64_t va);
/* The counts in the header before an object's body. */
void ds_follow_references(struct ds_follow *f, uint32_t parameter, uint64_t object);
/* The structure that the documentation names ("_IRP"); false when it is not one of those known. */
bool ds_follow_object(struct ds_follow *f, uint32_t parameter, const char *type, uint64_t va);

/* ---- follow_io.c: device objects, IRPs ---- */
/* "\Driver\fabnic", else the module that holds the driver's image; NULL when neither is there. */
const char *ds_driver_object_name(struct ds_nt *nt, uint64_t driver);
void ds_follow_driver(struct ds_follow *f, uint32_t parameter, uint64_t driver);
void ds_follow_device(struct ds_follow *f, uint32_t parameter, uint64_t device);
void ds_follow_irp(struct ds_follow *f, uint32_t parameter, uint64_t irp);
void ds_follow_mdl(struct ds_follow *f, uint32_t parameter, uint64_t mdl);

/* ---- follow_power.c: the records of the power manager ---- */
void ds_follow_power(struct ds_follow *f);

/* ---- follow_watchdog.c: clocks, DPCs, processors that hang ---- */
void ds_follow_watchdog(struct ds_follow *f);
void ds_follow_hung(struct ds_follow *f);
void ds_follow_processor(struct ds_follow *f, uint32_t parameter, uint64_t prcb);

/* ---- follow_memory.c: addresses, page table entries, lists ---- */
/* What lies at an address and in which state its page is. */
void ds_follow_region(struct ds_follow *f, uint32_t parameter, uint64_t va);
void ds_follow_pte(struct ds_follow *f, uint32_t parameter, uint64_t pte);
/* The entry that stands at an address. */
void ds_follow_pte_at(struct ds_follow *f, uint32_t parameter, uint64_t va);
/* Which list entry, in a register of the fault, has a neighbour that does not point back. */
void ds_follow_list_entry(struct ds_follow *f);

/* ---- follow_pool.c: pool blocks ---- */
void ds_follow_pool(struct ds_follow *f, uint32_t parameter, uint64_t va);

#endif
