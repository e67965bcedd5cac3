/* Tables over the container: what the file says about itself. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "dump/blob_names.h"
#include "dump/blob_summary.h"
#include "facts/render.h"
#include "facts/table.h"

static struct ds_dump *dump_of(struct ds_facts *f)
{
    return ds_nt_target(ds_facts_nt(f))->dump;
}

/* ---- dump ---- */

/* One row: the header and what the bootstrap made of it. */
struct dump_row {
    struct ds_dump_header header;
    const struct ds_target *target;
    const char *kind, *kind_text, *architecture, *version_name, *windows_version;
    const char *build_lab, *layout_source, *layout_trust;
    uint64_t file_size, physical_pages;
    struct ds_opt leftover_bytes, kernel_base, kdbg, build, revision;
    struct ds_opt size_of_dump, valid_marker, kernel_written, triage_options, top_of_stack;
    struct ds_opt drivers_stated, data_blocks_stated;
};

static void derive_system_time(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    ds_value_time(v, ((const struct dump_row *)row)->header.system_time);
}

static void derive_up_time(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt t = ((const struct dump_row *)row)->header.system_up_time;
    if (!t.known)
        return;
    char text[DS_CLOCK_TEXT];
    ds_clock_span(t.value, text);
    ds_buf_str(v->scratch, text);
    ds_value_scratch(v);
}

static void derive_attributes(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    struct ds_opt a = ((const struct dump_row *)row)->header.attributes;
    if (!a.known)
        return;
    ds_render_attributes((uint32_t)a.value, v->scratch);
    ds_value_scratch(v);
}

static void derive_complete_memory(struct ds_facts *f, const void *row, size_t i,
                                   struct ds_value *v)
{
    (void)row;
    (void)i;
    ds_value_u64(v, ds_dump_has_physical(dump_of(f)));
}

