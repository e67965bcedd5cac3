/*
 * A crash dump as a container: header records, physical memory (full and bitmap dumps), virtual
 * ranges (triage dumps), secondary data blobs, and what is wrong with the file. Knows nothing of
 * page tables, structures or symbols.
 *
 * Reading never prints and never exits. Opening reads headers (and one pass over a bitmap) only.
 */
#ifndef DS_DUMP_DUMP_H
#define DS_DUMP_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"
#include "base/opt.h"
#include "dump/integrity.h"
#include "io/source.h"

/* What the container turned out to be. */
enum ds_dump_kind {
    DS_DUMP_UNKNOWN = 0,
    DS_DUMP_FULL,          /* DumpType 1: complete memory, runs back to back */
    DS_DUMP_HEADER_ONLY,   /* DumpType 3 */
    DS_DUMP_TRIAGE,        /* DumpType 4: small memory dump ("minidump") */
    DS_DUMP_BITMAP_FULL,   /* DumpType 5 */
    DS_DUMP_BITMAP_KERNEL, /* DumpType 6: kernel, automatic, active, live */
    DS_DUMP_SUMMARY,       /* DumpType 2: kernel, of Windows 7 and before */
    DS_DUMP_RANGE_KERNEL,  /* DumpType 8, 9, 10: written by a debugger */
    DS_DUMP_RANGE_KERNEL_USER,
    DS_DUMP_RANGE_FULL,
    DS_DUMP_ELF,    /* ELF core of a guest machine */
    DS_DUMP_KDUMP,  /* kdump-compressed memory of a guest machine */
    DS_DUMP_UEFI,   /* an offline crash dump of firmware */
    DS_DUMP_VMWARE, /* memory and saved state of a VMware machine */
    DS_DUMP_RAW,    /* physical memory from address 0 on, without a header */
    DS_DUMP_DAMAGED /* a DMP header of a known type whose body cannot be read at all */
};

/*
 * The dump header, 32- or 64-bit form (Windows SDK mindumpdef.h; see the offsets in header.c).
 * A field that holds the filler word 0x45474150 ('PAGE'), or lies past the end of the file, is
 * unknown.
 */
struct ds_dump_header {
    bool is64;
    struct ds_opt machine; /* IMAGE_FILE_MACHINE_*, raw */
    enum ds_arch arch;
    struct ds_opt major_version; /* 0xf free build, 0xc checked build */
    struct ds_opt minor_version; /* the NT build number */
    struct ds_opt dtb;           /* physical; raw value of DirectoryTableBase */
    struct ds_opt pfn_database;  /* virtual */
    struct ds_opt ps_loaded_module_list, ps_active_process_head;
    struct ds_opt processor_count;
    struct ds_opt bugcheck_code; /* raw, flags 0x10000000 / 0x40000000 included */
    struct ds_opt bugcheck_parameter[4];
    struct ds_opt kd_debugger_data_block;
    struct ds_opt dump_type;           /* raw DumpType field */
    struct ds_opt required_dump_space; /* bytes */
    struct ds_opt system_time;         /* FILETIME, 100 ns since 1601, UTC */
    struct ds_opt system_up_time;      /* 100 ns */
    struct ds_opt mini_dump_fields, secondary_data_state, product_type, suite_mask;
    struct ds_opt writer_status, kd_secondary_version, attributes, boot_id;
    struct ds_opt pae_enabled; /* 32-bit form only */
    char version_user[33];     /* UTF-8; "" when filler */
    char comment[129];         /* UTF-8; "" when filler */
    uint64_t context_offset;   /* file offsets */
    size_t context_size;       /* room for the record: 3000 or 1200 bytes */
    uint64_t exception_offset;
    size_t exception_size; /* 0x98 or 0x50 */
    uint64_t body_offset;  /* 0x2000 or 0x1000 */
};

