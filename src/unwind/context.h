/*
 * A processor context (CONTEXT record) of any architecture, decoded to named registers.
 * Source: winnt.h CONTEXT definitions as documented on learn.microsoft.com.
 */
#ifndef DS_UNWIND_CONTEXT_H
#define DS_UNWIND_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"
#include "dumpscan/status.h"

#define DS_CONTEXT_REGISTERS 48

struct ds_register {
    const char *name; /* static, WinDbg's spelling: "rip", "efl", "x29", "lr" */
    uint64_t value;
    uint8_t size; /* bytes to show: 2, 4 or 8 */
};

struct ds_context {
    enum ds_arch arch;
    uint32_t flags; /* ContextFlags, raw */
    uint64_t pc, sp, fp;
    struct ds_register registers[DS_CONTEXT_REGISTERS]; /* in WinDbg's `r` order */
    size_t register_count;
};

/*
 * Decodes a record of `size` bytes. Segment selectors are left out where CS is zero: they were not
 * saved. Errors: DS_CORRUPT when ContextFlags do not belong to `arch`
 * or the record is all zero or filler; DS_TRUNCATED when too short; DS_UNSUPPORTED.
 */
enum ds_status ds_context_decode(enum ds_arch arch, const void *record, size_t size,
                                 struct ds_context *ret) DS_MUST_CHECK;

/* Bytes that a complete record of the architecture has up to its last general register. */
size_t ds_context_size(enum ds_arch arch);
/* Bytes of the whole record, with floating point and debug registers; 0 for no known one. */
size_t ds_context_record_size(enum ds_arch arch);

/* Adds a register; for whoever fills a context from another record (trap frames). Beyond
 * DS_CONTEXT_REGISTERS it does nothing. name must be static. */
void ds_context_add(struct ds_context *c, const char *name, uint64_t value, unsigned size);

/* The value of a register by name (ARM64: "x29" and "x30" are "fp" and "lr" as well); false when
 * the architecture has none of that name. */
bool ds_context_register(const struct ds_context *c, const char *name, uint64_t *ret);

#endif
