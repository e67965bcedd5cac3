/*
 * Prints how every built-in pattern ends on a dump: "ID OUTCOME", then its messages or reason,
 * indented. For tests/patterns/run.sh.
 *
 * usage: outcomes [-s] [-n COUNT] DUMP    -n adds COUNT made-up integrity notes first; -s uses the
 * symbol tables that were made with the dump
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "rules/rules.h"

static int fail(const struct ds_err *err)
{
    fprintf(stderr, "%s\n", err->text);
    return 1;
}

static enum ds_status open_facts(const char *path, int notes, const char *symbols,
                                 struct ds_facts **facts, struct ds_err *err)
{
    struct ds_source *source;
    struct ds_dump *dump;
    struct ds_target *target;
    struct ds_nt *nt;
    struct ds_target_options options = {.symbol_path = symbols};
    enum ds_status st = ds_source_file_open(path, &source, err);
    if (st == DS_OK)
        st = ds_dump_open(source, &dump, err);
    for (int i = 0; st == DS_OK && i < notes; i++)
        (void)ds_integrity_add(ds_dump_integrity(dump), DS_INTEGRITY_NOTE, "test.note",
                               DS_NO_OFFSET);
    if (st == DS_OK)
        st = ds_target_open(dump, &options, &target, err);
    if (st == DS_OK)
        st = ds_nt_open(target, &nt, err);
    if (st == DS_OK)
        st = ds_facts_open(nt, facts, err);
    return st;
}

static void print_finding(const struct ds_finding *f)
{
    printf("%s %s\n", f->pattern->id, ds_outcome_name(f->outcome));
    if (f->cannot_tell)
        printf("    %s\n", f->cannot_tell);
    if (f->not_asked)
        printf("    %s\n", f->not_asked);
    for (size_t i = 0; i < f->instance_count; i++)
        printf("    %s\n", f->instances[i].message);
}

int main(int argc, char **argv)
{
    ds_os_args(&argc, &argv);
    ds_os_prepare_stdio();
    int notes = 0, at = 1;
    char symbols[4096] = "";
    if (argc < 2)
        return 2;
    const char *path = argv[argc - 1];
    if (strcmp(argv[at], "-s") == 0 && ++at < argc)
        snprintf(symbols, sizeof(symbols), "%.*s.symbols", (int)(strlen(path) - strlen(".dmp")),
                 path);
    if (argc - at == 3 && strcmp(argv[at], "-n") == 0)
        notes = atoi(argv[at + 1]);
    else if (argc - at != 1)
        return 2;
    struct ds_err err = {0};
    struct ds_facts *facts;
    struct ds_patterns *patterns;
    struct ds_findings *findings;
    if (open_facts(path, notes, symbols[0] != '\0' ? symbols : NULL, &facts, &err) != DS_OK)
        return fail(&err);
    if (ds_patterns_open(&patterns, &err) != DS_OK ||
        ds_findings_run(facts, patterns, &findings, &err) != DS_OK)
        return fail(&err);
    for (size_t i = 0; i < ds_findings_count(findings); i++)
        print_finding(ds_findings_at(findings, i));
    struct ds_nt *nt = ds_facts_nt(facts);
    ds_findings_close(findings);
    ds_patterns_close(patterns);
    ds_facts_close(facts);
    ds_nt_close(nt);
    return 0;
}
