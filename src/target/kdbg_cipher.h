/*
 * KDDEBUGGER_DATA64 as kernels of Windows 8 and later keep it while no debugger is there. Each
 * 64-bit word e stands for
 *
 *     p = swap(rol(e ^ KiWaitNever, KiWaitNever & 0xff) ^ &KdpDataBlockEncoded) ^ KiWaitAlways
 *
 * (QEMU contrib/elf2dmp/main.c; MemProcFS modules/m_vfsroot.c; Volatility 2 win8_kdbg.py).
 * Rotation, byte swap and exclusive or can change places, so all of it is one rotation and one key:
 *
 *     p = swap(rol(e, r) ^ k)   with   k = rol(KiWaitNever, r) ^ &KdpDataBlockEncoded ^
 *                                          swap(KiWaitAlways)
 *
 * One word whose meaning is known gives k for each of the 64 rotations; a second one proves which.
 * So the block can be read without knowing where the kernel keeps its keys.
 */
#ifndef DS_TARGET_KDBG_CIPHER_H
#define DS_TARGET_KDBG_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_kdbg_cipher {
    unsigned rotation; /* to the left, 0 to 63 */
    uint64_t key;
};

/* From the kernel's own variables; flag_va is the address of KdpDataBlockEncoded, not its value. */
struct ds_kdbg_cipher ds_kdbg_cipher_of_keys(uint64_t never, uint64_t always, uint64_t flag_va);

/* Decodes all whole words of the block in place. */
void ds_kdbg_decode(const struct ds_kdbg_cipher *c, uint8_t *block, size_t size);

/* Owner tag and size of a plain block: 'KDBG' and a size that a version of Windows may have. */
bool ds_kdbg_header_holds(uint64_t tag_and_size);

/*
 * The cipher of a block whose KernBase is known, from its words at 0x10 (tag and size) and 0x18.
 * False when they are no encoded header of a kernel there.
 */
bool ds_kdbg_solve(uint64_t word10, uint64_t word18, uint64_t kernel_base,
                   struct ds_kdbg_cipher *ret);

/*
 * The same when KernBase is not known: calls `accept` with each cipher and KernBase that give a
 * header of a known size with a KernBase at the start of a page, until it returns true. False when
 * none is accepted. `block` holds at least 0x20 bytes.
 */
bool ds_kdbg_solve_blind(const uint8_t *block,
                         bool (*accept)(void *arg, const struct ds_kdbg_cipher *c,
                                        uint64_t kernel_base),
                         void *arg, struct ds_kdbg_cipher *ret);

#endif
