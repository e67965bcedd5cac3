/*
 * Processor notes beside a guest's memory: an ELF core keeps them in PT_NOTE, a kdump-compressed
 * file in the same form behind its headers. QEMU's note is struct QEMUCPUState of the public
 * target/i386/arch_dump.c; NT_PRSTATUS is struct elf_prstatus. Private to src/dump.
 */
#ifndef DS_DUMP_GUEST_NOTES_H
#define DS_DUMP_GUEST_NOTES_H

#include "dump/guest_cpu.h"

/* All notes of a machine with the most processors fit many times over. */
#define DS_GUEST_NOTES_MAX (16u << 20)

/*
 * Adds a processor for each note of one; d->header.arch is known by then. QEMU's own notes say
 * more; where there are none, the portable ones must do. Errors: DS_NO_MEMORY.
 */
enum ds_status ds_guest_notes_add(struct ds_dump *d, const uint8_t *notes,
                                  size_t size) DS_MUST_CHECK;

/* Whether the registers in the portable notes are those of a 32-bit guest (struct elf_prstatus of
 * i386 is the shorter one). */
bool ds_guest_notes_are_x86(const uint8_t *notes, size_t size);

#endif
