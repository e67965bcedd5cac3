/*
 * What the files of this room share: the open dump itself and the steps of opening it. Nothing
 * outside src/dump includes this.
 */
#ifndef DS_DUMP_IMPL_H
#define DS_DUMP_IMPL_H

#include "base/limits.h"
#include "base/mem.h"
#include "dump/dump.h"
#include "dump/extents.h"

/* An unset header word: the writer fills the page with 'PAGE' before it sets fields. */
#define DS_FILLER 0x45474150u

/* Header forms (Windows SDK mindumpdef.h, DUMP_HEADER32 and DUMP_HEADER64). */
#define DS_HEADER32_SIZE 0x1000u
#define DS_HEADER64_SIZE 0x2000u
#define DS_PAGE_SIZE 4096u

/* A bitmap of captured pages with the number of set bits before every 512th. */
struct ds_bitmap {
    uint8_t *bits;        /* owned */
    uint64_t pages;       /* bits that count */
    uint32_t *rank;       /* owned; one per DS_BITMAP_BLOCK bits */
    uint64_t set;         /* set bits */
    uint64_t first_page;  /* file offset of the first page */
    uint64_t whole_pages; /* pages that the file holds completely */
};

#define DS_BITMAP_BLOCK 512u

/* Where a bitmap and its pages lie, by the header that stands before them. */
struct ds_bitmap_body {
    uint64_t first_page;                     /* file offset of the first page */
    uint64_t present, pages;                 /* captured pages; bits of the map */
    uint64_t bits_at;                        /* file offset of the map */
    uint64_t first_at, present_at, pages_at; /* file offsets of those three fields */
    const char *first_name, *present_name;   /* what the format calls them */
};

/* The triage header as written: file offsets and counts, nothing checked. */
struct ds_triage_head {
    uint64_t size; /* bytes of it that the file holds */
    uint32_t service_pack_build, size_of_dump, valid_offset, context_offset, exception_offset;
    uint32_t mm_offset, unloaded_offset, prcb_offset, process_offset, thread_offset;
    uint32_t call_stack_offset, call_stack_size, driver_list_offset, driver_count;
    uint32_t string_pool_offset, string_pool_size, broken_driver_offset, triage_options;
    uint64_t top_of_stack;
    uint64_t data_page_address;
    uint32_t data_page_offset, data_page_size, debugger_data_offset, debugger_data_size;
    uint32_t data_blocks_offset, data_blocks_count;
};

/* Oddities of a list: how many, and the file offset of the first. */
struct ds_oddity {
    uint64_t count, first;
};

/* What reading the data block list showed. */
struct ds_block_stats {
    struct ds_oddity outside;   /* reach past the end of the file */
    struct ds_oddity misplaced; /* lie in the headers or past SizeOfDump */
    struct ds_oddity broken;    /* do not follow the block before */
    struct ds_oddity bad_va;    /* not canonical, or wrap around */
    struct ds_oddity empty;
    uint64_t lost_bytes;
    uint64_t first_data, next_data; /* file offsets: of the first block, behind the last */
};

struct ds_dump {
    struct ds_source *src; /* owned */
    /* Where phys_map leads when pages do not stand in `src` as they are: a source whose offsets
     * are physical addresses. Owned; NULL = `src` itself. */
    struct ds_source *pages;
    uint64_t file_size;
    enum ds_dump_kind kind;
    struct ds_dump_header header;
    uint8_t *raw_header; /* owned; header bytes, zero where the file ends first */
    struct ds_integrity integrity;
    struct ds_arena arena;
    struct ds_triage triage;
    struct ds_triage_head head;
    struct ds_block_stats blocks;
    uint32_t driver_stride; /* bytes of a driver record; 0 when it cannot be told */
    /* Virtual pieces of a triage dump: `virt` as published, `virt_map` to read through. */
    struct ds_virt_range *virt; /* owned */
    size_t virt_count, virt_cap;
    struct ds_extents virt_map;
    /* Physical memory: run extents (full) or a bitmap. */
    struct ds_extents phys_map;
    struct ds_bitmap bitmap;
    bool has_bitmap, runs_listed;
    uint64_t phys_pages;
    struct ds_phys_run *runs; /* owned; built when first asked for */
    size_t run_count, run_cap;
    struct ds_blob *blobs; /* owned */
    size_t blob_count, blob_cap;
    bool guest;               /* the container has no Windows header */
    struct ds_source *beside; /* owned: a second file that belongs to it; NULL as a rule */
    struct ds_dump_cpu *cpus; /* arena; NULL unless the container keeps processor states */
    size_t cpu_count;
    struct ds_opt blob_build; /* BuildNumber of the blob file header */
    uint64_t leftover, leftover_offset;
    bool end_known;             /* what the dump's structures describe ends within the file */
    struct ds_opt blobs_offset; /* of the blob file header */
};