/* A run of captured physical memory. */
struct ds_phys_run {
    uint64_t pa;          /* first byte, page-aligned */
    uint64_t size;        /* bytes */
    uint64_t file_offset; /* of the first byte; DS_NO_OFFSET when not contiguous in the file */
};

/* A captured piece of virtual memory (triage dumps). Pieces may overlap; the first wins. */
struct ds_virt_range {
    uint64_t va;
    uint64_t size;
    uint64_t file_offset;
    const char *origin; /* static: "data block", "call stack", "prcb", "process", "thread",
                           "debugger data", "data page" */
};

/* One record of a triage dump's driver list. */
struct ds_triage_driver {
    const char *name; /* UTF-8 as written: a full path or a base name; NULL when unreadable */
    uint64_t base;
    uint64_t size;
    uint32_t checksum;
    uint32_t timestamp;
    uint64_t file_offset; /* of the record */
};

/* One unloaded driver of a triage dump: name cut to 12 characters by the writer. */
struct ds_triage_unloaded {
    const char *name; /* NULL when unreadable */
    bool name_cut;    /* the recorded length says that the name was longer */
    uint64_t start, end;
    uint64_t file_offset;
};

/* Where in the file a record of a triage dump lies; size 0 = absent. */
struct ds_region {
    uint64_t offset;
    uint64_t size;
    struct ds_opt va; /* the virtual address it was taken from, when known */
};

/* The triage header, decoded and bounded to the file. */
struct ds_triage {
    struct ds_opt service_pack_build, size_of_dump, valid_offset;
    struct ds_opt triage_options; /* unknown when 0xffffffff (not set by the writer) */
    struct ds_opt top_of_stack;   /* virtual address of the first byte of the call stack */
    bool valid_marker;            /* 'TRGD' stands at valid_offset */
    bool kernel_written;          /* flavour K: written by the kernel, not after the reboot */
    struct ds_region prcb, process, thread, call_stack, debugger_data, mm, data_page;
    struct ds_opt broken_driver_offset;
    const struct ds_triage_driver *drivers;
    size_t driver_count;          /* readable records */
    uint64_t driver_count_stated; /* as the header says */
    const struct ds_triage_unloaded *unloaded;
    size_t unloaded_count;
    uint64_t unloaded_count_stated;
    uint64_t block_count_stated;
};

/* A secondary data blob. */
struct ds_blob {
    char tag[40];         /* GUID as text: "54c84888-01d1-4c1e-bed6-282c98241303" */
    uint64_t file_offset; /* of the data */
    uint64_t size;        /* as stated */
    uint64_t captured;    /* bytes of it that the file holds */
    uint64_t begin, end;  /* of its record in the file, header and padding included */
};

struct ds_dump;

/* How to open; all zero is the default. */
struct ds_dump_options {
    bool raw; /* physical memory as it is, from address 0 on, whatever the first bytes look like */
    /* With raw: what lies behind 3 GiB of the file is memory from 4 GiB on. */
    bool hole;
};

/*
 * Probes and opens. Takes ownership of `src` on success only. Errors:
 *   DS_NOT_DUMP     a known other kind of file, named, with what to do; or an unknown one
 *   DS_UNSUPPORTED  a Windows kernel dump of a type that this version cannot read; named
 *   DS_TRUNCATED    too short to hold the header
 *   DS_IO, DS_NO_MEMORY
 * Everything that can be opened despite damage is opened; the damage is in ds_dump_integrity().
 */
enum ds_status ds_dump_open(struct ds_source *src, struct ds_dump **ret,
                            struct ds_err *err) DS_MUST_CHECK;
/* The same; `options` may be NULL. */
enum ds_status ds_dump_open_with(struct ds_source *src, const struct ds_dump_options *options,
                                 struct ds_dump **ret, struct ds_err *err) DS_MUST_CHECK;
