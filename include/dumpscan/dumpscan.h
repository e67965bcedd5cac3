/*
 * libdumpscan: reads Windows kernel crash dumps and says what went wrong.
 *
 *     struct ds_snapshot *s;
 *     struct ds_err err;
 *     if (ds_snapshot_open("memory.dmp", NULL, &s, &err) != DS_OK) {
 *         fprintf(stderr, "%s\n", err.text);
 *         return 1;
 *     }
 *     char *text;
 *     if (ds_snapshot_report_string(s, DS_FORMAT_TEXT, 0, &text, NULL, &err) == DS_OK) {
 *         fputs(text, stdout);
 *         ds_string_free(text);
 *     }
 *     ds_snapshot_close(s);
 *
 * Lifetime. A snapshot is one opened dump. Everything that it gives out (findings, their texts)
 * is borrowed and lives until ds_snapshot_close(). Strings for the caller to keep are released
 * by ds_string_free(). All text is UTF-8. Text that came from a dump is not escaped, except in
 * finished reports.
 *
 * Errors. Functions return an enum ds_status that must be looked at; with it comes an optional,
 * caller-owned struct ds_err (may be NULL). Result parameters are untouched on failure.
 *
 * Cost. Opening reads headers only. The address space, tables and patterns are built when they
 * are first asked for; the calls that do so say it.
 *
 * Threads. There is no global state. Different snapshots may be used by different threads at
 * the same time; one snapshot by one thread at a time. Callbacks run in the calling thread and
 * must not close the snapshot.
 *
 * The library never prints, exits, or reads the environment.
 */
#ifndef DUMPSCAN_DUMPSCAN_H
#define DUMPSCAN_DUMPSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dumpscan/finding.h"
#include "dumpscan/query.h"
#include "dumpscan/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the library ---- */

/** The library's version, "1.2.3". Constant. */
const char *ds_library_version(void);

/** Releases a string that a function of this header gave to the caller. NULL is allowed. */
void ds_string_free(char *s);

/* ---- options ---- */

/** Settings of an open; opaque, so that more can be added. */
struct ds_options;

/** New options with the defaults. Errors: DS_NO_MEMORY. Free with ds_options_free(). */
enum ds_status ds_options_new(struct ds_options **ret) DS_MUST_CHECK;
/** NULL is allowed. Options may be freed while snapshots opened with them live on. */
void ds_options_free(struct ds_options *o);
/**
 * Where symbol tables are looked for: elements separated by ';', each a folder, a file,
 * "srv*store" or "cache*folder". Nothing is fetched from a network. NULL clears it.
 * Errors: DS_NO_MEMORY.
 */
enum ds_status ds_options_set_symbol_path(struct ds_options *o, const char *path) DS_MUST_CHECK;
/**
 * Adds a pattern file, or a folder of them, to the built-in patterns; may be called several
 * times. A pattern with a known id replaces it. Read when patterns are first run.
 * Errors: DS_NO_MEMORY.
 */
enum ds_status ds_options_add_patterns(struct ds_options *o, const char *path) DS_MUST_CHECK;

/**
 * How many bytes one archive (gzip, zip member) may inflate to; 0 = 1 GiB more than the dump inside
 * says it has, where its first bytes tell, and never more than 64 GiB.
 * An archive that holds more is refused with DS_LIMIT.
 */
void ds_options_set_max_inflated(struct ds_options *o, uint64_t bytes);
/**
 * Called now and then while an archive is inflated for the first time, from within
 * ds_snapshot_open(): bytes of the archive done, of how many, and bytes that came out.
 */
typedef void ds_progress_fn(uint64_t done, uint64_t total, uint64_t out, void *arg);
/** Sets the function; NULL clears it. `arg` stays the caller's. */
void ds_options_set_progress(struct ds_options *o, ds_progress_fn *progress, void *arg);