#define ROW struct dump_row
static const struct ds_column_spec dump_columns[] = {
    {"kind", DS_COL_TEXT,
     "container kind: triage, full, bitmap-full, bitmap-kernel, summary, range-kernel, "
     "range-kernel-user, range-full, elf, kdump, vmware, raw, header, damaged",
     "first lines of the session", DS_FIELD(ROW, kind)},
    {"kind_text", DS_COL_TEXT, "the kind in WinDbg's words", "first lines of the session",
     DS_FIELD(ROW, kind_text)},
    {"file_size", DS_COL_INTEGER, "bytes of the file", "", DS_FIELD(ROW, file_size)},
    {"is64", DS_COL_BOOL, "whether the header is the 64-bit form", "", DS_FIELD(ROW, header.is64)},
    {"machine", DS_COL_INTEGER, "IMAGE_FILE_MACHINE_* as stored; NULL when unset", ".effmach",
     DS_FIELD(ROW, header.machine)},
    {"architecture", DS_COL_TEXT, "x86, x64, arm, arm64 or unknown", ".effmach",
     DS_FIELD(ROW, architecture)},
    {"major_version", DS_COL_INTEGER, "0xf free build, 0xc checked build", "vertarget",
     DS_FIELD(ROW, header.major_version)},
    {"minor_version", DS_COL_INTEGER, "NT build number as the header has it", "vertarget",
     DS_FIELD(ROW, header.minor_version)},
    {"build", DS_COL_INTEGER, "NT build number as the bootstrap found it", "vertarget",
     DS_FIELD(ROW, build)},
    {"revision", DS_COL_INTEGER, "update build revision (UBR), from the kernel image's identity",
     "vertarget", DS_FIELD(ROW, revision)},
    {"windows_version", DS_COL_TEXT, "major.minor.build.revision, as far as known", "vertarget",
     DS_FIELD(ROW, windows_version)},
    {"windows_name", DS_COL_TEXT, "name of the Windows release", "vertarget",
     DS_FIELD(ROW, version_name)},
    {"build_lab", DS_COL_TEXT, "text of NtBuildLab", "vertarget", DS_FIELD(ROW, build_lab)},
    {"dtb", DS_COL_ADDRESS, "DirectoryTableBase as stored: physical, flag bits included", "r cr3",
     DS_FIELD(ROW, header.dtb)},
    {"pfn_database", DS_COL_ADDRESS, "PfnDataBase: virtual", "",
     DS_FIELD(ROW, header.pfn_database)},
    {"ps_loaded_module_list", DS_COL_ADDRESS, "PsLoadedModuleList: virtual", "vertarget",
     DS_FIELD(ROW, header.ps_loaded_module_list)},
    {"ps_active_process_head", DS_COL_ADDRESS, "PsActiveProcessHead: virtual", "",
     DS_FIELD(ROW, header.ps_active_process_head)},
    {"kd_debugger_data_block", DS_COL_ADDRESS, "KdDebuggerDataBlock as the header has it: virtual",
     "", DS_FIELD(ROW, header.kd_debugger_data_block)},
    {"kernel_base", DS_COL_ADDRESS, "base of the kernel image: virtual", "vertarget",
     DS_FIELD(ROW, kernel_base)},
    {"kdbg", DS_COL_ADDRESS, "KDDEBUGGER_DATA64 in use: virtual", "!kdbg", DS_FIELD(ROW, kdbg)},
    {"processor_count", DS_COL_INTEGER, "processors", "vertarget",
     DS_FIELD(ROW, header.processor_count)},
    {"dump_type", DS_COL_INTEGER, "DumpType as stored", ".dumpdebug",
     DS_FIELD(ROW, header.dump_type)},
    {"required_dump_space", DS_COL_INTEGER,
     "bytes that the writer asked for; not a size to compare for triage dumps", ".dumpdebug",
     DS_FIELD(ROW, header.required_dump_space)},
    {"system_time", DS_COL_INTEGER, "time of the dump: 100 ns since 1601, UTC", ".time",
     DS_FIELD(ROW, header.system_time)},
    {"system_time_utc", DS_COL_TEXT, "system_time as ISO 8601", ".time",
     DS_DERIVED(derive_system_time)},
    {"system_up_time", DS_COL_INTEGER, "time since start: 100 ns ticks", ".time",
     DS_FIELD(ROW, header.system_up_time)},
    {"up_time", DS_COL_TEXT, "system_up_time as days h:mm:ss.mmm", ".time",
     DS_DERIVED(derive_up_time)},
    {"mini_dump_fields", DS_COL_INTEGER, "MiniDumpFields as stored", ".dumpdebug",
     DS_FIELD(ROW, header.mini_dump_fields)},
    {"secondary_data_state", DS_COL_INTEGER, "SecondaryDataState as stored", ".dumpdebug",
     DS_FIELD(ROW, header.secondary_data_state)},
    {"product_type", DS_COL_INTEGER, "1 workstation, 2 domain controller, 3 server", "vertarget",
     DS_FIELD(ROW, header.product_type)},
    {"suite_mask", DS_COL_INTEGER, "VER_SUITE_* bits", "vertarget",
     DS_FIELD(ROW, header.suite_mask)},
    {"writer_status", DS_COL_INTEGER, "WriterStatus as stored: how writing the file ended",
     ".dumpdebug", DS_FIELD(ROW, header.writer_status)},
    {"kd_secondary_version", DS_COL_INTEGER, "KdSecondaryVersion as stored", ".dumpdebug",
     DS_FIELD(ROW, header.kd_secondary_version)},
    {"attributes", DS_COL_INTEGER, "Attributes as stored; NULL when the writer left it unset",
     ".dumpdebug", DS_FIELD(ROW, header.attributes)},
    {"attributes_text", DS_COL_TEXT, "attributes as named bits", ".dumpdebug",
     DS_DERIVED(derive_attributes)},
    {"boot_id", DS_COL_INTEGER, "BootId as stored", ".dumpdebug", DS_FIELD(ROW, header.boot_id)},
    {"pae_enabled", DS_COL_BOOL, "PaeEnabled; 32-bit headers only", ".dumpdebug",
     DS_FIELD(ROW, header.pae_enabled)},
    {"version_user", DS_COL_TEXT, "VersionUser; NULL when unset", "",
     DS_FIELD(ROW, header.version_user)},
    {"comment", DS_COL_TEXT, "Comment; NULL when unset", ".dumpdebug",
     DS_FIELD(ROW, header.comment)},
    {"has_physical", DS_COL_BOOL, "whether the file holds physical memory", "",
     DS_DERIVED(derive_complete_memory)},
    {"physical_pages", DS_COL_INTEGER, "captured physical pages of 4096 bytes", "",
     DS_FIELD(ROW, physical_pages)},
    {"leftover_bytes", DS_COL_INTEGER,
     "bytes at the end of the file that belong to nothing; NULL when it cannot be told where the "
     "dump ends",
     "", DS_FIELD(ROW, leftover_bytes)},
    {"size_of_dump", DS_COL_INTEGER, "triage: SizeOfDump, bytes before the secondary data",
     ".dumpdebug", DS_FIELD(ROW, size_of_dump)},
    {"valid_marker", DS_COL_BOOL, "triage: whether the end marker stands where it must",
     ".dumpdebug", DS_FIELD(ROW, valid_marker)},
    {"kernel_written", DS_COL_BOOL,
     "triage: written by the kernel itself, not extracted after the restart", ".dumpdebug",
     DS_FIELD(ROW, kernel_written)},
    {"triage_options", DS_COL_INTEGER, "triage: TriageOptions; NULL when unset", ".dumpdebug",
     DS_FIELD(ROW, triage_options)},
    {"top_of_stack", DS_COL_ADDRESS, "triage: first byte of the captured call stack: virtual",
     ".dumpdebug", DS_FIELD(ROW, top_of_stack)},
    {"drivers_stated", DS_COL_INTEGER, "triage: DriverCount as stored", ".dumpdebug",
     DS_FIELD(ROW, drivers_stated)},
    {"data_blocks_stated", DS_COL_INTEGER, "triage: DataBlocksCount as stored", ".dumpdebug",
     DS_FIELD(ROW, data_blocks_stated)},
    {"layout_source", DS_COL_TEXT, "where structure layouts come from; NULL when there are none",
     "", DS_FIELD(ROW, layout_source)},
    {"layout_trust", DS_COL_TEXT, "symbols, profile, nearest, guess or none", "",
     DS_FIELD(ROW, layout_trust)},
};
#undef ROW

