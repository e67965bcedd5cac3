/* Processes: PsActiveProcessHead and other ways to them; the record that a triage dump keeps. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nt/address_map.h"
#include "nt/impl.h"
#include "nt/others.h"
#include "nt/spaces.h"

#define IMAGE_NAME_SIZE 15 /* EPROCESS.ImageFileName, since Windows 2000 at least */
#define ROW(member) offsetof(struct ds_process, member)

static const struct ds_member_spec specs[] = {
    {"_EPROCESS", "UniqueProcessId", ROW(pid)},
    {"_EPROCESS", "InheritedFromUniqueProcessId", ROW(ppid)},
    {"_EPROCESS", "Peb", ROW(peb)},
    {"_EPROCESS", "CreateTime", ROW(create_time)},
    {"_EPROCESS", "ExitTime", ROW(exit_time)},
    {"_EPROCESS", "ExitStatus", ROW(exit_status)},
    {"_EPROCESS", "ActiveThreads", ROW(active_threads)},
};

struct reader {
    struct ds_nt *nt;
    struct ds_member_set set;
    struct ds_field name, session, session_id, wow64;
    enum ds_status name_status, session_status, wow64_status;
    size_t cap;
    struct ds_address_map rows; /* those that are there */
    bool full, whole;           /* no memory for more; the active list is whole */
    uint64_t others;            /* found by other ways than the list */
};

static void reader_init(struct reader *r, struct ds_nt *nt)
{
    const struct ds_target *t = nt->target;
    *r = (struct reader){.nt = nt};
    ds_members_resolve(&r->set, t, specs, sizeof(specs) / sizeof(specs[0]));
    r->name_status = ds_target_member(t, "_EPROCESS", "ImageFileName", &r->name, NULL);
    r->session_status = ds_target_member(t, "_EPROCESS", "Session", &r->session, NULL);
    if (r->session_status == DS_OK) {
        r->session_status =
            ds_target_member(t, "_MM_SESSION_SPACE", "SessionId", &r->session_id, NULL);
    }
    r->wow64_status = ds_target_member(t, "_EPROCESS", "WoW64Process", &r->wow64, NULL);
    if (r->wow64_status != DS_OK) { /* spelled so up to 7 SP1 and again later */
        r->wow64_status = ds_target_member(t, "_EPROCESS", "Wow64Process", &r->wow64, NULL);
    }
}

static struct ds_opt session_of(const struct reader *r, uint64_t eprocess)
{
    if (r->session_status != DS_OK) {
        return ds_opt_unknown(r->session_status);
    }
    struct ds_opt session = ds_target_read_member(r->nt->target, eprocess, &r->session);
    if (!session.known) {
        return session;
    }
    if (session.value == 0) { /* System and its like belong to no session */
        return ds_opt_unknown(DS_OK);
    }
    return ds_target_read_member(r->nt->target, session.value, &r->session_id);
}

static struct ds_opt wow64_of(const struct reader *r, uint64_t eprocess)
{
    if (r->nt->target->pointer_size == 4) {
        return ds_opt_known(0);
    }
    if (r->wow64_status != DS_OK) {
        return ds_opt_unknown(r->wow64_status);
    }
    struct ds_opt block = ds_target_read_member(r->nt->target, eprocess, &r->wow64);
    return block.known ? ds_opt_known(block.value != 0) : block;
}

static bool add(struct reader *r, uint64_t eprocess, struct ds_opt listed, const char *source)
{
    struct ds_nt *nt = r->nt;
    void *array = nt->process_rows;
    size_t count = nt->processes.count;
    if (!ds_array_reserve(&array, &r->cap, count + 1, sizeof(*nt->process_rows),
                          DS_ROWS_MAX(struct ds_process, DS_LIMIT_PROCESSES)) ||
        !ds_address_map_put(&r->rows, eprocess, (uint32_t)count)) {
        r->full = true;
        return false;
    }
    nt->process_rows = array;
    struct ds_process *p = &nt->process_rows[count];
    *p = (struct ds_process){.eprocess = eprocess, .source = source, .listed = listed};
    p->other_ways = p->in_cid_table = ds_opt_unknown(DS_NOT_IN_DUMP);
    ds_members_read(&r->set, nt->target, eprocess, p);
    p->dtb = ds_nt_dtb(nt, eprocess);
    p->session_id = session_of(r, eprocess);
    p->wow64 = wow64_of(r, eprocess);
    if (r->name_status == DS_OK) {
        p->name = ds_nt_text(nt, eprocess + r->name.offset, IMAGE_NAME_SIZE);
    }
    nt->processes.count++;
    return true;
}

