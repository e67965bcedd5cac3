#include "nt/handles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nt/details_impl.h"
#include "nt/objects.h"

#define IMAGE_NAME_SIZE 15 /* EPROCESS.ImageFileName */

struct reader {
    struct ds_nt *nt;
    struct ds_handles *h;
    bool full;
};

static const char *thread_name(struct ds_nt *nt, uint64_t thread)
{
    struct ds_opt pid = ds_target_field(nt->target, thread, "_ETHREAD", "Cid.UniqueProcess");
    struct ds_opt tid = ds_target_field(nt->target, thread, "_ETHREAD", "Cid.UniqueThread");
    char text[48];
    if (!pid.known || !tid.known) {
        return NULL;
    }
    int n = snprintf(text, sizeof(text), "%llx.%llx", (unsigned long long)pid.value,
                     (unsigned long long)tid.value);
    return ds_arena_strdup(&nt->arena, text, (size_t)n);
}

static const char *name_of(struct ds_nt *nt, const struct ds_object_info *info, const char *type)
{
    uint64_t at;
    const char *path = ds_nt_object_path(nt, info->object);
    if (path != NULL || type == NULL) {
        return path != NULL ? path : ds_nt_object_name(nt, info);
    }
    if (strcmp(type, "File") == 0 &&
        ds_target_field_va(nt->target, info->object, "_FILE_OBJECT", "FileName", &at) == DS_OK) {
        return ds_nt_ustring(nt, at);
    }
    if (strcmp(type, "Process") == 0 &&
        ds_target_field_va(nt->target, info->object, "_EPROCESS", "ImageFileName", &at) == DS_OK) {
        return ds_nt_text(nt, at, IMAGE_NAME_SIZE);
    }
    return strcmp(type, "Thread") == 0 ? thread_name(nt, info->object)
                                       : ds_nt_object_name(nt, info);
}

static bool take(const struct ds_handle_entry *e, void *arg)
{
    struct reader *r = arg;
    struct ds_handles *h = r->h;
    struct ds_object_info info;
    void *array = h->rows;
    if (!ds_array_reserve(&array, &h->cap, h->count + 1, sizeof(*h->rows),
                          DS_ROWS_MAX(struct ds_handle, DS_LIMIT_HANDLES))) {
        r->full = true;
        return false;
    }
    h->rows = array;
    ds_nt_object_info(r->nt, e->object, &info);
    struct ds_handle *row = &h->rows[h->count++];
    *row = (struct ds_handle){.handle = e->handle,
                              .entry = e->entry,
                              .header = info.header,
                              .object = info.object,
                              .access = e->access,
                              .pointer_count = info.pointer_count,
                              .handle_count = info.handle_count};
    row->type = ds_nt_object_type_name(r->nt, &info);
    row->name = name_of(r->nt, &info, row->type);
    return true;
}

void ds_nt_handles(struct ds_nt *nt, uint64_t eprocess, struct ds_handles *ret)
{
    struct reader r = {.nt = nt, .h = ret};
    struct ds_opt table = ds_target_field(nt->target, eprocess, "_EPROCESS", "ObjectTable");
    *ret = (struct ds_handles){0};
    ret->walk = (struct ds_walk){.table_name = "handles", .complete = true, .detail = ""};
    if (!table.known) {
        ret->walk = ds_walk_none("handles", table.why, "the process's handle table is not known");
        return;
    }
    if (table.value == 0) { /* given back when the process ends */
        return;
    }
    struct ds_walk_end end = ds_handle_table_walk(nt, table.value, NULL, take, &r);
    if (end.status != DS_OK) {
        ds_walk_stop(&ret->walk, end.status, ds_opt_known(end.address),
                     "part of the handle table cannot be read");
    } else if (r.full) {
        ds_walk_stop(&ret->walk, DS_LIMIT, ds_opt_known(table.value), "more handles than are kept");
    }
    ret->walk.rows = ret->count;
}

void ds_handles_deinit(struct ds_handles *h)
{
    free(h->rows);
    *h = (struct ds_handles){0};
}