static void dump_fill_triage(struct dump_row *r, const struct ds_triage *t)
{
    r->size_of_dump = t->size_of_dump;
    r->valid_marker = ds_opt_known(t->valid_marker);
    r->kernel_written = ds_opt_known(t->kernel_written);
    r->triage_options = t->triage_options;
    r->top_of_stack = t->top_of_stack;
    r->drivers_stated = ds_opt_known(t->driver_count_stated);
    r->data_blocks_stated = ds_opt_known(t->block_count_stated);
}

static const char *windows_version(struct ds_facts *f, const struct ds_target *t)
{
    char text[64];
    if (t->version_exact)
        snprintf(text, sizeof(text), "%u.%u.%u.%u", t->version.major, t->version.minor,
                 t->version.build, t->version.revision);
    else if (t->build.known)
        snprintf(text, sizeof(text), "build %u", (unsigned)t->build.value);
    else
        return NULL;
    return ds_arena_strdup(ds_facts_arena(f), text, strlen(text));
}

static void dump_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct dump_row *r = ds_facts_rows_alloc(f, 1, sizeof(*r));
    if (r == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    const struct ds_target *t = ds_nt_target(ds_facts_nt(f));
    struct ds_dump *d = t->dump;
    r->header = *ds_dump_header(d);
    r->target = t;
    r->kind = ds_dump_kind_name(ds_dump_kind(d));
    r->kind_text = ds_dump_kind_text(ds_dump_kind(d));
    r->architecture = ds_arch_name(r->header.arch);
    r->file_size = ds_dump_file_size(d);
    r->physical_pages = ds_dump_phys_pages(d);
    if (ds_dump_leftover_known(d))
        r->leftover_bytes = ds_opt_known(ds_dump_leftover_bytes(d));
    r->kernel_base = t->kernel_base;
    r->kdbg = t->kdbg;
    r->build = t->build;
    r->revision = t->revision;
    r->build_lab = t->build_lab;
    r->windows_version = windows_version(f, t);
    if (t->build.known)
        r->version_name =
            ds_version_name((uint32_t)t->build.value, ds_opt_or(r->header.product_type, 1) > 1);
    r->layout_trust = ds_trust_name(t->layout ? ds_layout_trust(t->layout) : DS_TRUST_NONE);
    r->layout_source = t->layout ? ds_layout_source(t->layout) : NULL;
    if (ds_dump_triage(d))
        dump_fill_triage(r, ds_dump_triage(d));
    *ret = ds_rows_complete(r, sizeof(*r), 1);
}

DS_TABLE(dump, "One row: the header of the dump and what the file is.", "vertarget, .dumpdebug",
         dump_columns, dump_fill, NULL);

/* ---- integrity ---- */

/* Rows are read from the live list by number: walkers of other rooms may add to it, and growing
 * moves it. */
static const struct ds_integrity_note *note_at(struct ds_facts *f, size_t i)
{
    const struct ds_integrity *in = ds_dump_integrity(dump_of(f));
    return i < in->count ? &in->notes[i] : NULL;
}

static void note_level(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_integrity_note *n = note_at(f, i);
    if (n)
        ds_value_text(v, ds_integrity_level_name(n->level));
}