/**
 * Overrides for a dump whose header is wrong and whose kernel is not found: the physical address of
 * a page directory (as in CR3), the virtual address of the kernel's image, and that of
 * KDDEBUGGER_DATA64. Each is used whatever it leads to; the table bootstrap_steps says how far it
 * is borne out, and `integrity` notes it when it is not. Minidumps keep no page tables: they ignore
 * these.
 */
void ds_options_set_dtb(struct ds_options *o, uint64_t pa);
/** The same for the base of the kernel's image: virtual. */
void ds_options_set_kernel_base(struct ds_options *o, uint64_t va);
/** The same for KDDEBUGGER_DATA64: virtual. */
void ds_options_set_kdbg(struct ds_options *o, uint64_t va);

/**
 * Takes the file for raw physical memory from address 0 on, whatever its first bytes look like. A
 * file without the signature of a known format is tried as that in any case.
 */
void ds_options_set_raw(struct ds_options *o, bool raw);

/* ---- opening ---- */

/** One opened dump. */
struct ds_snapshot;

/**
 * Opens a dump file (path in UTF-8). `options` may be NULL. A gzip file, and a zip archive that
 * holds one dump, are read in place; a dump among others in a zip archive is named
 * ARCHIVE!MEMBER. Inflating such an archive once is part of the open. Damage is no error: what
 * can be opened is opened, and the report says what is lost. Errors: DS_NOT_FOUND, DS_IO,
 * DS_NOT_DUMP and DS_UNSUPPORTED (the text names what the file is and what to do),
 * DS_TRUNCATED (too short for a header), DS_CORRUPT (an archive from which nothing comes out),
 * DS_LIMIT (an archive that inflates beyond its limit), DS_INVALID (a zip archive with several
 * dumps and none named), DS_NO_MEMORY.
 */
enum ds_status ds_snapshot_open(const char *path, const struct ds_options *options,
                                struct ds_snapshot **ret, struct ds_err *err) DS_MUST_CHECK;
/**
 * Gives each input that a path stands for, as paths for ds_snapshot_open(): ARCHIVE!MEMBER for
 * every dump of a zip archive with several of them, else the path as it is, whatever it is.
 * `each` returns false to stop; its string lives during the call. Errors: DS_NO_MEMORY.
 */
enum ds_status ds_input_list(const char *path, bool (*each)(const char *input, void *arg),
                             void *arg) DS_MUST_CHECK;
/**
 * The same over memory that the caller keeps alive and unchanged until the close. `name` is
 * what the report calls it. Errors: as ds_snapshot_open(), without those of the file.
 */
enum ds_status ds_snapshot_open_memory(const void *data, size_t size, const char *name,
                                       const struct ds_options *options, struct ds_snapshot **ret,
                                       struct ds_err *err) DS_MUST_CHECK;
/** Releases the snapshot and everything borrowed from it. NULL is allowed. */
void ds_snapshot_close(struct ds_snapshot *s);

/* ---- header facts (nothing beyond the header is read) ---- */

/** Facts of the dump header. New values may be added at the end. */
enum ds_fact {
    DS_FACT_FILE_SIZE,           /**< bytes */
    DS_FACT_MACHINE,             /**< IMAGE_FILE_MACHINE_* */
    DS_FACT_POINTER_SIZE,        /**< 4 or 8 */
    DS_FACT_BUILD,               /**< NT build number */
    DS_FACT_PROCESSORS,          /**< how many */
    DS_FACT_BUGCHECK_CODE,       /**< raw, variant flags included */
    DS_FACT_BUGCHECK_PARAMETER1, /**< and the next three follow in order */
    DS_FACT_BUGCHECK_PARAMETER2,
    DS_FACT_BUGCHECK_PARAMETER3,
    DS_FACT_BUGCHECK_PARAMETER4,
    DS_FACT_SYSTEM_TIME, /**< FILETIME: 100 ns since 1601, UTC */
    DS_FACT_UPTIME,      /**< 100 ns */
    DS_FACT_DUMP_TYPE,   /**< raw DumpType */
    DS_FACT_ATTRIBUTES,  /**< raw Attributes */
    DS_FACT_DTB,         /**< physical address, raw DirectoryTableBase */
    DS_FACT_COUNT
};

