/*
 * Processor states that hypervisors keep beside a guest's memory, turned into the records that
 * Windows itself would have written: one struct ds_dump_cpu with a CONTEXT each. Private to
 * src/dump.
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

/* Begins a container without a Windows header: every field is unknown. */
void ds_guest_header_init(struct ds_dump *d, enum ds_arch arch);

#endif
