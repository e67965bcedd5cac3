#include "nt/vads.h"

#include <stdlib.h>
#include <string.h>

#include "nt/impl.h"

/* Where the parts of a node lie. */
struct tree {
    struct ds_nt *nt;
    uint64_t root;        /* virtual address of the topmost node; 0 = empty tree */
    uint32_t left, right; /* of the pointers to the children */
    struct ds_field start, end, start_high, end_high, higher;
    bool has_high, has_higher;
};

static enum ds_status member(const struct tree *t, const char *type, const char *name,
                             struct ds_field *f)
{
    return ds_target_member(t->nt->target, type, name, f, NULL);
}

/* The children of a node, in the form that this kernel has. */
static enum ds_status find_children(struct tree *t)
{
    struct ds_field node, left, right;
    if (member(t, "_MMVAD_SHORT", "LeftChild", &left) == DS_OK &&
        member(t, "_MMVAD_SHORT", "RightChild", &right) == DS_OK) {
        t->left = left.offset;
        t->right = right.offset;
        return DS_OK;
    }
    if (member(t, "_MMVAD_SHORT", "VadNode", &node) != DS_OK ||
        member(t, "_RTL_BALANCED_NODE", "Left", &left) != DS_OK ||
        member(t, "_RTL_BALANCED_NODE", "Right", &right) != DS_OK) {
        return DS_NO_FIELD;
    }
    t->left = node.offset + left.offset;
    t->right = node.offset + right.offset;
    return DS_OK;
}

/* VadRoot is a pointer (XP), an AVL table whose own node has the tree on its right (Server 2003 to
 * 8), or a tree with its root alone. */
static enum ds_status find_root(struct tree *t, uint64_t eprocess)
{
    struct ds_field root, inner = {0};
    enum ds_status status = member(t, "_EPROCESS", "VadRoot", &root);
    if (status != DS_OK) {
        return status;
    }
    uint64_t at = eprocess + root.offset;
    if (member(t, "_MM_AVL_TABLE", "BalancedRoot", &inner) == DS_OK) {
        struct ds_field right;
        if (member(t, "_MMADDRESS_NODE", "RightChild", &right) != DS_OK) {
            return DS_NO_FIELD;
        }
        at += inner.offset + right.offset;
    }
    return ds_space_read_ptr(t->nt->target->kernel, at, &t->root, NULL);
}

static enum ds_status open_tree(struct tree *t, struct ds_nt *nt, uint64_t eprocess)
{
    *t = (struct tree){.nt = nt};
    if (nt->target->kernel == NULL) {
        return nt->target->kernel_why;
    }
    enum ds_status status = find_children(t);
    if (status == DS_OK) {
        status = member(t, "_MMVAD_SHORT", "StartingVpn", &t->start);
    }
    if (status == DS_OK) {
        status = member(t, "_MMVAD_SHORT", "EndingVpn", &t->end);
    }
    t->has_high = member(t, "_MMVAD_SHORT", "StartingVpnHigh", &t->start_high) == DS_OK &&
                  member(t, "_MMVAD_SHORT", "EndingVpnHigh", &t->end_high) == DS_OK;
    t->has_higher = member(t, "_MMVAD_SHORT", "u5.StartingVpnHigher", &t->higher) == DS_OK;
    return status == DS_OK ? find_root(t, eprocess) : status;
}

static uint64_t part(const struct tree *t, uint64_t node, const struct ds_field *f, bool has,
                     unsigned shift)
{
    struct ds_opt x = has ? ds_target_read_member(t->nt->target, node, f) : ds_opt_known(0);
    return x.known ? x.value << shift : 0;
}

/* The range of a node: page numbers of up to 44 bits in two or three pieces. */
static enum ds_status read_range(const struct tree *t, uint64_t node, struct ds_vad *v)
{
    struct ds_opt start = ds_target_read_member(t->nt->target, node, &t->start);
    struct ds_opt end = ds_target_read_member(t->nt->target, node, &t->end);
    if (!start.known || !end.known) {
        return start.known ? end.why : start.why;
    }
    uint64_t higher = part(t, node, &t->higher, t->has_higher, 40);
    uint64_t first = start.value + part(t, node, &t->start_high, t->has_high, 32) + higher;
    uint64_t last = end.value + part(t, node, &t->end_high, t->has_high, 32) + higher;
    if (first > last || last >> 52 != 0) {
        return DS_CORRUPT;
    }
    *v = (struct ds_vad){.vad = node, .start = first << 12, .end = last << 12 | 0xfff};
    return DS_OK;
}

