/* Cells about an address, by where it lies. All stay NULL when it lies nowhere known. */
#ifndef DS_FACTS_CELLS_H
#define DS_FACTS_CELLS_H

#include "facts/table.h"

/* "nt!KeBugCheckEx+0x10", "amdppm+0x334c". */
void ds_value_symbol(struct ds_facts *f, uint64_t va, struct ds_value *v);
/* File name of the module that holds it. */
void ds_value_module(struct ds_facts *f, uint64_t va, struct ds_value *v);
/* Bytes from that module's base. */
void ds_value_module_offset(struct ds_facts *f, uint64_t va, struct ds_value *v);
/* Name of the unloaded module that it lies in, when it lies in no loaded one. */
void ds_value_unloaded(struct ds_facts *f, uint64_t va, struct ds_value *v);

#endif
