/*
 * Words for bugcheck parameters: what a value says by itself, without a dump. Texts are ours and
 * the data's; nothing from a dump is echoed but numbers, so the output needs no escaping.
 */
#ifndef DS_NT_EXPLAIN_H
#define DS_NT_EXPLAIN_H

#include "base/arch.h"
#include "base/buf.h"
#include "nt/bugcheck.h"

/*
 * "DISPATCH_LEVEL"; "device interrupt" for the levels between. With DS_ARCH_UNKNOWN only the
 * levels that all architectures share are named. NULL when there is no name. Source: the
 * PASSIVE_LEVEL to HIGH_LEVEL constants of the WDK's wdm.h per architecture.
 */
const char *ds_irql_name(enum ds_arch arch, uint64_t irql);

/*
 * "read", "write" or "execute" for parameter `param` (0 to 3) of this bugcheck; NULL when the
 * parameter is no access kind or the value is not documented. The coding differs by code
 * (2 is a write in 0x50, an execution in 0xD1), so ask this and do not decode by hand.
 */
const char *ds_bugcheck_access(const struct ds_bugcheck_doc *doc, unsigned param, uint64_t value);

/*
 * Appends what the value of parameter `param` (0 to 3) means, on one line without a newline:
 * "STATUS_ACCESS_VIOLATION: ...", "DISPATCH_LEVEL", "read", "a sub-code row", ... Returns false
 * and appends nothing when the number says nothing by itself (most addresses). `sub` may be NULL.
 */
bool ds_bugcheck_value_explain(const struct ds_bugcheck_doc *doc,
                               const struct ds_bugcheck_subcode *sub, unsigned param,
                               uint64_t value, enum ds_arch arch, struct ds_buf *out);

/* Appends the address of the public page that an entry comes from. */
void ds_bugcheck_source_url(const struct ds_bugcheck_doc *doc, struct ds_buf *out);

/*
 * Everything known about a code as text lines, for `dumpscan explain`. Bit i of `known` says that
 * params[i] was given. Without the sub-code parameter the sub-code table is listed. Returns false
 * (after a line that says so) when the code has no entry.
 */
bool ds_bugcheck_explain(uint32_t code, const uint64_t params[4], unsigned known,
                         struct ds_buf *out);

#endif