/* Adds a note to the dump's list; see integrity.h. */
struct ds_integrity_note *ds_dump_note(struct ds_dump *d, enum ds_integrity_level level,
                                       const char *check, uint64_t offset);

/* A note with its three texts; `found` is a printf format. */
void ds_dump_say(struct ds_dump *d, enum ds_integrity_level level, const char *check,
                 uint64_t offset, const char *lost, const char *expected, const char *found, ...)
    DS_PRINTF(7, 8);

void ds_oddity_add(struct ds_oddity *o, uint64_t offset);

/* Bytes of [off, off + len) that the file holds. */
uint64_t ds_dump_captured(const struct ds_dump *d, uint64_t off, uint64_t len);

/* Little-endian unsigned number of 1, 2, 4 or 8 bytes at a file offset. */
struct ds_opt ds_dump_file_uint(struct ds_dump *d, uint64_t off, unsigned size);
/* The same at a captured virtual address. */
struct ds_opt ds_dump_virt_uint(struct ds_dump *d, uint64_t va, unsigned size);
/* 8 or 4, by the header's form. */
unsigned ds_dump_pointer_size(const struct ds_dump *d);
/* Addresses of 32-bit dumps are stored sign-extended here and there: cut to 32 bits. */
uint64_t ds_dump_va(const struct ds_dump *d, uint64_t va);

/* header.c: decodes d->raw_header, of which `have` bytes are real. */
void ds_header_decode(struct ds_dump *d, size_t have);
/* The same the other way: `raw` gets the whole header, filler where a field is unknown. */
void ds_header_encode(const struct ds_dump_header *h, uint8_t *raw);
/* The 4-byte header word at `off`, unknown when filler or past the end. */
struct ds_opt ds_header_word(const struct ds_dump *d, size_t off);
/* What the flags of the header's context record say; DS_ARCH_UNKNOWN when it was not set. */
enum ds_arch ds_header_context_arch(const struct ds_dump *d);
/* Fields and texts that are filler but for a byte. */
void ds_header_check_filler(struct ds_dump *d);
/* header_check.c: contradictions that the header alone shows. */
void ds_header_check(struct ds_dump *d);

/* probe.c: names what a file is that is no DMP dump; always returns DS_NOT_DUMP or a status of
 * the attempt to read. `head` is the start of the file. */
/* Enough of the start of a file for every signature. */
#define DS_PROBE_HEAD 512u
/* No signature of any format that is known. */
bool ds_probe_unmarked(const uint8_t *head, size_t have);
enum ds_status ds_probe_refuse(struct ds_source *src, const uint8_t *head, size_t have,
                               struct ds_err *err);

/* raw.c */
/* `hole`: see struct ds_dump_options. */
enum ds_status ds_raw_open(struct ds_dump *d, bool hole, struct ds_err *err) DS_MUST_CHECK;

/* triage.c */
bool ds_triage_sniff(struct ds_dump *d);
enum ds_status ds_triage_open(struct ds_dump *d, struct ds_err *err);
/* The end of the minidump proper: SizeOfDump where it can be believed, else the file's end. */
uint64_t ds_triage_end(const struct ds_dump *d);
/* triage_lists.c */
enum ds_status ds_triage_read_drivers(struct ds_dump *d);
enum ds_status ds_triage_read_unloaded(struct ds_dump *d);
enum ds_status ds_triage_read_blocks(struct ds_dump *d);
/* triage_va.c: where PRCB, process and thread records were taken from. */
void ds_triage_place_records(struct ds_dump *d);
/* A member of KDDEBUGGER_DATA64 as captured; size 2, 4 or 8. */
struct ds_opt ds_kdbg_value(struct ds_dump *d, uint32_t member, unsigned size);
/* The member of a record whose offset the u16 at `member` of KDDEBUGGER_DATA64 gives. */
struct ds_opt ds_kdbg_told_field(struct ds_dump *d, const struct ds_region *r, uint32_t member,
                                 unsigned size);

