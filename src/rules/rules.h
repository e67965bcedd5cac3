/*
 * Patterns: data files with one SELECT each, run over the facts, ending in match, no match,
 * cannot tell or does not apply. And the culprit: who is probably to blame, with reasons.
 */
#ifndef DS_RULES_RULES_H
#define DS_RULES_RULES_H

#include "dumpscan/finding.h"
#include "facts/facts.h"

/* A loaded pattern; strings owned by the set. */
struct ds_pattern {
    const char *id, *title, *query, *message, *explain;
    enum ds_severity severity;
    const char *verdict; /* "hardware", "memory-corruption", "exhaustion", "hang": what a match may
                            make the verdict, with the confidence of the row's column `confidence`;
                            NULL for others */
    const char *const *applies; /* conditions (applies.h), all of them; none: any dump */
    size_t applies_count;
    const char *stack_of; /* column of the query that names threads whose stacks belong to the
                             finding; NULL for others */
    const char *const *requires_; /* "table" or "table.column" */
    size_t requires_count;
    const char *const *next_steps;
    size_t next_step_count;
    const char *const *references;
    size_t reference_count;
    const char *const *tests; /* descriptions under tests/patterns/<id>/ */
    size_t test_count;
    const char *origin; /* "built-in" or the file's path */
};

struct ds_patterns;
/* The compiled-in patterns. Errors: DS_NO_MEMORY, DS_CORRUPT (a defect of the build). */
enum ds_status ds_patterns_open(struct ds_patterns **ret, struct ds_err *err) DS_MUST_CHECK;
/* Adds every *.json of a folder (or one file), checked as ds_patterns_check does; a pattern with
 * a known id replaces it. Errors: DS_INVALID with file, line and what is wrong; DS_NOT_FOUND for
 * a folder without patterns. */
enum ds_status ds_patterns_add_path(struct ds_patterns *p, const char *path,
                                    struct ds_err *err) DS_MUST_CHECK;
/*
 * Checks every *.json of a folder (or one file) and gives each file to `each`, in order of name,
 * with its pattern, or NULL and what is wrong with it. No dump is needed: tables, columns and
 * placeholders are checked against the specification, the query against the sandbox. Errors:
 * DS_INVALID when any file is wrong, DS_NOT_FOUND when there is none.
 */
typedef void ds_pattern_check_fn(const char *file, const struct ds_pattern *pattern,
                                 const char *problem, void *arg);
enum ds_status ds_patterns_check_path(const char *path, ds_pattern_check_fn *each, void *arg,
                                      struct ds_err *err) DS_MUST_CHECK;
/* Checks the text of one pattern as if it were the file `name`.json, and adds it. */
enum ds_status ds_patterns_add_text(struct ds_patterns *p, const char *name, const char *text,
                                    size_t size, struct ds_err *err) DS_MUST_CHECK;
/* A set without the compiled-in patterns. */
enum ds_status ds_patterns_open_empty(struct ds_patterns **ret, struct ds_err *err) DS_MUST_CHECK;
void ds_patterns_close(struct ds_patterns *p);
size_t ds_patterns_count(const struct ds_patterns *p);
const struct ds_pattern *ds_patterns_at(const struct ds_patterns *p, size_t index);
const struct ds_pattern *ds_patterns_find(const struct ds_patterns *p, const char *id);

/* One evidence value of one instance: column name and value as shown ("0x…" for addresses). */
struct ds_evidence {
    const char *name;
    struct ds_cell cell; /* text is owned by the findings */
};
struct ds_instance {
    const char *message; /* the pattern's message with its placeholders filled */
    const struct ds_evidence *evidence;
    size_t evidence_count;
};
struct ds_finding {
    const struct ds_pattern *pattern; /* borrowed from the set */
    enum ds_outcome outcome;
    bool partial;            /* a match over a table whose walk was cut short */
    const char *cannot_tell; /* which walk or column, and how many rows; NULL otherwise */
    const char *not_asked;   /* why it does not apply: "needs a kernel or complete dump"; static;
                                NULL otherwise */
    const struct ds_instance *instances;
    size_t instance_count;
    size_t instances_dropped; /* beyond DS_LIMIT_FINDING_ROWS */
};

/* Runs every pattern. Findings are ordered: matches by severity then id, then cannot tell, then
 * no match, then does not apply. Errors: DS_NO_MEMORY. A pattern that fails to run ends in cannot
 * tell. */
struct ds_findings;
enum ds_status ds_findings_run(struct ds_facts *facts, const struct ds_patterns *patterns,
                               struct ds_findings **ret, struct ds_err *err) DS_MUST_CHECK;
void ds_findings_close(struct ds_findings *f);
size_t ds_findings_count(const struct ds_findings *f);
const struct ds_finding *ds_findings_at(const struct ds_findings *f, size_t index);

/* ---- culprit ---- */
enum ds_culprit_kind {
    DS_CULPRIT_UNKNOWN,
    DS_CULPRIT_DRIVER,
    DS_CULPRIT_KERNEL,
    DS_CULPRIT_PROCESS,
    DS_CULPRIT_HARDWARE,
    DS_CULPRIT_MEMORY_CORRUPTION,
    DS_CULPRIT_EXHAUSTION,
    DS_CULPRIT_HANG
};
/* "unknown", "driver", "kernel", "process", "hardware", "memory-corruption", "exhaustion",
 * "hang". */
const char *ds_culprit_kind_name(enum ds_culprit_kind kind);

struct ds_culprit {
    enum ds_culprit_kind kind;
    const char *module;     /* "amdppm.sys"; NULL when unknown */
    const char *function;   /* "amdppm+0x334c" or with a name; NULL when unknown */
    const char *reason;     /* one sentence */
    const char *confidence; /* static: "high", "medium", "low" */
    const char *source;     /* static: "exception", "parameter", "stack", ...; NULL when unknown */
};
#define DS_CULPRIT_RUNNERS_UP 4
struct ds_verdict {
    struct ds_culprit culprit;
    struct ds_culprit runners_up[DS_CULPRIT_RUNNERS_UP];
    size_t runner_up_count;
};
/* Fills *ret with strings that live in the nt's target arena. */
enum ds_status ds_culprit_find(struct ds_nt *nt, struct ds_verdict *ret) DS_MUST_CHECK;

/*
 * Of a live dump nobody is blamed: the culprit becomes unknown, for certain. Whoever was found
 * stays as a runner-up where a part of Windows noticed something, and goes where the dump was
 * taken on request. A verdict that names hardware stays.
 */
void ds_verdict_live(struct ds_nt *nt, struct ds_verdict *v);

/*
 * Lets matches of patterns that have a `verdict` take the place of whoever was blamed: the one of
 * the highest confidence, from "medium" on, when nobody asked for the crash and the bugcheck's own
 * meaning does not say as much with the same confidence. The culprit so far becomes the first
 * runner-up, when it has a module. A match of confidence "low" becomes a runner-up itself and
 * leaves a culprit no more than "medium". Exhaustion of a resource is the verdict where nobody else
 * is to blame, also when somebody asked for the crash (that tells why there is a dump, not what
 * was wrong); else it is a runner-up. A hang is the verdict where somebody asked for the crash or
 * the system did not crash; a driver in the row's column `module` is then named with it
 * (`function`: the place), and where a resource was exhausted it is a runner-up. Strings belong to
 * the findings.
 */
void ds_verdict_weigh(const struct ds_findings *findings, struct ds_verdict *v);

#endif
