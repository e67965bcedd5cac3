/*
 * Virtual address descriptors: which ranges of a process's user memory are reserved or mapped, and
 * of what. The tree of EPROCESS.VadRoot, in the forms of XP (nodes alone), Server 2003 to 7 (an AVL
 * table of _MMADDRESS_NODE) and 8.1 and later (an _RTL_AVL_TREE of _MMVAD_SHORT.VadNode); by the
 * names of Microsoft's public symbols.
 */
#ifndef DS_NT_VADS_H
#define DS_NT_VADS_H

#include "nt/nt.h"

/* One descriptor. Private ones are _MMVAD_SHORT: they have no section. */
struct ds_vad {
    uint64_t vad;                  /* virtual address of the _MMVAD or _MMVAD_SHORT */
    uint64_t start, end;           /* first and last byte: virtual, of the process */
    uint32_t level;                /* in the tree, from 1 */
    struct ds_opt type;            /* VadType: 0 none, 1 device memory, 2 image, 3 AWE, ... */
    struct ds_opt protection;      /* as ds_protection_name() takes it */
    struct ds_opt private_memory;  /* 1: not of a section */
    struct ds_opt committed;       /* 1: all of it was committed at once (MemCommit) */
    struct ds_opt first_prototype; /* virtual address of the prototype PTE of `start`; unknown
                                      for private memory */
    struct ds_opt subsection;      /* virtual; unknown for private memory */
};

/* All of a process, ascending. The caller frees them with ds_vads_deinit(). */
struct ds_vads {
    struct ds_vad *rows; /* owned */
    size_t count, cap;
    struct ds_walk walk;
};

/* Walks the tree. What was read before a fault, a loop or a cap is kept; walk says how it ended. */
void ds_nt_vads(struct ds_nt *nt, uint64_t eprocess, struct ds_vads *ret);
void ds_vads_deinit(struct ds_vads *v);

/* The descriptor that holds va. Errors: DS_NOT_FOUND (no such range: the address is not valid in
 * the process), the faults of reading the tree, DS_NO_FIELD, DS_LIMIT. */
enum ds_status ds_nt_vad_find(struct ds_nt *nt, uint64_t eprocess, uint64_t va,
                              struct ds_vad *ret) DS_MUST_CHECK;

/* The name of the file behind a section, as FILE_OBJECT has it, appended to `out`. Errors:
 * DS_NOT_FOUND (private, or backed by the page file), the faults of reading it, DS_NO_FIELD. */
enum ds_status ds_nt_vad_file(struct ds_nt *nt, const struct ds_vad *vad,
                              struct ds_buf *out) DS_MUST_CHECK;

/* "private", "mapped", "image", "device memory", ...; static. */
const char *ds_vad_type_name(const struct ds_vad *vad);

/* Address of the prototype PTE of va, which the descriptor holds; unknown for private memory. */
struct ds_opt ds_vad_prototype(const struct ds_target *t, const struct ds_vad *vad, uint64_t va);

/*
 * Explains va in the space `s` of the process (ds_nt_space_of). Where the page tables say nothing
 * (an empty entry, or one that sends to the VAD), the VAD is asked, and its prototype PTE
 * followed: the explanation then has that step and its outcome. *vad and *has_vad tell which
 * descriptor holds va.
 */
void ds_nt_explain(struct ds_nt *nt, uint64_t eprocess, struct ds_space *s, uint64_t va,
                   struct ds_explanation *e, struct ds_vad *vad, bool *has_vad);

#endif
