/* What lies behind the opaque types of dumpscan.h. Private to src/api. */
#ifndef DS_API_IMPL_H
#define DS_API_IMPL_H

#include "dumpscan/dumpscan.h"
#include "report/report.h"

struct ds_options {
    char *symbol_path; /* owned; NULL = none */
    char **patterns;   /* owned */
    size_t pattern_count;
    uint64_t max_inflated; /* 0 = the default */
    ds_progress_fn *progress;
    void *progress_arg;
    bool raw;
    struct ds_target_overrides overrides; /* unknown where not set; calloc'ed is unknown */
};

/* Frees what the options own. */
void ds_options_clear(struct ds_options *o);
/* A deep copy; `from` may be NULL. Errors: DS_NO_MEMORY. */
enum ds_status ds_options_copy(struct ds_options *to, const struct ds_options *from) DS_MUST_CHECK;

/*
 * Built in stages, each on first use: dump (at open), facts with nt and target (memory, SQL),
 * findings with patterns, report.
 */
struct ds_snapshot {
    char *name;
    struct ds_options options;
    struct ds_dump *dump; /* owned until nt takes it over; valid as long as the snapshot */
    struct ds_nt *nt;     /* owned */
    struct ds_facts *facts;
    struct ds_patterns *patterns;
    struct ds_findings *findings;
    struct ds_report *report;
};

struct ds_unpack_options;
/*
 * Opens the memory or saved state of a VMware machine together with the file beside it. False when
 * it is neither. `path` may be ARCHIVE!MEMBER, and `o` says how far archives are followed. `src` is
 * taken over on success only.
 */
bool ds_snapshot_vmware(struct ds_source *src, const char *path, const struct ds_unpack_options *o,
                        struct ds_dump **ret, enum ds_status *status, struct ds_err *err);

/* Makes sure that nt and facts are there. */
enum ds_status ds_snapshot_need_facts(struct ds_snapshot *s, struct ds_err *err) DS_MUST_CHECK;
/* Makes sure that the report is there. */
enum ds_status ds_snapshot_need_report(struct ds_snapshot *s, struct ds_err *err) DS_MUST_CHECK;

#endif