static void note_check(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_integrity_note *n = note_at(f, i);
    if (n)
        ds_value_text(v, n->check);
}

static void note_offset(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_integrity_note *n = note_at(f, i);
    if (n && n->offset != DS_NO_OFFSET)
        ds_value_u64(v, n->offset);
}

static void note_expected(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_integrity_note *n = note_at(f, i);
    if (n)
        ds_value_nonempty(v, n->expected);
}

static void note_found(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_integrity_note *n = note_at(f, i);
    if (n)
        ds_value_nonempty(v, n->found);
}

static void note_lost(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)row;
    const struct ds_integrity_note *n = note_at(f, i);
    if (n)
        ds_value_nonempty(v, n->lost);
}

static const struct ds_column_spec integrity_columns[] = {
    {"number", DS_COL_INTEGER, "position in the list, from 0", "", DS_DERIVED(ds_derive_number)},
    {"level", DS_COL_TEXT,
     "note (nothing is lost), damage (the file contradicts itself or ends early), fatal", "",
     DS_DERIVED(note_level)},
    {"check_name", DS_COL_TEXT, "stable dotted name of the check: file.truncated", "",
     DS_DERIVED(note_check)},
    {"file_offset", DS_COL_INTEGER, "file offset of the bytes at fault; NULL when there is none",
     "", DS_DERIVED(note_offset)},
    {"expected", DS_COL_TEXT, "what should stand there", "", DS_DERIVED(note_expected)},
    {"found", DS_COL_TEXT, "what stands there", "", DS_DERIVED(note_found)},
    {"lost", DS_COL_TEXT, "what is lost by it, and what can still be trusted", "",
     DS_DERIVED(note_lost)},
};

static void integrity_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_integrity *in = ds_dump_integrity(dump_of(f));
    *ret = in->dropped ? ds_rows_cut(NULL, 0, in->count, DS_LIMIT, "notes were dropped")
                       : ds_rows_complete(NULL, 0, in->count);
}

const struct ds_table ds_table_integrity = {
    .spec = {.name = "integrity",
             .doc = "What is wrong with the file, one row per finding of a check.",
             .windbg = "warnings of the session's first lines",
             .columns = integrity_columns,
             .column_count = sizeof(integrity_columns) / sizeof(integrity_columns[0])},
    .fill = integrity_fill,
    .volatile_rows = true};

/* ---- physical_runs ---- */

static void derive_run_offset(struct ds_facts *f, const void *row, size_t i, struct ds_value *v)
{
    (void)f;
    (void)i;
    uint64_t offset = ((const struct ds_phys_run *)row)->file_offset;
    if (offset != DS_NO_OFFSET)
        ds_value_u64(v, offset);
}

#define ROW struct ds_phys_run
static const struct ds_column_spec run_columns[] = {
    {"pa", DS_COL_ADDRESS, "first byte: physical", "", DS_FIELD(ROW, pa)},
    {"size", DS_COL_INTEGER, "bytes", "", DS_FIELD(ROW, size)},
    {"file_offset", DS_COL_INTEGER, "where its bytes begin in the file; NULL when scattered", "",
     DS_DERIVED(derive_run_offset)},
};
#undef ROW

static void runs_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_dump *d = dump_of(f);
    size_t count = ds_dump_phys_run_count(d);
    bool over = count > DS_LIMIT_RUNS;
    if (over)
        count = DS_LIMIT_RUNS;
    struct ds_phys_run *rows = ds_facts_rows_alloc(f, count, sizeof(*rows));
    size_t n = 0;
    while (rows && n < count && ds_dump_phys_run(d, n, &rows[n]))
        n++;
    if (rows == NULL)
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
    else if (over)
        *ret = ds_rows_cut(rows, sizeof(*rows), n, DS_LIMIT, "more runs than are listed");
    else if (n < count)
        *ret = ds_rows_cut(rows, sizeof(*rows), n, DS_CORRUPT, "");
    else
        *ret = ds_rows_complete(rows, sizeof(*rows), n);
}

DS_TABLE(physical_runs, "Captured physical memory, ascending; empty for triage dumps.",
         ".dumpdebug (Physical Memory Description)", run_columns, runs_fill, "pa");

/* ---- virtual_ranges ---- */

