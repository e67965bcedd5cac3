/* What the tags of secondary data blobs stand for: data/blobs/tags.txt. */
#ifndef DS_DUMP_BLOB_NAMES_H
#define DS_DUMP_BLOB_NAMES_H

#include <stddef.h>

struct ds_blob_tag {
    const char *tag;         /* GUID in lower case */
    const char *name;        /* a few words */
    const char *description; /* what it holds */
    const char *source;      /* kmdf, pdb or content: data/blobs/README.md */
};

/* Ascending by tag; generated. */
extern const struct ds_blob_tag ds_blob_tags[];
extern const size_t ds_blob_tag_count;

/* By GUID text, without regard to case; NULL when not known. Static. */
const struct ds_blob_tag *ds_blob_tag_find(const char *tag);
const char *ds_blob_name(const char *tag);

#endif
