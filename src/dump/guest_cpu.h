/*
 * Processor states that hypervisors keep beside a guest's memory, turned into the records that
 * Windows itself would have written: one struct ds_dump_cpu with a CONTEXT each.
 */
#ifndef DS_DUMP_GUEST_CPU_H
#define DS_DUMP_GUEST_CPU_H

#include "dump/impl.h"

/* General registers in the order of the x86 encoding (rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8
 * to r15), or X0 to X30. 32-bit guests use the first eight. */
struct ds_guest_cpu {
    struct ds_dump_cpu cpu;
    uint64_t general[31];
    uint64_t sp, pc, flags; /* ARM64: PSTATE in flags */
    uint16_t cs, ds, es, fs, gs, ss;
    bool has_registers;
};

/*
 * Appends a processor; its number is its place. Errors: DS_LIMIT, DS_NO_MEMORY.
 */
enum ds_status ds_guest_cpu_add(struct ds_dump *d, const struct ds_guest_cpu *c) DS_MUST_CHECK;

/* The same for a CONTEXT record as it stands in the container. */
enum ds_status ds_guest_cpu_add_record(struct ds_dump *d, const uint8_t *record,
                                       size_t size) DS_MUST_CHECK;

/*
 * Writes the CONTEXT record of these registers; selectors are claimed where CS is not zero. Returns
 * its size, 0 when the architecture has none here or `room` is too small.
 */
size_t ds_guest_context_put(enum ds_arch arch, const struct ds_guest_cpu *c, uint8_t *record,
                            size_t room);

/* Begins a container without a Windows header: every field is unknown. */
void ds_guest_header_init(struct ds_dump *d, enum ds_arch arch);

#endif