/* Contradictions within a triage dump, each in a file of its own name. */
void ds_triage_check(struct ds_dump *d);
void ds_triage_check_records(struct ds_dump *d);
void ds_triage_check_drivers(struct ds_dump *d);
void ds_triage_check_lists(struct ds_dump *d);
void ds_triage_check_kdbg(struct ds_dump *d);
void ds_triage_check_context(struct ds_dump *d);
/* header_check.c: the context and exception records in the header, any kind of dump. */
bool ds_va_canonical(const struct ds_dump *d, uint64_t va);
/* Canonical and in the half that the kernel uses. */
bool ds_va_kernel(const struct ds_dump *d, uint64_t va);

/* full.c, bitmap.c */
enum ds_status ds_full_open(struct ds_dump *d, struct ds_err *err);
bool ds_bitmap_sniff(struct ds_dump *d);
/* Whether FirstPage, TotalPresentPages and Pages can be those of a bitmap body. */
bool ds_bitmap_plausible(struct ds_dump *d);
enum ds_status ds_bitmap_open(struct ds_dump *d, struct ds_err *err);
/* The same where another header describes the bitmap. */
enum ds_status ds_bitmap_open_body(struct ds_dump *d, const struct ds_bitmap_body *x,
                                   struct ds_err *err);
/* File offset of pa, whose page is captured and whole in the file; DS_NO_OFFSET otherwise. */
uint64_t ds_bitmap_offset(const struct ds_dump *d, uint64_t pa);
enum ds_status ds_bitmap_read(struct ds_dump *d, uint64_t pa, void *buf, size_t len,
                              uint64_t *fault);
/* Fills d->runs from the bitmap; at most DS_LIMIT_RUNS, noted when there are more. */
/* ds_dump_phys_next() and ds_dump_read_pages() of a bitmap. */
bool ds_bitmap_next(const struct ds_dump *d, uint64_t pa, uint64_t *start, uint64_t *size);
size_t ds_bitmap_pages(struct ds_dump *d, uint64_t pa, void *buf, uint64_t *addresses, size_t max,
                       enum ds_status *status);
void ds_bitmap_list_runs(struct ds_dump *d);
/* Appends a run, merging with the one before. False when the list is full. */
bool ds_dump_add_run(struct ds_dump *d, uint64_t pa, uint64_t size, uint64_t file_offset);
/* Names a file that ends early: `need` bytes wanted, by the structure that says so. */
void ds_phys_note_short(struct ds_dump *d, uint64_t need, uint64_t lost_pages, uint64_t first_pa);

/* summary.c: kernel dumps of old (type 2), and bitmaps of 32-bit kernels. */
/* Whether the body's own sums bear out that it is a SUMMARY_DUMP. */
bool ds_summary_plausible(struct ds_dump *d);
/* `type` is 2, 5 or 6. */
enum ds_status ds_summary_open(struct ds_dump *d, uint32_t type, struct ds_err *err);
/* range.c: dumps that a debugger wrote (types 8, 9 and 10). */
/* The type that the body shows: 8 or 10; 0 when it is no range dump. */
uint32_t ds_range_sniff(struct ds_dump *d);
/* `type` is 8, 9 or 10. */
enum ds_status ds_range_open(struct ds_dump *d, uint32_t type, struct ds_err *err);

/* elf.c: cores of guest machines. */
bool ds_elf_probe(const uint8_t *head, size_t have);
enum ds_status ds_elf_open(struct ds_dump *d, struct ds_err *err);

/* stated.c: bytes that a dump says it has, by its first bytes; 0 when they do not tell. */
uint64_t ds_dump_stated_size(const uint8_t *head, size_t have);

/* uefi.c: offline crash dumps of firmware. */
bool ds_uefi_probe(const uint8_t *head, size_t have);
enum ds_status ds_uefi_open(struct ds_dump *d, struct ds_err *err);

/* kdump.c: kdump-compressed files of guest machines. */
bool ds_kdump_probe(const uint8_t *head, size_t have);
enum ds_status ds_kdump_open(struct ds_dump *d, struct ds_err *err);

/* blobs.c: the chain that starts at `off`; `end` of it is where unrelated bytes begin. */
void ds_blobs_read(struct ds_dump *d, uint64_t off, bool required);

/* tail.c: stretches of zero bytes where none belong. */
void ds_tail_check_triage(struct ds_dump *d);
/* Pages of a full or bitmap dump: a few samples from the end on. */
void ds_tail_check_pages(struct ds_dump *d, uint64_t from, uint64_t to);

#endif
