#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "dump/unpack_impl.h"
#include "dump/vmware.h"

/* States of VMware machines whose memory is looked for in the archive. */
#define PAIRS_MAX 256u

struct magic {
    uint8_t size;
    const char *bytes;
};

static const struct magic magics[] = {
    {4, "PAGE"},
    {4, "PK\x03\x04"},
    {3, "\x1f\x8b\x08"},
    {4, "\x7f"
        "ELF"},
    {8, "KDUMP   "},
    {8, "DISKDUMP"},
    {12, "makedumpfile"},
    {8, "Raw_Dmp!"},
};

bool ds_unpack_looks(const uint8_t *head, size_t have)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (have >= magics[i].size && memcmp(head, magics[i].bytes, magics[i].size) == 0)
            return true;
    if (ds_vmware_probe(head, have))
        return true;
    /* A DMP whose first word is damaged. */
    return have >= 8 && (memcmp(head + 4, "DU64", 4) == 0 || memcmp(head + 4, "DUMP", 4) == 0);
}

static bool ends_with(const char *name, size_t len, const char *tail)
{
    size_t n = strlen(tail);
    if (len < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[len - n + i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != tail[i])
            return false;
    }
    return true;
}

bool ds_unpack_raw_name(const char *name, size_t len)
{
    return ends_with(name, len, ".vmem") || ends_with(name, len, ".raw") ||
           ends_with(name, len, ".mem");
}

static bool is_state_name(const char *name, size_t len)
{
    return ends_with(name, len, ".vmss") || ends_with(name, len, ".vmsn");
}

static bool is_dump_name(const char *name, size_t len)
{
    static const char *const tails[] = {".dmp", ".core", ".elf", ".kdump", ".gz", ".zip"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
        if (ends_with(name, len, tails[i]))
            return true;
    return ds_unpack_raw_name(name, len) || is_state_name(name, len);
}

/* Whether the archive has the memory that belongs to the state `name`. */
static bool has_memory(const struct ds_zip *z, const char *name, size_t len)
{
    size_t stem = len - strlen(".vmss");
    for (size_t i = 0; i < z->count; i++) {
        const char *other = z->members[i].name;
        if (strncmp(other, name, stem) == 0 && strlen(other) == len &&
            ends_with(other, len, ".vmem"))
            return true;
    }
    return false;
}

bool ds_unpack_wanted(struct ds_source *archive, const struct ds_zip *z, size_t index)
{
    const struct ds_zip_member *m = &z->members[index];
    size_t len = strlen(m->name), have;
    uint8_t head[16];
    if (is_state_name(m->name, len) && z->count <= PAIRS_MAX && has_memory(z, m->name, len))
        return false;
    enum ds_status st = ds_zip_member_peek(archive, m, head, sizeof(head), &have, NULL);
    if (st != DS_OK)
        return st == DS_UNSUPPORTED && is_dump_name(m->name, len);
    return ds_unpack_looks(head, have) || ds_unpack_raw_name(m->name, len);
}

/* The only dump of an archive; DS_UNPACK_NO_MEMBER when there is none, or a *second one. */
static size_t only_dump(struct ds_source *archive, const struct ds_zip *z, size_t *first,
                        size_t *second)
{
    *first = *second = DS_UNPACK_NO_MEMBER;
    for (size_t i = 0; i < z->count && *second == DS_UNPACK_NO_MEMBER; i++) {
        if (!ds_unpack_wanted(archive, z, i))
            continue;
        if (*first == DS_UNPACK_NO_MEMBER)
            *first = i;
        else
            *second = i;
    }
    if (*first == DS_UNPACK_NO_MEMBER && z->count == 1)
        return 0;
    return *second != DS_UNPACK_NO_MEMBER ? DS_UNPACK_NO_MEMBER : *first;
}

/* A member of the whole name, else the longest that is followed by "!". */
static size_t named_member(const struct ds_zip *z, const char *name, const char **rest)
{
    size_t best = DS_UNPACK_NO_MEMBER, longest = 0;
    *rest = NULL;
    for (size_t i = 0; i < z->count; i++) {
        size_t len = strlen(z->members[i].name);
        if (strncmp(z->members[i].name, name, len) != 0)
            continue;
        if (name[len] == '\0') {
            *rest = NULL;
            return i;
        }
        if (name[len] == '!' && len > longest) {
            best = i;
            longest = len;
            *rest = name + len + 1;
        }
    }
    return best;
}

enum ds_status ds_unpack_choose(struct ds_source *archive, const struct ds_zip *z, const char *name,
                                size_t *ret, const char **rest, struct ds_err *err)
{
    size_t first, second = DS_UNPACK_NO_MEMBER;
    *rest = NULL;
    *ret = name != NULL ? named_member(z, name, rest) : only_dump(archive, z, &first, &second);
    if (*ret != DS_UNPACK_NO_MEMBER)
        return DS_OK;
    if (name != NULL)
        return ds_err_set(err, DS_NOT_FOUND, "the zip archive has no member %s", name);
    if (second != DS_UNPACK_NO_MEMBER)
        return ds_err_set(err, DS_INVALID,
                          "the zip archive holds several dumps (%s, %s ...): name one as "
                          "ARCHIVE!MEMBER",
                          z->members[first].name, z->members[second].name);
    return ds_err_set(err, DS_NOT_DUMP,
                      "not a Windows kernel dump: this is a zip archive, and none of its %llu "
                      "files is a dump; give the archive that has the .dmp file in it",
                      (unsigned long long)z->count);
}