/*
 * A VMware machine: its saved state (.vmss, .vmsn) and, where that does not hold the memory itself,
 * the .vmem file beside it (else NULL). Takes ownership of both on success only. Errors: as above.
 */
enum ds_status ds_dump_open_vmware(struct ds_source *state, struct ds_source *memory,
                                   struct ds_dump **ret, struct ds_err *err) DS_MUST_CHECK;
/* Whether the file begins like a VMware saved state. */
bool ds_dump_is_vmware_state(struct ds_source *src);
/* True when the file has no signature of any known format: it may be raw memory. */
bool ds_dump_is_unmarked(struct ds_source *src);
/* Closes the source as well. NULL is allowed. */
void ds_dump_close(struct ds_dump *d);
/* Closes the dump and leaves the source open. */
void ds_dump_release(struct ds_dump *d);

enum ds_dump_kind ds_dump_kind(const struct ds_dump *d);
/* "triage", "full", "bitmap-full", "bitmap-kernel", "summary", "range-kernel",
 * "range-kernel-user", "range-full", "elf", "kdump", "vmware", "uefi", "raw", "header", "damaged".
 */
const char *ds_dump_kind_name(enum ds_dump_kind kind);
/* What WinDbg calls it: "Mini Kernel Dump File: Only registers and stack trace are available". */
const char *ds_dump_kind_text(enum ds_dump_kind kind);

const struct ds_dump_header *ds_dump_header(const struct ds_dump *d);
/*
 * The header of a container that has none of its own (guest memory), for the bootstrap to fill in
 * what it finds out; NULL for a DMP, whose header stays as the file has it.
 */
struct ds_dump_header *ds_dump_header_to_fill(struct ds_dump *d);
struct ds_integrity *ds_dump_integrity(struct ds_dump *d);
uint64_t ds_dump_file_size(const struct ds_dump *d);
/* NULL unless the kind is DS_DUMP_TRIAGE. */
const struct ds_triage *ds_dump_triage(const struct ds_dump *d);

/*
 * A processor's registers as a container keeps them beside memory (hypervisors do), for finding the
 * kernel. What it does not keep is unknown. ARM64: TTBR1_EL1 stands in cr3.
 */
struct ds_dump_cpu {
    uint32_t number;
    struct ds_opt cr3, cr4;
    struct ds_opt fs_base, gs_base, kernel_gs_base, idt_base;
    struct ds_opt pc, sp;
    const uint8_t *context; /* its registers as a CONTEXT record of the architecture; NULL = none */
    size_t context_size;
};
size_t ds_dump_cpu_count(const struct ds_dump *d);
const struct ds_dump_cpu *ds_dump_cpu(const struct ds_dump *d, size_t index);

/* Tells the header of a container that does not say it what the machine turned out to be. */
void ds_dump_set_arch(struct ds_dump *d, enum ds_arch arch);

/* Physical memory: the captured runs, in ascending order, merged (bitmap dumps: built lazily). */
size_t ds_dump_phys_run_count(struct ds_dump *d);
bool ds_dump_phys_run(struct ds_dump *d, size_t index, struct ds_phys_run *ret);
/*
 * The runs that the header states (PHYSICAL_MEMORY_DESCRIPTOR): what memory the machine had, of
 * which a kernel dump captures a part. False past the last that fits the header, and when the
 * header has none. `size` of a run that leads past the end of physical memory is cut.
 */
bool ds_dump_stated_run(const struct ds_dump *d, size_t index, struct ds_phys_run *ret);
/* Captured pages of 4096 bytes in all. */
uint64_t ds_dump_phys_pages(const struct ds_dump *d);
bool ds_dump_has_physical(const struct ds_dump *d);

/*
 * Reads physical memory, across pages. All bytes or a fault: DS_NOT_IN_DUMP (not captured),
 * DS_TRUNCATED (the file ends first), DS_IO. Never fills text; *fault_pa (may be NULL) is the
 * first address that could not be read.
 */
