#include "nt/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nt/address_map.h"
#include "nt/details_impl.h"

#define BUCKETS 37u /* of _OBJECT_DIRECTORY.HashBuckets, in every layout */

/* _OBJECT_SYMBOLIC_LINK in the public symbols: CreationTime, 8 bytes, then LinkTarget. */
#define LINK_TARGET 8u

struct ds_nt_objects {
    struct ds_objects table;
    struct ds_object *rows; /* owned */
    size_t cap;
    struct ds_address_map seen; /* bodies, and their first row */
};

struct ds_opt ds_nt_root_directory(struct ds_nt *nt)
{
    uint64_t at, root;
    if (nt->target->kernel == NULL) {
        return ds_opt_unknown(nt->target->kernel_why);
    }
    enum ds_status status = ds_target_global(nt->target, "ObpRootDirectoryObject", &at);
    if (status == DS_OK) {
        status = ds_space_read_ptr(nt->target->kernel, at, &root, NULL);
    }
    return status != DS_OK ? ds_opt_unknown(status)
           : root == 0     ? ds_opt_unknown(DS_NOT_FOUND)
                           : ds_opt_known(root);
}

/* ---- one directory ---- */

struct chains {
    struct ds_nt *nt;
    struct ds_field link, object;
    struct ds_address_map seen;
    struct ds_walk_end end;
    bool (*each)(uint64_t object, void *arg);
    void *arg;
    bool stop;
};

static void fail(struct chains *c, enum ds_status why, uint64_t at)
{
    if (c->end.status == DS_OK) {
        c->end.status = why;
        c->end.address = at;
    }
}

static void walk_chain(struct chains *c, uint64_t entry)
{
    const struct ds_target *t = c->nt->target;
    while (entry != 0 && !c->stop) {
        if (!ds_target_is_kernel_va(t, entry)) {
            fail(c, DS_CORRUPT, entry);
            return;
        }
        if (ds_address_map_get(&c->seen, entry, NULL)) {
            fail(c, DS_LOOP, entry);
            return;
        }
        if (c->end.count >= DS_LIMIT_OBJECTS || !ds_address_map_put(&c->seen, entry, 0)) {
            fail(c, DS_LIMIT, entry);
            c->stop = true;
            return;
        }
        struct ds_opt object = ds_target_read_member(t, entry, &c->object);
        struct ds_opt next = ds_target_read_member(t, entry, &c->link);
        if (!object.known || !next.known) {
            fail(c, object.known ? next.why : object.why, entry);
        }
        if (object.known && !ds_target_is_kernel_va(t, object.value)) {
            fail(c, DS_CORRUPT, entry);
        } else if (object.known) {
            c->end.count++;
            c->stop = !c->each(object.value, c->arg);
        }
        if (!next.known) {
            return;
        }
        entry = next.value;
    }
}

struct ds_walk_end ds_object_directory_walk(struct ds_nt *nt, uint64_t directory,
                                            bool (*each)(uint64_t object, void *arg), void *arg)
{
    const struct ds_target *t = nt->target;
    struct chains c = {.nt = nt, .each = each, .arg = arg};
    struct ds_field buckets;
    const char *entry = "_OBJECT_DIRECTORY_ENTRY";
    if (t->kernel == NULL) {
        fail(&c, t->kernel_why, directory);
    } else if (ds_target_member(t, "_OBJECT_DIRECTORY", "HashBuckets", &buckets, NULL) != DS_OK ||
               ds_target_member(t, entry, "ChainLink", &c.link, NULL) != DS_OK ||
               ds_target_member(t, entry, "Object", &c.object, NULL) != DS_OK) {
        fail(&c, DS_NO_FIELD, directory);
    } else {
        for (uint64_t i = 0; i < BUCKETS && !c.stop; i++) {
            uint64_t at = directory + buckets.offset + i * t->pointer_size, first = 0;
            enum ds_status status = ds_space_read_ptr(t->kernel, at, &first, NULL);
            if (status != DS_OK) {
                fail(&c, status, at);
            } else {
                walk_chain(&c, first);
            }
        }
    }
    ds_address_map_deinit(&c.seen);
    return c.end;
}

