/* Who is not blamed for standing on a stack, and codes that decide the kind of the culprit: the
 * tables of data/culprit/. */
#ifndef DS_FACTS_SKIP_H
#define DS_FACTS_SKIP_H

#include <stddef.h>
#include <stdint.h>

struct ds_skip {
    const char *name;   /* lower-case file name; a '*' matches any run of characters */
    const char *class_; /* "kernel", "hal", "framework", "verifier", "debugger", "crash" */
    const char *reason;
};
extern const struct ds_skip ds_skip_table[];
extern const size_t ds_skip_count;

/* The entry for a module's file name, or NULL when the module can be blamed. */
const struct ds_skip *ds_skip_find(const char *module_name);

enum ds_blame_kind {
    DS_BLAME_REQUESTED,
    DS_BLAME_LIVE,
    DS_BLAME_HARDWARE,
    DS_BLAME_MEMORY_CORRUPTION,
    DS_BLAME_PROCESS
};
struct ds_blame {
    uint32_t code;
    enum ds_blame_kind kind;
    const char *reason;
};
extern const struct ds_blame ds_blame_table[];
extern const size_t ds_blame_count;

/* The entry for a bugcheck code (variant bits are ignored), or NULL. */
const struct ds_blame *ds_blame_find(uint32_t code);

#endif
