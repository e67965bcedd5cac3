/* What the tags of secondary data blobs stand for. */
#ifndef DS_DUMP_BLOB_NAMES_H
#define DS_DUMP_BLOB_NAMES_H

/* By GUID text, without regard to case; NULL when not known. Static. */
const char *ds_blob_name(const char *tag);

#endif