/**
 * One header fact. Errors: DS_NOT_FOUND when the dump does not record it, DS_TRUNCATED when the
 * file ends before it, DS_INVALID for a value outside the enum.
 */
enum ds_status ds_snapshot_fact(const struct ds_snapshot *s, enum ds_fact fact,
                                uint64_t *ret) DS_MUST_CHECK;
/** The dump's kind: "triage", "full", "bitmap-full", "bitmap-kernel", "summary", "range-kernel",
 * "range-kernel-user", "range-full", "elf", "kdump", "vmware", "uefi", "raw", "header", "damaged".
 */
const char *ds_snapshot_kind(const struct ds_snapshot *s);
/** "x86", "x64", "arm", "arm64", "unknown". */
const char *ds_snapshot_architecture(const struct ds_snapshot *s);

/* ---- memory ---- */

/**
 * Reads physical memory. All `len` bytes, or the reason why not, and then the first address
 * that could not be read in *fault (may be NULL). Errors: DS_NOT_IN_DUMP, DS_TRUNCATED, DS_IO.
 */
enum ds_status ds_snapshot_read_physical(struct ds_snapshot *s, uint64_t pa, void *buf, size_t len,
                                         uint64_t *fault) DS_MUST_CHECK;
/**
 * The first stretch of captured physical memory at or behind `pa`, in whole pages of 4096 bytes:
 * all of it can be read. Errors: DS_NOT_FOUND when there is no more.
 */
enum ds_status ds_snapshot_next_physical(struct ds_snapshot *s, uint64_t pa, uint64_t *start,
                                         uint64_t *size) DS_MUST_CHECK;
/**
 * Reads the captured pages from *pa on, in the order of their addresses and across all holes: the
 * fastest way to go through all memory. `buf` has room for `max` (at least 1) pages of 4096
 * bytes, `addresses` for as many addresses; *count gets how many were read, *pa the last byte of
 * the last of them, to go on from. About 64 pages at a time suit caches best. Errors:
 * DS_NOT_FOUND when there are no more, DS_INVALID when max is 0, DS_TRUNCATED, DS_IO.
 */
enum ds_status ds_snapshot_read_pages(struct ds_snapshot *s, uint64_t *pa, void *buf,
                                      uint64_t *addresses, size_t max, size_t *count) DS_MUST_CHECK;
/**
 * Reads kernel virtual memory in the same way. Finds the kernel on first use. Errors: the read
 * faults of enum ds_status; DS_UNSUPPORTED when the dump gives no virtual memory at all.
 */
enum ds_status ds_snapshot_read_virtual(struct ds_snapshot *s, uint64_t va, void *buf, size_t len,
                                        uint64_t *fault) DS_MUST_CHECK;

/* ---- SQL ---- */

/**
 * Runs one SELECT over the tables of docs/TABLES.md, in a sandbox: it can read those tables and
 * nothing else, and is stopped after max_rows rows or max_ms milliseconds (0 = the default
 * caps). `each` gets the rows. Finds the kernel on first use. Errors: DS_INVALID (not one
 * SELECT; the text says what is wrong), DS_LIMIT (stopped at a cap; the rows so far were given),
 * DS_NO_MEMORY.
 */
enum ds_status ds_snapshot_query(struct ds_snapshot *s, const char *sql, uint64_t max_rows,
                                 uint64_t max_ms, ds_row_fn *each, void *arg,
                                 struct ds_err *err) DS_MUST_CHECK;

/* ---- patterns and findings ---- */

/** One finding; borrowed from its snapshot. */
struct ds_finding;

/**
 * Runs the patterns, once; later calls return at once. Errors: DS_INVALID (a pattern file is
 * wrong; file, place and reason in the text), DS_NOT_FOUND, DS_NO_MEMORY.
 */
enum ds_status ds_snapshot_analyse(struct ds_snapshot *s, struct ds_err *err) DS_MUST_CHECK;
/** Findings, ranked: matches by severity, then "cannot tell", "no match" and "does not apply". 0
 * before ds_snapshot_analyse(). */