/* ---- the tree ---- */

struct reader {
    struct ds_nt *nt;
    struct ds_nt_objects *o;
    size_t parent; /* row */
    bool full;
};

static const char *path_of(struct reader *r, const char *name, uint64_t object)
{
    const struct ds_object *parent = &r->o->rows[r->parent];
    char unnamed[32];
    struct ds_buf b;
    const char *path = NULL;
    (void)snprintf(unnamed, sizeof(unnamed), "?%llx", (unsigned long long)object);
    ds_buf_init(&b, DS_LIMIT_OBJECT_PATH);
    (void)ds_buf_printf(&b, "%s%s%s", parent->path, parent->depth == 0 ? "" : "\\",
                        name != NULL ? name : unnamed);
    if (ds_buf_ok(&b)) {
        path = ds_arena_strdup(&r->nt->arena, ds_buf_text(&b), b.len);
    }
    ds_buf_deinit(&b);
    return path;
}

/* A callback instead of a target is possible since Windows 10: its bytes are no text. */
static const char *target_of(struct ds_nt *nt, uint64_t object)
{
    const char *text = ds_nt_ustring(nt, object + LINK_TARGET);
    for (const char *p = text; p != NULL && *p != 0; p++) {
        if ((unsigned char)*p < ' ') {
            return NULL;
        }
    }
    return text;
}

static struct ds_object *new_row(struct ds_nt_objects *o)
{
    void *array = o->rows;
    if (!ds_array_reserve(&array, &o->cap, o->table.count + 1, sizeof(*o->rows),
                          DS_ROWS_MAX(struct ds_object, DS_LIMIT_OBJECTS))) {
        return NULL;
    }
    o->rows = array;
    struct ds_object *row = &o->rows[o->table.count++];
    *row = (struct ds_object){0};
    return row;
}

static void describe(struct ds_nt *nt, struct ds_object *row)
{
    struct ds_object_info info = {.type = ds_opt_unknown(DS_NO_FIELD)};
    const struct ds_object_types *types = ds_nt_object_types(nt);
    struct ds_opt header = ds_nt_object_header(nt, row->object);
    row->header = ds_opt_or(header, 0);
    ds_nt_object_info(nt, row->header, &info);
    row->type = ds_nt_object_type_name(nt, &info);
    row->type_index =
        info.type.known ? types->rows[info.type.value].index : ds_opt_unknown(info.type.why);
    row->pointer_count = info.pointer_count;
    row->handle_count = info.handle_count;
    row->name = ds_nt_object_name(nt, &info);
    if (row->type != NULL && strcmp(row->type, "SymbolicLink") == 0) {
        row->target = target_of(nt, row->object);
    }
}

static bool take(uint64_t object, void *arg)
{
    struct reader *r = arg;
    struct ds_nt_objects *o = r->o;
    size_t number = o->table.count;
    struct ds_object *row = new_row(o);
    if (row == NULL || !ds_address_map_put(&o->seen, object, (uint32_t)number)) {
        ds_walk_stop(&o->table.walk, DS_LIMIT, ds_opt_known(object), "more objects than are kept");
        o->table.count = number;
        r->full = true;
        return false;
    }
    row->object = object;
    row->directory = o->rows[r->parent].object;
    row->depth = o->rows[r->parent].depth + 1;
    describe(r->nt, row);
    row->path = path_of(r, row->name, object);
    if (row->path == NULL) {
        ds_walk_stop(&o->table.walk, DS_LIMIT, ds_opt_known(object), "a path is too long");
        o->table.count = number;
        return true;
    }
    if (row->name == NULL) {
        ds_walk_stop(&o->table.walk, DS_NOT_FOUND, ds_opt_known(object),
                     "an object's name cannot be read");
    }
    return true;
}

