/*
 * What the Windows debugger's !analyze would call things: its key names with values in its
 * notation, as far as they follow from the dump. docs/windbg-keys.md describes each key and what
 * it follows from. A key that cannot be derived is absent.
 */
#ifndef DS_FACTS_WINDBG_H
#define DS_FACTS_WINDBG_H

#include "facts/candidates.h"

struct ds_windbg_key {
    const char *name; /* static: "BUGCHECK_CODE", "Failure.Bucket", ... */
    const char *value;
};

#define DS_WINDBG_KEYS_MAX 64u
struct ds_windbg {
    struct ds_windbg_key rows[DS_WINDBG_KEYS_MAX];
    size_t count;
    const char *bucket;            /* FAILURE_BUCKET_ID; NULL when it cannot be derived */
    const char *bucket_confidence; /* static: "high", "medium", "low"; NULL without a bucket */
    const char *bucket_reason;     /* static: what the confidence rests on, or why there is none */
};

/* Strings live in the nt's target arena. */
void ds_windbg_find(struct ds_nt *nt, struct ds_windbg *ret);

/*
 * FAILURE_ID_HASH of a bucket: MD5 over the UTF-16LE text of "km:" and the bucket in lower case,
 * as a GUID with braces. Reproduces every published pair that was compared (see the tests).
 */
#define DS_WINDBG_HASH 39
void ds_windbg_hash(const char *bucket, char text[DS_WINDBG_HASH]);

/* What a bucket is made from. */
struct ds_windbg_blame {
    const char *module;   /* "amdppm", "nt"; NULL: nobody */
    const char *image;    /* "amdppm.sys" */
    const char *function; /* without offset; NULL when the debugger has no symbols either */
    bool symbols_public;  /* the debugger finds a function name where `function` is NULL */
    bool sure;            /* blamed by the fault or a parameter, not by a stack */
};
struct ds_windbg_crash {
    uint32_t code; /* without the variant flags */
    uint64_t p[4];
    uint32_t exception; /* NTSTATUS; 0: none */
    bool live;
    const char *lower_driver; /* 0x9F with 3: the driver of the device in parameter 2, or NULL */
};
/* Appends the bucket; false when its grammar is not known for this crash. *confidence and *reason
 * are static and set in both cases (*confidence NULL without a bucket). */
bool ds_windbg_bucket(const struct ds_windbg_crash *c, const struct ds_windbg_blame *b,
                      struct ds_buf *out, const char **confidence, const char **reason);

#endif