enum ds_status ds_dump_read_phys(struct ds_dump *d, uint64_t pa, void *buf, size_t len,
                                 uint64_t *fault_pa) DS_MUST_CHECK;

/* Where in the file the byte at pa stands; DS_NO_OFFSET when it is not captured, or lies past
 * the end of the file. */
uint64_t ds_dump_phys_offset(struct ds_dump *d, uint64_t pa);

/*
 * The first stretch of whole captured pages at or behind pa: all of it can be read. False when
 * there is none.
 */
bool ds_dump_phys_next(struct ds_dump *d, uint64_t pa, uint64_t *start, uint64_t *size);

/*
 * Reads the captured pages from *pa on, in the order of their addresses, up to `max` (at least 1)
 * of them across all holes, each 4096 bytes of buf, their addresses into `addresses`; sets *pa to
 * the last byte of the last, to go on from. The number of pages; when 0, *status is DS_NOT_FOUND
 * (there are no more) or why they could not be read.
 */
size_t ds_dump_read_pages(struct ds_dump *d, uint64_t *pa, void *buf, uint64_t *addresses,
                          size_t max, enum ds_status *status);

/* The len bytes at pa, within one page, without a copy; good until the dump is closed. NULL where
 * they are not captured, or the source must read them. */
const void *ds_dump_phys_pointer(struct ds_dump *d, uint64_t pa, size_t len);

/* Virtual memory captured as such (triage dumps). */
size_t ds_dump_virt_range_count(const struct ds_dump *d);
const struct ds_virt_range *ds_dump_virt_range(const struct ds_dump *d, size_t index);
/*
 * Adds a piece whose address was found out after the open (a record that the dump keeps without
 * its address). `origin` is static text. What lies past the end of the file reads as
 * DS_TRUNCATED. Errors: DS_LIMIT, DS_NO_MEMORY.
 */
enum ds_status ds_dump_virt_range_add(struct ds_dump *d, uint64_t va, uint64_t file_offset,
                                      uint64_t size, const char *origin) DS_MUST_CHECK;
/* As ds_dump_read_phys, by virtual address; follows from one range into the next. */
enum ds_status ds_dump_read_virt(struct ds_dump *d, uint64_t va, void *buf, size_t len,
                                 uint64_t *fault_va) DS_MUST_CHECK;

/* Bytes by file offset (header records, blobs). Errors: DS_TRUNCATED, DS_IO. */
enum ds_status ds_dump_read_file(struct ds_dump *d, uint64_t off, void *buf,
                                 size_t len) DS_MUST_CHECK;

/* Secondary data blobs in file order. */
size_t ds_dump_blob_count(const struct ds_dump *d);
const struct ds_blob *ds_dump_blob(const struct ds_dump *d, size_t index);
/*
 * The captured bytes of the first blob with that tag, at most DS_LIMIT_BLOB of them. The caller
 * frees *ret. Errors: DS_NOT_FOUND, DS_LIMIT, DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_dump_blob_load(struct ds_dump *d, const char *tag, uint8_t **ret,
                                 size_t *size) DS_MUST_CHECK;
/* The same of the blob at `index`. */
enum ds_status ds_dump_blob_load_at(struct ds_dump *d, size_t index, uint8_t **ret,
                                    size_t *size) DS_MUST_CHECK;
/* Bytes after the last blob that belong to nothing (leftovers of an older file); 0 when none. */
uint64_t ds_dump_leftover_bytes(const struct ds_dump *d);
/* Whether it can be told at all: false when the file ends early or its end is not known. */
bool ds_dump_leftover_known(const struct ds_dump *d);
/* Where in the file they begin; the file's size when there are none. */
uint64_t ds_dump_leftover_offset(const struct ds_dump *d);
/* Where in the file the secondary data begin, their own header included; unknown without any. */
struct ds_opt ds_dump_blobs_offset(const struct ds_dump *d);

#endif