/* Directories whose place tells what they are, where types cannot be told. */
static bool is_known_directory(const struct ds_object *row)
{
    static const char *const paths[] = {"\\", "\\Driver", "\\FileSystem", "\\Device",
                                        "\\ObjectTypes"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (strcmp(row->path, paths[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void walk_directory(struct reader *r, size_t number)
{
    struct ds_nt_objects *o = r->o;
    struct ds_walk *walk = &o->table.walk;
    const struct ds_object *row = &o->rows[number];
    uint64_t at = row->object;
    uint32_t first = 0;
    bool directory = row->type == NULL ? is_known_directory(row)
                                       : number == 0 || strcmp(row->type, "Directory") == 0;
    if (row->type == NULL && number != 0) {
        ds_walk_stop(walk, row->type_index.why, ds_opt_known(at),
                     "the type of an object is not known: it may be a directory");
    }
    if (!directory) {
        return;
    }
    if (ds_address_map_get(&o->seen, at, &first) && first != number) {
        ds_walk_stop(walk, DS_LOOP, ds_opt_known(at), "a directory stands in the tree twice");
        return;
    }
    if (row->depth >= DS_LIMIT_OBJECT_DEPTH) {
        ds_walk_stop(walk, DS_LIMIT, ds_opt_known(at), "directories are nested too deeply");
        return;
    }
    r->parent = number;
    struct ds_walk_end end = ds_object_directory_walk(r->nt, at, take, r);
    if (end.status != DS_OK) {
        ds_walk_stop(walk, end.status, ds_opt_known(end.address),
                     "part of a directory cannot be read");
    }
}

static void fill(struct ds_nt *nt, struct ds_nt_objects *o)
{
    const struct ds_target *t = nt->target;
    struct reader r = {.nt = nt, .o = o};
    if (t->kernel == NULL) {
        o->table.walk = ds_walk_none("objects", t->kernel_why, t->kernel_why_text);
        return;
    }
    struct ds_opt root = ds_nt_root_directory(nt);
    const struct ds_object_types *types = ds_nt_object_types(nt);
    if (!root.known) {
        o->table.walk =
            ds_walk_none("objects", root.why,
                         root.why == DS_NO_SYMBOL ? "ObpRootDirectoryObject is not known"
                                                  : "ObpRootDirectoryObject cannot be read");
        return;
    }
    o->table.walk = (struct ds_walk){.table_name = "objects", .complete = true, .detail = ""};
    struct ds_object *row = new_row(o);
    if (row == NULL || !ds_address_map_put(&o->seen, root.value, 0)) {
        o->table.walk = ds_walk_none("objects", DS_NO_MEMORY, "");
        o->table.count = 0;
        return;
    }
    row->object = root.value;
    row->path = "\\";
    describe(nt, row);
    for (size_t i = 0; i < o->table.count && !r.full; i++) {
        walk_directory(&r, i);
    }
    if (o->table.walk.complete && types->cookie.known) {
        char text[128];
        int n = snprintf(text, sizeof(text), "header cookie %02llx, by %s",
                         (unsigned long long)types->cookie.value, types->cookie_source);
        const char *kept = ds_arena_strdup(&nt->arena, text, (size_t)n);
        o->table.walk.detail = kept != NULL ? kept : "";
    }
}

const struct ds_objects *ds_nt_objects(struct ds_nt *nt)
{
    static const struct ds_objects none = {
        .walk = {.table_name = "objects", .stop_reason = DS_NO_MEMORY, .detail = ""}};
    if (nt->objects == NULL) {
        nt->objects = calloc(1, sizeof(*nt->objects));
        if (nt->objects == NULL) {
            return &none;
        }
        fill(nt, nt->objects);
        nt->objects->table.rows = nt->objects->rows;
        nt->objects->table.walk.rows = nt->objects->table.count;
    }
    return &nt->objects->table;
}

const char *ds_nt_object_path(struct ds_nt *nt, uint64_t object)
{
    const struct ds_objects *o = ds_nt_objects(nt);
    uint32_t row;
    return nt->objects != NULL && ds_address_map_get(&nt->objects->seen, object, &row) &&
                   row < o->count && o->rows[row].object == object
               ? o->rows[row].path
               : NULL;
}

void ds_nt_objects_free(struct ds_nt_objects *o)
{
    if (o != NULL) {
        free(o->rows);
        ds_address_map_deinit(&o->seen);
        free(o);
    }
}