size_t ds_snapshot_finding_count(const struct ds_snapshot *s);
/** NULL when out of range. */
const struct ds_finding *ds_snapshot_finding(const struct ds_snapshot *s, size_t index);
/** The pattern's id, "bugcheck-explained". */
const char *ds_finding_id(const struct ds_finding *f);
/** The pattern's title. */
const char *ds_finding_title(const struct ds_finding *f);
/** How much it matters. */
enum ds_severity ds_finding_severity(const struct ds_finding *f);
/** How the pattern ended. */
enum ds_outcome ds_finding_outcome(const struct ds_finding *f);
/** How many times the situation was found; 0 unless the outcome is a match. */
size_t ds_finding_instances(const struct ds_finding *f);
/** The message of one instance; for "cannot tell" and "does not apply", index 0 gives the reason.
 * NULL out of range. */
const char *ds_finding_message(const struct ds_finding *f, size_t index);

/* ---- reports ---- */

/** What a report is written as. */
enum ds_format {
    DS_FORMAT_TEXT, /**< for people, escaped for a terminal */
    DS_FORMAT_JSON, /**< indented; docs/report.schema.json is the contract */
    DS_FORMAT_JSONL /**< the same on one line, without a newline */
};

/** Text: colour by terminal escape sequences. */
#define DS_REPORT_COLOUR 1u
/** Text: registers, every driver, patterns that did not match, how the kernel was found. */
#define DS_REPORT_VERBOSE 2u

/** Takes `len` bytes of a report. Return false to stop; the writer then returns DS_IO. */
typedef bool ds_write_fn(const char *data, size_t len, void *arg);

/**
 * Analyses (when not done yet) and writes the report through `write`. `flags`: DS_REPORT_*.
 * Errors: as ds_snapshot_analyse(); DS_NO_MEMORY also when it grows beyond all measure; DS_IO.
 */
enum ds_status ds_snapshot_report(struct ds_snapshot *s, enum ds_format format, unsigned flags,
                                  ds_write_fn *write, void *arg, struct ds_err *err) DS_MUST_CHECK;
/** The same into a string for the caller to free. *len (may be NULL) gets its bytes. */
enum ds_status ds_snapshot_report_string(struct ds_snapshot *s, enum ds_format format,
                                         unsigned flags, char **ret, size_t *len,
                                         struct ds_err *err) DS_MUST_CHECK;
/** ds_snapshot_strip(): leave out the paths of process images, which may hold a person's name. */
#define DS_STRIP_PATHS 1u
/** ds_snapshot_strip(): leave out all secondary data. */
#define DS_STRIP_BLOBS 2u

/** What ds_snapshot_strip() did. */
struct ds_strip_result {
    uint64_t leftover_bytes; /**< left out: bytes at the end that belong to nothing */
    uint64_t blobs;          /**< left out: secondary data blobs */
    uint64_t blob_bytes;     /**< their bytes in the file, headers included */
    uint64_t written;        /**< bytes of the copy */
    bool damaged;            /**< the dump is damaged; the copy is as much of it as there is */
};

/**
 * Writes a copy of the dump without what is private and no reader needs: the bytes after its end,
 * and what `flags` (DS_STRIP_*) says. Everything else reads as before. Errors: DS_UNSUPPORTED when
 * the dump holds memory itself and there is nothing to leave out; DS_TRUNCATED when it cannot be
 * told where the dump ends; DS_IO. Nothing was written then, but for DS_IO.
 */
enum ds_status ds_snapshot_strip(struct ds_snapshot *s, unsigned flags, ds_write_fn *write,
                                 void *arg, struct ds_strip_result *ret,
                                 struct ds_err *err) DS_MUST_CHECK;

/** What the header alone tells, in the same formats; reads nothing else. */
enum ds_status ds_snapshot_info_string(struct ds_snapshot *s, enum ds_format format, unsigned flags,
                                       char **ret, size_t *len, struct ds_err *err) DS_MUST_CHECK;
