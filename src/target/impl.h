/* What the files of the bootstrap share. Private to this room. */
#ifndef DS_TARGET_IMPL_H
#define DS_TARGET_IMPL_H

#include "target/target.h"

#define DS_TARGET_STEPS 128 /* steps kept; the bootstrap makes fewer */

/* Records an attempt. Over the cap or out of memory the step is dropped. */
void ds_step_add(struct ds_target *t, const char *what, const char *method, enum ds_status status,
                 struct ds_opt value, const char *trust, const char *fmt, ...) DS_PRINTF(7, 8);

/* The two ways to memory: captured ranges (triage), or page tables (full, bitmap). Each leaves
 * t->kernel NULL when there is no virtual memory to be had, with the step that says why. */
void ds_boot_triage(struct ds_target *t, const char *symbol_path);
void ds_boot_paged(struct ds_target *t, const char *symbol_path);

/* KDDEBUGGER_DATA64: from the region of a triage dump, or by virtual address. */
void ds_kdbg_load_region(struct ds_target *t, const struct ds_region *region, struct ds_opt va);
/* True when a block was read there, plain or encoded. */
bool ds_kdbg_load_va(struct ds_target *t, struct ds_opt va, const char *method);
/* At the address that the caller gave; used even without a tag. */
void ds_boot_kdbg_option(struct ds_target *t);
/* Once the kernel's base is known: the header's address again, symbols, a search of the image. */
void ds_boot_kdbg_late(struct ds_target *t);
/* Whether the kernel's own keys decode an encoded block to the same. */
void ds_boot_kdbg_keys(struct ds_target *t);

/* t->kernel_base, by KDDEBUGGER_DATA64, lists, addresses in the kernel, or a search. */
void ds_boot_kernel_base(struct ds_target *t);
/* Looks for the lists (and KiProcessorBlock) that nothing tells the address of. */
void ds_boot_lists(struct ds_target *t);
/* Changes to the page directory of the System process where the one in use was searched for. */
void ds_boot_system_dtb(struct ds_target *t);
/* KPROCESS.DirectoryTableBase of the System process, as it stands there. */
struct ds_opt ds_boot_dtb_of_system(struct ds_target *t);
/* DS_OK when the EPROCESS is that of the System process: pid 4, and its name. */
enum ds_status ds_process_is_system(struct ds_target *t, uint64_t eprocess);
/* Sets the architecture, where the container does not tell it. */
void ds_target_set_arch(struct ds_target *t, enum ds_paging mode);
/* A note that what the caller said is not borne out. */
void ds_boot_warn_option(struct ds_target *t, const char *check, uint64_t value,
                         const char *expected, const char *lost);

/* Exact version by timestamp and size of the kernel image, else what memory tells of it. */
void ds_boot_version(struct ds_target *t, struct ds_opt timestamp, struct ds_opt size);
/* t->kernel_id; the kernel's symbol table from the search path (may be NULL). */
void ds_boot_identify(struct ds_target *t, const char *symbol_path);
/* NtBuildLab; the layout of that symbol table, else a built-in profile. */
void ds_boot_layout(struct ds_target *t);
/* Symbol tables of the other modules, where their PDB id can be read. */
void ds_boot_symbols(struct ds_target *t, const char *symbol_path);

/* How many of KDDEBUGGER_DATA64's own offsets and sizes agree with a layout. */
struct ds_agreement {
    unsigned agree, differ;
    const char *first_differing; /* static; NULL when none */
};
struct ds_agreement ds_layout_agreement(const struct ds_target *t, const struct ds_layout *l);
/* Checks the layout against the snapshot and lowers its trust where they disagree. */
void ds_boot_invariants(struct ds_target *t);

/* The header of a container that has none, from the kernel's own variables. */
void ds_boot_guest_header(struct ds_target *t);

/* Contradictions between the header, the records and memory become integrity notes. */
void ds_boot_integrity(struct ds_target *t);

/* Opens t->kernel by the page directory of the option, the header, the processors, or one found in
 * memory, in the paging mode that works. False when there is none; t->kernel_why says why. */
bool ds_boot_open_paged(struct ds_target *t);
/* Tells t->kernel what its software entries look like and where the page tables are mapped. */
void ds_boot_memory(struct ds_target *t);

/* Modules: fill t->modules, t->module_count, t->modules_walk. */
void ds_modules_from_triage(struct ds_target *t);
void ds_modules_from_list(struct ds_target *t, struct ds_opt head, const char *method);
/* PsLoadedModuleList of a paged dump, wherever its address is known from. */
void ds_boot_modules(struct ds_target *t);
/* DllBase of the first entry of the module list: the kernel. */
struct ds_opt ds_modules_first_base(struct ds_target *t, uint64_t head);

#endif
