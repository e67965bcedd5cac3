/* Who is not blamed for standing on a stack, what a bugcheck code says by itself of the culprit,
 * and which of its parameters lead to one: the tables of data/culprit/. */
#ifndef DS_FACTS_SKIP_H
#define DS_FACTS_SKIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_skip {
    const char *name;   /* lower-case file name; a '*' matches any run of characters */
    const char *class_; /* "kernel", "hal", "framework", "port", "verifier", "debugger", "crash" */
    const char *reason;
};
extern const struct ds_skip ds_skip_table[];
extern const size_t ds_skip_count;

/* The entry for a module's file name, or NULL when the module can be blamed like any other. */
const struct ds_skip *ds_skip_find(const char *module_name);

/* Whether the entry (may be NULL) only puts others first: a framework or a port driver works for
 * the driver above or below it, but fails on its own as well. */
bool ds_skip_is_framework(const struct ds_skip *skip);

enum ds_blame_kind {
    DS_BLAME_REQUESTED,
    DS_BLAME_LIVE,
    DS_BLAME_HARDWARE,
    DS_BLAME_MEMORY_CORRUPTION,
    DS_BLAME_PROCESS,
    DS_BLAME_WEAK_STACK, /* who stands on the stack is weak evidence */
    DS_BLAME_OTHER_STACK /* who stands on the stack is none at all */
};
struct ds_blame {
    uint32_t code;
    bool any_p1; /* whatever the first parameter is */
    uint64_t p1; /* when not any_p1 */
    enum ds_blame_kind kind;
    const char *reason;
};
extern const struct ds_blame ds_blame_table[];
extern const size_t ds_blame_count;

/* The entry for a bugcheck code (variant bits are ignored) and its first parameter, or NULL. */
const struct ds_blame *ds_blame_find(uint32_t code, uint64_t p1);

/* How a parameter leads to a driver. */
enum ds_lead_how {
    DS_LEAD_DEVICE,   /* _DEVICE_OBJECT: its driver */
    DS_LEAD_DRIVER,   /* _DRIVER_OBJECT */
    DS_LEAD_IRP,      /* _IRP: the driver of its current stack location */
    DS_LEAD_NAME,     /* _UNICODE_STRING: the driver's name */
    DS_LEAD_THREAD,   /* _KTHREAD: the first driver on its stack */
    DS_LEAD_PROCESSOR /* _KPRCB: the first driver on its stack */
};
struct ds_lead {
    uint32_t code;
    bool any_p1;
    uint64_t p1;
    unsigned parameter; /* 1 to 4 */
    enum ds_lead_how how;
    const char *confidence; /* "high", "medium", "low" */
    const char *reason;     /* what the driver did: a verb and its object */
};
extern const struct ds_lead ds_lead_table[];
extern const size_t ds_lead_count;

/* Whether the entry is for this code (variant bits are ignored) and first parameter. */
bool ds_lead_applies(const struct ds_lead *lead, uint32_t code, uint64_t p1);

#endif
