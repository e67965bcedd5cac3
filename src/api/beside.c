/* The second file of a VMware machine: NAME.vmem has its memory, NAME.vmss or NAME.vmsn its state.
 */
#include <string.h>

#include "api/impl.h"
#include "base/buf.h"
#include "base/text.h"
#include "dump/unpack.h"

/* `path` with `tail`, which it ends with, replaced; NULL when it does not. */
static bool replace_tail(struct ds_buf *out, const char *path, const char *tail,
                         const char *replacement)
{
    size_t len = strlen(path), n = strlen(tail);
    if (len < n || ds_text_casecmp(path + len - n, tail) != 0)
        return false;
    ds_buf_add(out, path, len - n);
    ds_buf_str(out, replacement);
    return ds_buf_ok(out);
}

/* The file of the other extension, beside the file or in the same archive, packed or not. */
static struct ds_source *open_beside(const char *path, const struct ds_unpack_options *o,
                                     const char *const tails[2], const char *const others[2])
{
    struct ds_unpack_options any = *o;
    struct ds_source *s = NULL;
    any.any = true;
    for (size_t i = 0; i < 4 && s == NULL; i++) {
        struct ds_buf name;
        ds_buf_init(&name, 1u << 20);
        if (replace_tail(&name, path, tails[i / 2], others[i % 2]) &&
            ds_unpack_open(ds_buf_text(&name), &any, &s, NULL, NULL) != DS_OK)
            s = NULL;
        ds_buf_deinit(&name);
    }
    return s;
}

static const char *const vmem[2] = {".vmem", ".vmem.gz"};
static const char *const vmss[2] = {".vmss", ".vmss.gz"};
static const char *const vmsn[2] = {".vmsn", ".vmsn.gz"};

static struct ds_source *memory_beside(const char *path, const struct ds_unpack_options *o)
{
    struct ds_source *s = open_beside(path, o, vmss, vmem);
    return s != NULL ? s : open_beside(path, o, vmsn, vmem);
}

static struct ds_source *state_beside(const char *path, const struct ds_unpack_options *o)
{
    for (size_t i = 0; i < 2; i++) {
        struct ds_source *s = open_beside(path, o, vmem, i == 0 ? vmss : vmsn);
        if (s != NULL && ds_dump_is_vmware_state(s))
            return s;
        ds_source_close(s);
    }
    return NULL;
}

bool ds_snapshot_vmware(struct ds_source *src, const char *path, const struct ds_unpack_options *o,
                        struct ds_dump **ret, enum ds_status *status, struct ds_err *err)
{
    bool is_state = ds_dump_is_vmware_state(src);
    struct ds_source *other = is_state ? memory_beside(path, o) : state_beside(path, o);
    if (!is_state && other == NULL)
        return false;
    *status = is_state ? ds_dump_open_vmware(src, other, ret, err)
                       : ds_dump_open_vmware(other, src, ret, err);
    if (*status != DS_OK)
        ds_source_close(other);
    return true;
}
