#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "dump/vmware.h"

#define HEADER 12u /* magic, version, number of groups */
#define GROUP 80u  /* name of 64 bytes, position, size */
#define GROUPS_MAX 4096u
#define TAGS_MAX 1048576u
#define SIZE_BLOCK 63u /* value sizes that mean a block follows */
#define SIZE_COMPRESSED 62u

bool ds_vmware_probe(const uint8_t *head, size_t have)
{
    static const uint32_t magics[] = {0xbed0bed0, 0xbed2bed0, 0xbed2bed2,
                                      0xbed3bed3, 0xbad1bad1, 0xbad2bad2};
    for (size_t i = 0; have >= 4 && i < sizeof(magics) / sizeof(magics[0]); i++)
        if (ds_le32(head) == magics[i])
            return true;
    return false;
}

static enum ds_status find_group(struct ds_source *state, const char *name, unsigned *wide,
                                 uint64_t *at)
{
    uint8_t head[HEADER], group[GROUP];
    enum ds_status st = ds_source_read(state, 0, head, sizeof(head), NULL);
    if (st != DS_OK)
        return st;
    /* Sizes have 4 bytes in states whose magic number ends in 0. */
    *wide = (head[0] & 0xf) == 0 ? 4 : 8;
    uint32_t count = ds_le32(head + 8);
    for (uint32_t i = 0; i < count; i++) {
        if (i == GROUPS_MAX)
            return DS_LIMIT;
        st = ds_source_read(state, HEADER + (uint64_t)i * GROUP, group, sizeof(group), NULL);
        if (st != DS_OK)
            return st;
        if (strncmp((const char *)group, name, 64) == 0) {
            *at = ds_le64(group + 64);
            return DS_OK;
        }
    }
    return DS_NOT_FOUND;
}

struct reader {
    struct ds_source *state;
    uint64_t at;
    unsigned wide;
};

static enum ds_status take(struct reader *r, void *buf, size_t len)
{
    enum ds_status st = ds_source_read(r->state, r->at, buf, len, NULL);
    if (st == DS_OK)
        r->at += len;
    return st;
}

/* Two sizes, in the file and in memory, then the length of the padding before the data. */
static enum ds_status take_block(struct reader *r, struct ds_vmware_tag *tag)
{
    uint8_t b[18] = {0};
    enum ds_status st = take(r, b, 2 * (size_t)r->wide + 2);
    if (st != DS_OK)
        return st;
    tag->size = r->wide == 8 ? ds_le64(b) : ds_le32(b);
    tag->at = r->at;
    if (ds_add_overflows(tag->at, ds_le16(b + 2 * (size_t)r->wide), &tag->at) ||
        ds_add_overflows(tag->at, tag->size, &r->at))
        return DS_TRUNCATED;
    return DS_OK;
}

/* A tag: 6 bits of value size, 2 of how many indices, 8 of the name's length; *more is false at
 * the end of the group. */
static enum ds_status take_tag(struct reader *r, struct ds_vmware_tag *tag, bool *more)
{
    uint8_t b[64];
    *tag = (struct ds_vmware_tag){.value = 0};
    enum ds_status st = take(r, b, 2);
    *more = st == DS_OK && ds_le16(b) != 0;
    if (!*more)
        return st;
    unsigned size = b[0] & 63;
    tag->index_count = b[0] >> 6;
    st = take(r, tag->name, b[1]);
    for (unsigned i = 0; st == DS_OK && i < tag->index_count; i++) {
        st = take(r, b, 4);
        tag->index[i] = ds_le32(b);
    }
    tag->block = size == SIZE_BLOCK || size == SIZE_COMPRESSED;
    tag->compressed = size == SIZE_COMPRESSED;
    if (st != DS_OK)
        return st;
    if (tag->block)
        return take_block(r, tag);
    memset(b, 0, sizeof(b));
    tag->at = r->at;
    tag->size = size;
    st = take(r, b, size);
    tag->value = ds_le64(b);
    return st;
}

enum ds_status ds_vmware_tags(struct ds_source *state, const char *group,
                              bool (*each)(void *arg, const struct ds_vmware_tag *tag), void *arg)
{
    struct reader r = {.state = state};
    bool more = true;
    enum ds_status st = find_group(state, group, &r.wide, &r.at);
    for (uint32_t i = 0; st == DS_OK && more; i++) {
        struct ds_vmware_tag tag;
        if (i == TAGS_MAX)
            return DS_LIMIT;
        st = take_tag(&r, &tag, &more);
        if (st == DS_OK && more)
            more = each(arg, &tag);
    }
    return st;
}