static void read_rest(const struct tree *t, struct ds_vad *v)
{
    const struct ds_target *k = t->nt->target;
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    v->protection = ds_target_field(k, v->vad, "_MMVAD_SHORT", "u.VadFlags.Protection");
    v->private_memory = ds_target_field(k, v->vad, "_MMVAD_SHORT", "u.VadFlags.PrivateMemory");
    v->type = ds_target_field(k, v->vad, "_MMVAD_SHORT", "u.VadFlags.VadType");
    v->committed = ds_target_field(k, v->vad, "_MMVAD_SHORT", "u.VadFlags.MemCommit");
    if (!v->type.known) { /* before Vista a bit tells images */
        struct ds_opt image = ds_target_field(k, v->vad, "_MMVAD_SHORT", "u.VadFlags.ImageMap");
        v->type = image.known ? ds_opt_known(image.value != 0 ? 2 : 0) : v->type;
    }
    v->first_prototype = v->subsection = none;
    if (v->private_memory.known && v->private_memory.value == 0) {
        v->first_prototype = ds_target_field(k, v->vad, "_MMVAD", "FirstPrototypePte");
        if (v->first_prototype.known && v->first_prototype.value == 0) {
            v->first_prototype = none;
        }
        v->subsection = ds_target_field(k, v->vad, "_MMVAD", "Subsection");
    }
}

static enum ds_status child(const struct tree *t, uint64_t node, uint32_t offset, uint64_t *ret)
{
    return ds_space_read_ptr(t->nt->target->kernel, node + offset, ret, NULL);
}

/* ---- all of them ---- */

struct step {
    uint64_t node;
    uint32_t level;
};

static enum ds_status add(const struct tree *t, struct ds_vads *v, const struct step *at)
{
    struct ds_vad row;
    enum ds_status status = read_range(t, at->node, &row);
    if (status != DS_OK) {
        return status;
    }
    /* In order, so that a loop or a crossed link shows at once. */
    if (v->count > 0 && row.start <= v->rows[v->count - 1].end) {
        return DS_CORRUPT;
    }
    void *array = v->rows;
    if (!ds_array_reserve(&array, &v->cap, v->count + 1, sizeof(*v->rows),
                          DS_ROWS_MAX(struct ds_vad, DS_LIMIT_VADS))) {
        return DS_LIMIT;
    }
    v->rows = array;
    row.level = at->level;
    read_rest(t, &row);
    v->rows[v->count++] = row;
    return DS_OK;
}

/* Down the left side from a node, each pushed. */
static enum ds_status descend(const struct tree *t, struct step *stack, size_t *depth,
                              uint64_t node, uint32_t level)
{
    while (node != 0) {
        if (*depth == DS_LIMIT_VAD_DEPTH || level > DS_LIMIT_VAD_DEPTH) {
            return DS_LOOP; /* no balanced tree is that deep */
        }
        stack[(*depth)++] = (struct step){node, level++};
        enum ds_status status = child(t, node, t->left, &node);
        if (status != DS_OK) {
            return status;
        }
    }
    return DS_OK;
}

void ds_nt_vads(struct ds_nt *nt, uint64_t eprocess, struct ds_vads *ret)
{
    struct tree t;
    struct step stack[DS_LIMIT_VAD_DEPTH];
    size_t depth = 0;
    *ret = (struct ds_vads){0};
    enum ds_status status = open_tree(&t, nt, eprocess);
    uint64_t at = eprocess;
    if (status == DS_OK) {
        status = descend(&t, stack, &depth, t.root, 1);
        at = t.root;
    }
    while (status == DS_OK && depth > 0) {
        struct step now = stack[--depth];
        uint64_t right;
        at = now.node;
        status = add(&t, ret, &now);
        if (status == DS_OK) {
            status = child(&t, now.node, t.right, &right);
        }
        if (status == DS_OK) {
            status = descend(&t, stack, &depth, right, now.level + 1);
        }
    }
    ret->walk =
        (struct ds_walk){.table_name = "vads",
                         .complete = status == DS_OK,
                         .rows = ret->count,
                         .stop_reason = status,
                         .stop_address = status == DS_OK ? ds_opt_unknown(DS_OK) : ds_opt_known(at),
                         .detail = ""};
}

void ds_vads_deinit(struct ds_vads *v)
{
    free(v->rows);
    *v = (struct ds_vads){0};
}

/* ---- one of them ---- */

