/* Header flags as people read them. */
#ifndef DS_FACTS_RENDER_H
#define DS_FACTS_RENDER_H

#include "base/buf.h"

/* The header's Attributes as named bits: "live dump generated, bit 12"; "none" for 0.
 * Source: Windows SDK mindumpdef.h, DUMP_FILE_ATTRIBUTES. */
void ds_render_attributes(uint32_t attributes, struct ds_buf *out);

#endif
