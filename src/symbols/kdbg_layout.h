/*
 * KDDEBUGGER_DATA64, the block in every kernel that tells a debugger where things are. One layout
 * for all versions and architectures; Header.Size tells how much of it a version has, so check
 * offset + size against it. Source: data/layouts/kddebugger-data64.layout (Windows SDK wdbgexts.h).
 */
#ifndef DS_SYMBOLS_KDBG_LAYOUT_H
#define DS_SYMBOLS_KDBG_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "symbols/layout.h"

/* Header.OwnerTag: "KDBG". */
#define DS_KDBG_TAG 0x4742444bu

/* Bytes of the largest known block. */
#define DS_KDBG_MAX 936u

/* The member "PsLoadedModuleList", "Header.Size", "OffsetKThreadTeb". False when there is none. */
bool ds_kdbg_field(const char *name, struct ds_field *ret);

/* Members by number, sorted by name, for listings. False past the last. *name is static. */
bool ds_kdbg_field_at(uint32_t index, const char **name, struct ds_field *ret);

#endif
