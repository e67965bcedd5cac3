/* Opening the address spaces of processes, the latest kept. */
#include "nt/spaces.h"

#include <stdlib.h>

#include "nt/impl.h"

struct ds_nt_spaces {
    struct ds_space *at[DS_LIMIT_SPACES]; /* owned; ascending by age from `next` on */
    size_t next;
};

void ds_nt_spaces_close(struct ds_nt_spaces *s)
{
    if (s != NULL) {
        for (size_t i = 0; i < DS_LIMIT_SPACES; i++) {
            ds_space_close(s->at[i]);
        }
        free(s);
    }
}

/* Tells a new space what the kernel's was told. */
static void inherit(struct ds_space *s, struct ds_space *kernel)
{
    ds_space_set_pointer_size(s, ds_space_pointer_size(kernel));
    ds_space_set_upper_root(s, ds_space_upper_root(kernel));
    ds_space_set_pte_layout(s, ds_space_pte_layout(kernel));
    ds_space_set_pte_base(s, ds_space_pte_base(kernel));
    ds_space_set_prototypes(s, kernel);
}

enum ds_status ds_nt_space_at(struct ds_nt *nt, uint64_t dtb, struct ds_space **ret)
{
    struct ds_target *t = nt->target;
    if (t->kernel == NULL) {
        return t->kernel_why != DS_OK ? t->kernel_why : DS_UNSUPPORTED;
    }
    enum ds_paging mode = ds_space_paging(t->kernel);
    if (mode == DS_PAGING_NONE) {
        return DS_UNSUPPORTED;
    }
    uint64_t root = ds_paging_root(mode, dtb);
    if (root == ds_space_dtb(t->kernel)) {
        *ret = t->kernel;
        return DS_OK;
    }
    if (nt->spaces == NULL && (nt->spaces = calloc(1, sizeof(*nt->spaces))) == NULL) {
        return DS_NO_MEMORY;
    }
    for (size_t i = 0; i < DS_LIMIT_SPACES; i++) {
        if (nt->spaces->at[i] != NULL && ds_space_dtb(nt->spaces->at[i]) == root) {
            *ret = nt->spaces->at[i];
            return DS_OK;
        }
    }
    struct ds_space *s;
    enum ds_status status = ds_space_open_paged(t->dump, mode, dtb, &s, NULL);
    if (status != DS_OK) {
        return status;
    }
    inherit(s, t->kernel);
    struct ds_space **slot = &nt->spaces->at[nt->spaces->next];
    nt->spaces->next = (nt->spaces->next + 1) % DS_LIMIT_SPACES;
    ds_space_close(*slot);
    *slot = *ret = s;
    return DS_OK;
}

/* A directory base of a process; the first word where the member is an array of them. */
static struct ds_opt directory(struct ds_nt *nt, uint64_t eprocess, const char *member)
{
    struct ds_field f;
    enum ds_status status = ds_target_member(nt->target, "_KPROCESS", member, &f, NULL);
    if (status != DS_OK) {
        return ds_opt_unknown(status);
    }
    f.size = f.size > nt->target->pointer_size ? nt->target->pointer_size : f.size;
    return ds_target_read_member(nt->target, eprocess, &f);
}

struct ds_opt ds_nt_dtb(struct ds_nt *nt, uint64_t eprocess)
{
    return directory(nt, eprocess, "DirectoryTableBase");
}

enum ds_status ds_nt_space_of(struct ds_nt *nt, uint64_t eprocess, struct ds_space **ret)
{
    struct ds_opt dtb = ds_nt_dtb(nt, eprocess);
    if (!dtb.known) {
        return dtb.why;
    }
    return dtb.value == 0 ? DS_NOT_FOUND : ds_nt_space_at(nt, dtb.value, ret);
}

struct ds_opt ds_nt_user_dtb(struct ds_nt *nt, uint64_t eprocess)
{
    struct ds_opt dtb = directory(nt, eprocess, "UserDirectoryTableBase");
    if (!dtb.known || nt->target->kernel == NULL) {
        return dtb.known ? ds_opt_unknown(DS_UNSUPPORTED) : dtb;
    }
    uint64_t root = ds_paging_root(ds_space_paging(nt->target->kernel), dtb.value);
    return root != 0 ? ds_opt_known(root) : ds_opt_unknown(DS_NOT_FOUND);
}
