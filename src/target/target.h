/*
 * From a container to "a Windows kernel": architecture, kernel address space, kernel image,
 * KDDEBUGGER_DATA64, Windows version, layout, symbols. Each attempt is recorded as a step.
 */
#ifndef DS_TARGET_TARGET_H
#define DS_TARGET_TARGET_H

#include "base/mem.h"
#include "base/opt.h"
#include "dump/dump.h"
#include "memory/space.h"
#include "symbols/layout.h"
#include "symbols/pe.h"
#include "symbols/symbols.h"
#include "symbols/version.h"
#include "target/kdbg_cipher.h"

/* One attempt of the bootstrap (table bootstrap_steps). Strings live in the target's arena. */
struct ds_step {
    const char *what;   /* static: "memory", "dtb", "kernel_base", "kdbg", "modules", "processes",
                           "processors", "version", "layout", "symbols", "invariants" */
    const char *method; /* static: "option", "header", "kdbg", "self-map scan", "module list" */
    bool ok;
    enum ds_status status; /* why not */
    struct ds_opt value;   /* an address, where there is one */
    const char *trust;     /* static: of a layout, ds_trust_name(); of an address, "verified" (what
                              must be there is), "likely" (some of it), "unverified" (used because
                              told); "" where it does not apply */
    const char *detail;    /* one clause for people; may be "" */
};

/* A module as the bootstrap knows it (kernel list, triage list). Strings in the arena. */
struct ds_module {
    uint64_t base, size;
    const char *name;        /* base name: "amdppm.sys"; "" when unreadable */
    const char *path;        /* as recorded; NULL when unknown */
    struct ds_opt timestamp; /* TimeDateStamp; may be a reproducible-build hash */
    struct ds_opt checksum;
    struct ds_opt entry; /* virtual address of the KLDR_DATA_TABLE_ENTRY, full and bitmap dumps */
    const char *source;  /* static: "PsLoadedModuleList", "triage driver list" */
};

/* How a table came to be (table walks). */
struct ds_walk {
    const char *table_name; /* static */
    bool complete;
    uint64_t rows;
    enum ds_status stop_reason; /* DS_OK when complete */
    struct ds_opt stop_address;
    const char *detail; /* arena or static; "" when nothing to add */
};

/*
 * What the caller knows better than the dump. Each is used in place of what would be found, even
 * where nothing bears it out; then a step and a note of `integrity` say so. Not for triage dumps.
 */
struct ds_target_overrides {
    struct ds_opt dtb;         /* physical: page directory, as in CR3 */
    struct ds_opt kernel_base; /* virtual: the kernel's image */
    struct ds_opt kdbg;        /* virtual: KDDEBUGGER_DATA64 */
};

struct ds_target_options {
    const char *symbol_path; /* may be NULL; borrowed during open */
    struct ds_target_overrides overrides;
};

/* A kernel global that was found by what it holds. Strings are static. */
struct ds_found {
    const char *name; /* "PsLoadedModuleList" */
    uint64_t va;
    const char *method; /* "kernel image scan" */
};
#define DS_TARGET_FOUND 8

struct ds_target {
    struct ds_dump *dump;        /* owned */
    struct ds_space *kernel;     /* owned; NULL when no virtual memory can be had */
    enum ds_status kernel_why;   /* why not: DS_NOT_IN_DUMP, DS_UNSUPPORTED, ... */
    const char *kernel_why_text; /* one clause; "" when there is a space */
    enum ds_arch arch;
    unsigned pointer_size;
    struct ds_opt dtb;         /* physical address in use */
    struct ds_opt kernel_base; /* virtual */
    struct ds_opt kdbg;        /* virtual address of KDDEBUGGER_DATA64 */
    uint8_t kdbg_bytes[0x400]; /* its bytes, decoded if they were encoded */
    size_t kdbg_size;          /* valid bytes; 0 when not to be had */
    bool kdbg_encoded;         /* memory holds it encoded, by this cipher */
    struct ds_kdbg_cipher kdbg_cipher;
    struct ds_target_overrides option;
    bool dtb_told;             /* by the option or the header, not found */
    struct ds_opt kernel_hint; /* virtual: an address in the kernel, by the start block */
    struct ds_found found[DS_TARGET_FOUND];
    size_t found_count;
    bool kernel_declared; /* to the lookup of names, ahead of the other modules */
    bool kernel_pe_known;
    struct ds_pe kernel_pe;
    struct ds_opt build;           /* NT build number */
    struct ds_opt revision;        /* UBR */
    struct ds_version version;     /* valid when version_exact */
    bool version_exact;            /* from nt-versions by timestamp and size */
    const char *build_lab;         /* NtBuildLab text; NULL when unreadable */
    struct ds_kernel_id kernel_id; /* what the layout was chosen by */
    struct ds_layout *layout;      /* owned; NULL when none */
    bool layout_unproven;          /* another build's, and the snapshot does not bear it out:
                                      members that move between builds are unknown */
    struct ds_symbols *symbols;    /* owned */
    const char *symbol_path;       /* arena; as the caller gave it; NULL when none */
    struct ds_module *modules;     /* arena; ascending by load order; [0] is usually the kernel */
    size_t module_count;
    struct ds_walk modules_walk;
    struct ds_step *steps; /* arena */
    size_t step_count, step_cap;
    struct ds_arena arena;
};

