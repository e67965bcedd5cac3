#include "dump/blob_names.h"

#include "base/text.h"

const struct ds_blob_tag *ds_blob_tag_find(const char *tag)
{
    size_t low = 0, high = ds_blob_tag_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = ds_text_casecmp(tag, ds_blob_tags[mid].tag);
        if (order == 0)
            return &ds_blob_tags[mid];
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const char *ds_blob_name(const char *tag)
{
    const struct ds_blob_tag *t = ds_blob_tag_find(tag);
    return t != NULL ? t->name : NULL;
}