enum ds_status ds_nt_vad_find(struct ds_nt *nt, uint64_t eprocess, uint64_t va, struct ds_vad *ret)
{
    struct tree t;
    enum ds_status status = open_tree(&t, nt, eprocess);
    uint64_t node = t.root;
    for (uint32_t level = 1; status == DS_OK; level++) {
        struct ds_vad v;
        if (node == 0) {
            return DS_NOT_FOUND;
        }
        if (level > DS_LIMIT_VAD_DEPTH) {
            return DS_LOOP;
        }
        status = read_range(&t, node, &v);
        if (status == DS_OK && va >= v.start && va <= v.end) {
            v.level = level;
            read_rest(&t, &v);
            *ret = v;
            return DS_OK;
        }
        if (status == DS_OK) {
            status = child(&t, node, va < v.start ? t.left : t.right, &node);
        }
    }
    return status;
}

const char *ds_vad_type_name(const struct ds_vad *vad)
{
    static const char *const names[] = {NULL,
                                        "device memory",
                                        "image",
                                        "AWE",
                                        "write watch",
                                        "large pages",
                                        "rotating physical",
                                        "large page section"};
    if (vad->type.known && vad->type.value > 0 && vad->type.value < 8) {
        return names[vad->type.value];
    }
    return !vad->private_memory.known  ? "unknown"
           : vad->private_memory.value ? "private"
                                       : "mapped";
}

struct ds_opt ds_vad_prototype(const struct ds_target *t, const struct ds_vad *vad, uint64_t va)
{
    if (!vad->first_prototype.known || va < vad->start || t->kernel == NULL) {
        return ds_opt_unknown(DS_NOT_FOUND);
    }
    uint64_t size = ds_space_paging(t->kernel) == DS_PAGING_X86 ? 4 : 8;
    return ds_opt_known(vad->first_prototype.value + ((va - vad->start) >> 12) * size);
}

/* FilePointer is a fast reference since Vista: its low bits count. */
static uint64_t without_count(const struct ds_target *t, uint64_t pointer)
{
    return pointer & ~(uint64_t)(t->pointer_size == 4 ? 7 : 15);
}

enum ds_status ds_nt_vad_file(struct ds_nt *nt, const struct ds_vad *vad, struct ds_buf *out)
{
    const struct ds_target *t = nt->target;
    uint64_t name;
    struct ds_opt area =
        vad->subsection.known
            ? ds_target_field(t, vad->subsection.value, "_SUBSECTION", "ControlArea")
            : ds_target_field(t, vad->vad, "_MMVAD", "ControlArea");
    if (!vad->private_memory.known || vad->private_memory.value != 0) {
        return DS_NOT_FOUND;
    }
    if (!area.known) {
        return area.why;
    }
    struct ds_field pointer;
    enum ds_status status = ds_target_member(t, "_CONTROL_AREA", "FilePointer", &pointer, NULL);
    if (status != DS_OK) {
        return status;
    }
    uint64_t file;
    status = ds_space_read_ptr(t->kernel, area.value + pointer.offset, &file, NULL);
    if (status != DS_OK) {
        return status;
    }
    file = without_count(t, file);
    if (file == 0) {
        return DS_NOT_FOUND;
    }
    status = ds_target_field_va(t, file, "_FILE_OBJECT", "FileName", &name);
    return status == DS_OK ? ds_space_read_ustr(t->kernel, name, out, NULL) : status;
}

/* ---- with page tables ---- */

void ds_nt_explain(struct ds_nt *nt, uint64_t eprocess, struct ds_space *s, uint64_t va,
                   struct ds_explanation *e, struct ds_vad *vad, bool *has_vad)
{
    ds_space_explain(s, va, e);
    *has_vad =
        !ds_target_is_kernel_va(nt->target, va) && ds_nt_vad_find(nt, eprocess, va, vad) == DS_OK;
    bool silent = e->fault.state == DS_PTE_EMPTY || e->fault.state == DS_PTE_EMPTY_TABLE ||
                  e->fault.state == DS_PTE_VAD;
    if (e->status == DS_OK || !silent || !*has_vad) {
        return;
    }
    struct ds_opt prototype = ds_vad_prototype(nt->target, vad, va);
    if (prototype.known) {
        ds_space_explain_prototype(s, va, prototype.value, e);
    } else if (e->fault.state != DS_PTE_VAD && vad->private_memory.known &&
               vad->private_memory.value != 0 && vad->committed.known &&
               vad->committed.value != 0) {
        e->fault.state = DS_PTE_DEMAND_ZERO; /* committed, and never touched */
        e->status = e->fault.status = DS_NOT_MAPPED;
    }
}