/*
 * Takes ownership of `dump` in every case. Opens whatever can be had: a header-only or damaged
 * dump gives a target without address space. Errors: DS_NO_MEMORY only.
 */
enum ds_status ds_target_open(struct ds_dump *dump, const struct ds_target_options *options,
                              struct ds_target **ret, struct ds_err *err) DS_MUST_CHECK;
void ds_target_close(struct ds_target *t);

/*
 * Whether memory without a header is that of a Windows system: a page directory in the start block
 * or the first 16 MiB that leads to a KUSER_SHARED_DATA that reads like one. For telling raw memory
 * from files of unknown kinds.
 */
bool ds_target_is_windows(struct ds_dump *dump);

/* A member of KDDEBUGGER_DATA64 by name ("PsActiveProcessHead", "OffsetKThreadTeb"), as
 * wdbgexts.h names them. x86 pointers are given zero-extended. Errors: DS_NO_FIELD when the block
 * is too short or absent. A stored 0 is DS_NOT_FOUND for pointers. */
enum ds_status ds_target_kdbg(const struct ds_target *t, const char *member,
                              uint64_t *ret) DS_MUST_CHECK;

/* Address of a kernel global: by KDBG member where it carries one, else by symbol, by the list of
 * known kernels, or as the bootstrap found it in memory. Errors: DS_NO_SYMBOL. */
enum ds_status ds_target_global(const struct ds_target *t, const char *name,
                                uint64_t *va) DS_MUST_CHECK;

/*
 * Address of "PsLoadedModuleList" or "PsActiveProcessHead": by KDDEBUGGER_DATA64, the header (when
 * a list stands there), ds_target_global(), else what the header says. *method is static.
 */
struct ds_opt ds_target_list_head(const struct ds_target *t, const char *name, const char **method);

/*
 * Where the member lies. Order of belief: a symbol table of this very kernel; the offset that
 * KDDEBUGGER_DATA64 carries (for the two dozen members that it names); the layout. *source (may
 * be NULL) is static: "symbols", "kdbg", "layout". Errors: DS_NO_FIELD.
 */
enum ds_status ds_target_member(const struct ds_target *t, const char *type, const char *member,
                                struct ds_field *ret, const char **source) DS_MUST_CHECK;

/* Reads a member that ds_target_member() found, in the struct at va. For loops. */
struct ds_opt ds_target_read_member(const struct ds_target *t, uint64_t va,
                                    const struct ds_field *f);

/* Size of a struct: by the layout, or by KDDEBUGGER_DATA64. Errors: DS_NO_FIELD. */
enum ds_status ds_target_size(const struct ds_target *t, const char *type,
                              uint32_t *ret) DS_MUST_CHECK;

/* Reads the member of the struct at va as an integer (bit fields extracted, signed members
 * sign-extended); unknown with the reason otherwise. */
struct ds_opt ds_target_field(const struct ds_target *t, uint64_t va, const char *type,
                              const char *member);
/* Address of the member: va + offset. Errors: DS_NO_FIELD. */
enum ds_status ds_target_field_va(const struct ds_target *t, uint64_t va, const char *type,
                                  const char *member, uint64_t *ret) DS_MUST_CHECK;

/* Whether va lies in kernel space of this architecture (and is canonical). */
bool ds_target_is_kernel_va(const struct ds_target *t, uint64_t va);

/* The module that holds va, or NULL. */
const struct ds_module *ds_target_module_at(const struct ds_target *t, uint64_t va);

#endif
