/* The second file of a VMware machine: NAME.vmem has its memory, NAME.vmss or NAME.vmsn its state.
 */
#include <stdlib.h>
#include <string.h>

#include "api/impl.h"
#include "base/mem.h"
#include "base/text.h"

/* NAME.old as NAME.new, malloc'ed; NULL when the path does not end in .old. */
static char *renamed(const char *path, const char *old, const char *replacement)
{
    size_t len = strlen(path), tail = strlen(old);
    if (len < tail || ds_text_casecmp(path + len - tail, old) != 0)
        return NULL;
    size_t keep = len - tail, room = keep + strlen(replacement) + 1;
    char *name = malloc(room);
    if (name != NULL) {
        memcpy(name, path, keep);
        memcpy(name + keep, replacement, room - keep);
    }
    return name;
}

static struct ds_source *open_beside(const char *path, const char *old, const char *replacement)
{
    struct ds_source *s = NULL;
    DS_AUTO_FREE char *name = renamed(path, old, replacement);
    if (name == NULL || ds_source_file_open(name, &s, NULL) != DS_OK)
        return NULL;
    return s;
}

static struct ds_source *memory_beside(const char *path)
{
    struct ds_source *s = open_beside(path, ".vmss", ".vmem");
    return s != NULL ? s : open_beside(path, ".vmsn", ".vmem");
}

static struct ds_source *state_beside(const char *path)
{
    static const char *const extensions[] = {".vmss", ".vmsn"};
    for (size_t i = 0; i < 2; i++) {
        struct ds_source *s = open_beside(path, ".vmem", extensions[i]);
        if (s != NULL && ds_dump_is_vmware_state(s))
            return s;
        ds_source_close(s);
    }
    return NULL;
}

bool ds_snapshot_vmware(struct ds_source *src, const char *path, struct ds_dump **ret,
                        enum ds_status *status, struct ds_err *err)
{
    bool is_state = ds_dump_is_vmware_state(src);
    struct ds_source *other = is_state ? memory_beside(path) : state_beside(path);
    if (!is_state && other == NULL)
        return false;
    *status = is_state ? ds_dump_open_vmware(src, other, ret, err)
                       : ds_dump_open_vmware(other, src, ret, err);
    if (*status != DS_OK)
        ds_source_close(other);
    return true;
}