static void walk_list(struct reader *r, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    struct ds_target *t = nt->target;
    struct ds_field links;
    const char *method;
    struct ds_opt head = ds_target_list_head(t, "PsActiveProcessHead", &method);
    if (!head.known) {
        *walk = ds_walk_none("processes", DS_NOT_FOUND, "PsActiveProcessHead is not known");
        return;
    }
    enum ds_status status = ds_target_member(t, "_EPROCESS", "ActiveProcessLinks", &links, NULL);
    if (status != DS_OK) {
        *walk = ds_walk_none("processes", status, "no layout of _EPROCESS fits this kernel");
        return;
    }
    struct ds_entries e = {0};
    ds_entries_walk(&e, t->kernel, head.value, DS_ROWS_MAX(struct ds_process, DS_LIMIT_PROCESSES));
    for (size_t i = 0; i < e.count; i++) {
        /* Of a process that was not captured only the address is known, by its neighbour. */
        uint64_t next, entry = e.at[i];
        bool captured = ds_space_read_ptr(t->kernel, entry, &next, NULL) == DS_OK;
        if ((captured || ds_dump_kind(t->dump) != DS_DUMP_TRIAGE) &&
            !add(r, entry - links.offset, ds_entries_listed(&e, i),
                 i < e.by_flink ? "PsActiveProcessHead" : "PsActiveProcessHead (Blink)")) {
            break;
        }
    }
    *walk = (struct ds_walk){.table_name = "processes",
                             .complete = e.end.status == DS_OK,
                             .stop_reason = e.end.status,
                             .stop_address = e.end.status == DS_OK ? ds_opt_unknown(DS_OK)
                                                                   : ds_opt_known(e.end.address),
                             .detail = ds_nt_entries_text(nt, &e)};
    r->whole = ds_entries_close(&e);
    ds_entries_deinit(&e);
}

static bool add_other(uint64_t eprocess, enum ds_other_way way, void *arg)
{
    struct reader *r = arg;
    uint32_t row = (uint32_t)r->nt->processes.count;
    if (!ds_address_map_get(&r->rows, eprocess, &row)) { /* what the list does not have */
        r->others++;
        if (!add(r, eprocess, r->whole ? ds_opt_known(0) : ds_opt_unknown(DS_CORRUPT),
                 ds_other_way_name(way))) {
            return false;
        }
    }
    r->nt->process_rows[row].ways |= 1u << way;
    return true;
}

static void tell_ways(struct reader *r, ds_other_whole whole)
{
    for (size_t i = 0; i < r->nt->processes.count; i++) {
        struct ds_process *p = &r->nt->process_rows[i];
        uint64_t count = 0;
        for (uint32_t bits = p->ways; bits != 0; bits &= bits - 1) {
            count++;
        }
        p->other_ways = whole != 0 ? ds_opt_known(count) : ds_opt_unknown(DS_NOT_FOUND);
        p->in_cid_table = (whole >> DS_WAY_CID & 1) != 0 ? ds_opt_known(p->ways >> DS_WAY_CID & 1)
                                                         : ds_opt_unknown(DS_NOT_FOUND);
    }
}

static void walk_others(struct reader *r, struct ds_walk *walk)
{
    struct ds_nt *nt = r->nt;
    size_t count = nt->processes.count;
    uint64_t *known = count != 0 ? malloc(count * sizeof(*known)) : NULL;
    if (count != 0 && known == NULL) {
        r->full = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        known[i] = nt->process_rows[i].eprocess;
    }
    tell_ways(r, ds_other_processes(nt, known, count, add_other, r));
    free(known);
    if (r->others != 0) {
        char text[DS_ENTRIES_TEXT + 80];
        snprintf(text, sizeof(text), "%s%s%llu by other ways than PsActiveProcessHead",
                 walk->detail, walk->detail[0] != '\0' ? "; " : "", (unsigned long long)r->others);
        const char *kept = ds_arena_strdup(&nt->arena, text, strlen(text));
        walk->detail = kept != NULL ? kept : walk->detail;
    }
}

const struct ds_processes *ds_nt_processes(struct ds_nt *nt)
{
    struct reader r;
    struct ds_walk walk;
    if (nt->have_processes) {
        return &nt->processes;
    }
    nt->have_processes = true;
    if (nt->target->kernel == NULL) {
        nt->processes.walk =
            ds_walk_none("processes", nt->target->kernel_why, nt->target->kernel_why_text);
        return &nt->processes;
    }
    reader_init(&r, nt);
    walk_list(&r, &walk);
    const struct ds_triage *tr = ds_dump_triage(nt->target->dump);
    if (tr != NULL) {
        /* The list may close in a minidump: the links were captured, of the rest only pieces. */
        if (walk.detail[0] == '\0') {
            walk.detail = "a minidump keeps the current process, of others pieces at most";
        }
        if (tr->process.va.known && !ds_address_map_get(&r.rows, tr->process.va.value, NULL)) {
            (void)add(&r, tr->process.va.value, ds_opt_unknown(DS_NOT_IN_DUMP), "triage record");
        }
    } else {
        walk_others(&r, &walk);
    }
    if (r.full) {
        walk.complete = false;
        walk.stop_reason = nt->processes.count >= DS_LIMIT_PROCESSES ? DS_LIMIT : DS_NO_MEMORY;
    }
    ds_address_map_deinit(&r.rows);
    walk.rows = nt->processes.count;
    nt->processes.walk = walk;
    nt->processes.rows = nt->process_rows;
    return &nt->processes;
}
