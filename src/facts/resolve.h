/* What an address or a bugcheck parameter is: the module that holds it, or the object it is. */
#ifndef DS_FACTS_RESOLVE_H
#define DS_FACTS_RESOLVE_H

#include "facts/facts.h"
#include "nt/bugcheck.h"

/* The module at va, NULL when none. *offset is set when there is one. */
const struct ds_module *ds_resolve_module(struct ds_nt *nt, uint64_t va, uint64_t *offset);

/* The unloaded module that va lies in, when it lies in no loaded one; NULL otherwise. */
const struct ds_unloaded_module *ds_resolve_unloaded(struct ds_nt *nt, uint64_t va);

/* "nt!KeBugCheckEx+0x10" or "amdppm+0x334c"; false when va lies in no module. */
bool ds_resolve_symbol(struct ds_nt *nt, uint64_t va, struct ds_buf *out);

/* What kind of thing a parameter resolved to: static text, "" when nothing is known of it. */
struct ds_resolved {
    const char *kind; /* "code", "unloaded module", "process", "thread", "processor", "status",
                         "text", "" */
};

/*
 * Resolves a bugcheck parameter by its documented type; `param` may be NULL (no documentation).
 * The words go into `out`: "amdppm+0x334c", "process System (pid 4)", "STATUS_ACCESS_VIOLATION".
 */
struct ds_resolved ds_resolve_parameter(struct ds_nt *nt, uint64_t value,
                                        const struct ds_param_doc *param, struct ds_buf *out);

/* The documentation of parameter `index` (0 to 3): the sub-code's where it has one; NULL. */
const struct ds_param_doc *ds_resolve_param_doc(const struct ds_bugcheck_doc *doc,
                                                const struct ds_opt params[4], unsigned index);

#endif
