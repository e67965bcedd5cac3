/* What process_details.c and thread_details.c share. Private. */
#ifndef DS_NT_DETAILS_IMPL_H
#define DS_NT_DETAILS_IMPL_H

#include "nt/details.h"
#include "nt/impl.h"

struct ds_nt_details {
    bool have_processes, have_threads;
    struct ds_process_detail *processes; /* owned */
    struct ds_thread_detail *threads;    /* owned */
};

/* Those of a snapshot, made on first use; NULL without memory. */
struct ds_nt_details *ds_nt_details_get(struct ds_nt *nt);

/* The text of the UNICODE_STRING at va, in the arena; NULL when unreadable or empty. */
const char *ds_nt_ustring(struct ds_nt *nt, uint64_t va);

#endif
