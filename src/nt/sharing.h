/*
 * Who shares a page: one address in two processes, told from their page-table entries, prototype
 * PTEs, VADs and the page-frame database.
 */
#ifndef DS_NT_SHARING_H
#define DS_NT_SHARING_H

#include "nt/vads.h"

/* An entry of the page-frame database (_MMPFN). */
struct ds_pfn_entry {
    uint64_t pfn;
    struct ds_opt address;     /* virtual, of the _MMPFN; unknown when the database is */
    struct ds_opt share_count; /* PTEs that map the page */
    struct ds_opt reference_count;
    struct ds_opt location;    /* MMLISTS: 6 = active */
    struct ds_opt prototype;   /* 1: the page belongs to a section, its PTE is a prototype PTE */
    struct ds_opt pte_address; /* virtual, of the PTE or prototype PTE of the page */
};

/* Reads the entry of a page. Members that the layout or the dump lacks are unknown. */
struct ds_pfn_entry ds_nt_pfn(struct ds_nt *nt, uint64_t pfn);
/* "zeroed", "free", "standby", "modified", "modified no-write", "bad", "active", "transition";
 * NULL for other values. Source: MMLISTS in Microsoft's public symbols. */
const char *ds_pfn_location_name(uint64_t location);

/* One address in one process. */
struct ds_page_view {
    uint64_t eprocess;
    enum ds_status
        space_status; /* whether its address space could be had; else the rest is empty */
    struct ds_explanation e;
    struct ds_vad vad;
    bool has_vad;
    struct ds_opt pte;           /* content of the last entry that was read */
    struct ds_opt copy_on_write; /* bit 9 of a valid PTE: the first write makes a copy */
    struct ds_opt prototype;     /* address of the prototype PTE: by PTE, PFN database or VAD */
    bool own;                    /* the PTE is in a state that only private pages have */
    struct ds_opt frame;         /* page frame number, when there is a page */
    struct ds_pfn_entry pfn;     /* of frame */
};

void ds_nt_page_view(struct ds_nt *nt, uint64_t eprocess, uint64_t va, struct ds_page_view *ret);

enum ds_sharing {
    DS_SHARING_UNKNOWN,
    DS_SHARING_SAME,      /* one page for both */
    DS_SHARING_SECTION,   /* one prototype PTE decides for both, though not both have the page */
    DS_SHARING_COPIED,    /* of one section; copy on write gave at least one a page of its own */
    DS_SHARING_PRIVATE,   /* private memory of each */
    DS_SHARING_DIFFERENT, /* different pages, and nothing tells that they ever were one */
    DS_SHARING_ABSENT     /* one or both have no page, and no section in common is known */
};

struct ds_share {
    enum ds_sharing verdict;
    bool copied_a, copied_b; /* DS_SHARING_COPIED: who has its own */
    bool copy_pending;       /* DS_SHARING_SAME: the next write makes a copy */
};

struct ds_share ds_nt_share(const struct ds_page_view *a, const struct ds_page_view *b);
/* The stable name: "same", "same_section", "copied", "private", "different", "absent", "unknown".
 */
const char *ds_sharing_name(enum ds_sharing verdict);
/* One clause for people, with who copied: "a" and "b" as they are called. */
void ds_share_words(const struct ds_share *s, const char *a, const char *b, struct ds_buf *out);

#endif
