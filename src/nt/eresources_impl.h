/* What the files about executive resources share. Private. */
#ifndef DS_NT_ERESOURCES_IMPL_H
#define DS_NT_ERESOURCES_IMPL_H

#include "nt/address_map.h"
#include "nt/eresources.h"
#include "nt/impl.h"

struct ds_nt_locks {
    struct ds_eresources table;
    struct ds_eresource *rows; /* owned, as the next two */
    struct ds_eresource_owner *owners;
    struct ds_eresource_waiter *waiters;
    size_t cap, owner_cap, waiter_cap;
};

/* Finds the waiters of all resources. */
void ds_eresource_waiters_fill(struct ds_nt *nt, struct ds_nt_locks *l);

#endif