#define ROW struct ds_virt_range
static const struct ds_column_spec range_columns[] = {
    {"va", DS_COL_ADDRESS, "first byte: virtual", "", DS_FIELD(ROW, va)},
    {"size", DS_COL_INTEGER, "bytes", "", DS_FIELD(ROW, size)},
    {"file_offset", DS_COL_INTEGER, "where its bytes begin in the file", "",
     DS_FIELD(ROW, file_offset)},
    {"origin", DS_COL_TEXT, "which record of the dump it is: data block, call stack, ...", "",
     DS_FIELD(ROW, origin)},
};
#undef ROW

static void ranges_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_dump *d = dump_of(f);
    size_t count = ds_dump_virt_range_count(d);
    struct ds_virt_range *rows = ds_facts_rows_alloc(f, count, sizeof(*rows));
    if (rows == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = *ds_dump_virt_range(d, i);
    *ret = ds_rows_complete(rows, sizeof(*rows), count);
}

DS_TABLE(virtual_ranges,
         "Captured pieces of virtual memory (triage dumps); they may overlap, the first wins.",
         ".dumpdebug (data blocks)", range_columns, ranges_fill, NULL);

/* ---- secondary_blobs ---- */

struct blob_row {
    struct ds_blob blob;
    const char *name, *description; /* static; NULL when the tag is not known */
    const char *summary;
    char preview[2 * DS_BLOB_PREVIEW + 1], preview_text[DS_BLOB_PREVIEW + 1];
};

#define ROW struct blob_row
static const struct ds_column_spec blob_columns[] = {
    {"number", DS_COL_INTEGER, "position in the file, from 0", "", DS_DERIVED(ds_derive_number)},
    {"tag", DS_COL_TEXT, "GUID that names the kind of data", ".enumtag", DS_FIELD(ROW, blob.tag)},
    {"name", DS_COL_TEXT, "what that is; NULL when not known", ".enumtag", DS_FIELD(ROW, name)},
    {"description", DS_COL_TEXT, "what it holds; NULL when not known", "",
     DS_FIELD(ROW, description)},
    {"file_offset", DS_COL_INTEGER, "where its data begin in the file", "",
     DS_FIELD(ROW, blob.file_offset)},
    {"size", DS_COL_INTEGER, "bytes as stated", ".enumtag", DS_FIELD(ROW, blob.size)},
    {"captured", DS_COL_INTEGER, "bytes of it that the file holds", "",
     DS_FIELD(ROW, blob.captured)},
    {"summary", DS_COL_TEXT,
     "what this one holds, in a few words; NULL when its layout is not known", "",
     DS_FIELD(ROW, summary)},
    {"preview", DS_COL_TEXT, "its first 32 bytes in hex; NULL when it has none", ".enumtag",
     DS_FIELD(ROW, preview)},
    {"preview_text", DS_COL_TEXT, "the same as ASCII, with a dot for what cannot be printed",
     ".enumtag", DS_FIELD(ROW, preview_text)},
};
#undef ROW

static const char *blob_summary(struct ds_facts *f, struct ds_dump *d, size_t index)
{
    struct ds_buf text;
    ds_buf_init(&text, 512);
    ds_blob_summary(d, index, &text);
    const char *kept =
        text.len > 0 ? ds_arena_strdup(ds_facts_arena(f), text.data, text.len) : NULL;
    ds_buf_deinit(&text);
    return kept;
}

static void blobs_fill(struct ds_facts *f, struct ds_rows *ret)
{
    struct ds_dump *d = dump_of(f);
    size_t count = ds_dump_blob_count(d);
    struct blob_row *rows = ds_facts_rows_alloc(f, count, sizeof(*rows));
    if (rows == NULL) {
        *ret = ds_rows_cut(NULL, 0, 0, DS_NO_MEMORY, "");
        return;
    }
    bool whole = true;
    for (size_t i = 0; i < count; i++) {
        const struct ds_blob *b = ds_dump_blob(d, i);
        const struct ds_blob_tag *tag = ds_blob_tag_find(b->tag);
        rows[i].blob = *b;
        rows[i].name = tag != NULL ? tag->name : NULL;
        rows[i].description = tag != NULL ? tag->description : NULL;
        rows[i].summary = blob_summary(f, d, i);
        ds_blob_preview(d, i, rows[i].preview, rows[i].preview_text);
        whole = whole && b->captured >= b->size;
    }
    *ret = whole ? ds_rows_complete(rows, sizeof(*rows), count)
                 : ds_rows_cut(rows, sizeof(*rows), count, DS_TRUNCATED, "a blob is cut short");
}

DS_TABLE(secondary_blobs, "Secondary data blobs that drivers added to the dump.", ".enumtag",
         blob_columns, blobs_fill, NULL);
