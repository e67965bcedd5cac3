/* What the files behind vm.h share. Private. */
#ifndef DS_NT_VM_IMPL_H
#define DS_NT_VM_IMPL_H

#include "nt/impl.h"
#include "nt/vm.h"

struct ds_nt_vm {
    bool have_vm, have_ptes, have_pools, have_tags;
    struct ds_vm vm;
    struct ds_system_ptes pte_row;
    struct ds_system_pte_table ptes;
    struct ds_pools pools;
    struct ds_pool_tags tags;
    struct ds_pool *pool_rows;    /* owned */
    struct ds_pool_tag *tag_rows; /* owned */
};

/* NULL when there is no memory for it. */
struct ds_nt_vm *ds_nt_vm_state(struct ds_nt *nt);

/* A kernel variable of 1, 2, 4 or 8 bytes at global + offset; *place says where it stands. */
struct ds_opt ds_vm_global(const struct ds_target *t, const char *name, uint64_t offset,
                           unsigned size, struct ds_opt *place);

#endif