/**
 * The exit status that the command line gives: 0 analysed, 4 the file contradicts itself or ends
 * early, 10 a finding at or above *fail_on (NULL = never), 1 when memory ran out in an earlier
 * call. Call after ds_snapshot_analyse().
 */
int ds_snapshot_exit_status(const struct ds_snapshot *s, const enum ds_severity *fail_on);
/**
 * The JSON record of an input that could not be opened, from the path and the error of
 * ds_snapshot_open(). Errors: DS_NO_MEMORY.
 */
enum ds_status ds_refusal_string(const char *path, const struct ds_err *why, enum ds_format format,
                                 char **ret) DS_MUST_CHECK;
/**
 * The exit status for a failed open: 3 for DS_NOT_DUMP, DS_UNSUPPORTED and DS_LIMIT, 4 for
 * DS_TRUNCATED and DS_CORRUPT, 2 for DS_INVALID (several dumps and none named), else 1.
 */
int ds_refusal_exit_status(enum ds_status status);

/* ---- several dumps together ---- */

/** What several dumps say together: the same bit wrong again and again on one machine. */
struct ds_series;

/** A new, empty series. Errors: DS_NO_MEMORY. Free with ds_series_free(). */
enum ds_status ds_series_new(struct ds_series **ret) DS_MUST_CHECK;
/** NULL is allowed. */
void ds_series_free(struct ds_series *series);
/**
 * Adds what a dump says of its machine and of wrong bits; the snapshot may be closed afterwards.
 * Finds the kernel on first use. Errors: DS_NO_MEMORY, DS_LIMIT (too many dumps; those before it
 * still count).
 */
enum ds_status ds_series_add(struct ds_series *series, struct ds_snapshot *s,
                             struct ds_err *err) DS_MUST_CHECK;
/**
 * What they say together, in the formats of a report. DS_NOT_FOUND when no two dumps are known to
 * be of one machine. Errors: DS_NO_MEMORY.
 */
enum ds_status ds_series_string(const struct ds_series *series, enum ds_format format,
                                unsigned flags, char **ret) DS_MUST_CHECK;

/* ---- conversion ---- */

/** Which form of DMP is written. */
enum ds_dump_form {
    DS_FORM_AUTO,  /**< a complete dump when memory lies in few enough runs, else a bitmap dump */
    DS_FORM_FULL,  /**< a complete dump (type 1) */
    DS_FORM_BITMAP /**< a bitmap dump (type 5); 64-bit systems only */
};
/**
 * Writes the memory of any container as a DMP that debuggers open: the header is made of what
 * the analysis found out, the context is that of the crashed processor, and an encoded
 * KDDEBUGGER_DATA64 is decoded. Finds the kernel on first use. Errors: DS_UNSUPPORTED (a
 * minidump, or a form that cannot hold the memory), DS_LIMIT, DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_snapshot_convert(struct ds_snapshot *s, enum ds_dump_form form,
                                   ds_write_fn *write, void *arg, struct ds_err *err) DS_MUST_CHECK;

/* ---- knowledge that needs no dump ---- */

/**
 * What a bugcheck code and its parameters mean, as text lines. Bit i of `known` says that
 * parameters[i] was given (`parameters` may be NULL when known is 0). DS_NOT_FOUND, with a text
 * in *ret all the same, when the code is not listed. Errors: DS_NO_MEMORY.
 */
enum ds_status ds_explain_bugcheck(uint32_t code, const uint64_t parameters[4], unsigned known,
                                   char **ret) DS_MUST_CHECK;
/** The code of a bugcheck name, without regard to case. Errors: DS_NOT_FOUND. */
enum ds_status ds_bugcheck_by_name(const char *name, uint32_t *ret) DS_MUST_CHECK;
/**
 * What an error code means as NTSTATUS, HRESULT and Win32 code, one line each. DS_NOT_FOUND,
 * with a text in *ret all the same, when it is listed in none. Errors: DS_NO_MEMORY.
 */
enum ds_status ds_explain_error(uint32_t code, char **ret) DS_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
