/*
 * Structure layouts: struct and member names to offsets and sizes, for one kernel. They come
 * from a symbol table (ISF), or from the built-in profiles generated from data/layouts/.
 */
#ifndef DS_SYMBOLS_LAYOUT_H
#define DS_SYMBOLS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"
#include "dumpscan/status.h"

/* How much a layout is to be believed; ordered. */
enum ds_trust {
    DS_TRUST_NONE = 0,
    DS_TRUST_GUESS,   /* another build's layout: rules above `low` do not run on it */
    DS_TRUST_NEAREST, /* same architecture and build, nearest revision, invariants held */
    DS_TRUST_PROFILE, /* built-in profile of exactly this kernel revision */
    DS_TRUST_SYMBOLS  /* symbol table whose GUID matches the image */
};

/* "none", "guess", "nearest", "profile", "symbols". */
const char *ds_trust_name(enum ds_trust trust);

/* One member. Offsets and sizes in bytes from the start of the struct. */
struct ds_field {
    uint32_t offset;
    uint32_t size;   /* bytes of the member; for arrays, of the whole array; 0 = not known */
    uint8_t bit_pos; /* of a bit field, inside the unit of `size` bytes at offset */
    uint8_t bit_len; /* 0 = not a bit field */
    bool is_signed;
    bool unverified; /* carried over from a neighbouring build, not seen in this kernel's PDB */
};

struct ds_layout;

/* The member `path` ("State", nested "Tcb.State", arrays "Prcb[2]" are not accepted) of struct
 * `type` ("_KTHREAD"). Errors: DS_NO_FIELD. */
enum ds_status ds_layout_field(const struct ds_layout *l, const char *type, const char *path,
                               struct ds_field *ret) DS_MUST_CHECK;
/* sizeof the struct. Errors: DS_NO_FIELD. */
enum ds_status ds_layout_size(const struct ds_layout *l, const char *type,
                              uint32_t *ret) DS_MUST_CHECK;
enum ds_trust ds_layout_trust(const struct ds_layout *l);
/* Where it came from, for people: "profile 10.0.19041.329-x64", "ntkrnlmp.pdb/5278…-1". */
const char *ds_layout_source(const struct ds_layout *l);
void ds_layout_close(struct ds_layout *l);

/* What is known of the kernel when a built-in profile is chosen; zero = unknown. */
struct ds_kernel_id {
    enum ds_arch arch;
    uint32_t build;    /* 19041 */
    uint32_t revision; /* 804 */
    char pdb[48];      /* "5278AFF86C341677D7D7835C85B7B844-1" or "" */
    bool la57;         /* ntkrla57.exe, another file of the same version: known by pdb only */
};

/*
 * The best built-in profile: by PDB id (DS_TRUST_PROFILE), by exact build and revision
 * (DS_TRUST_PROFILE), the same build's greatest revision not above (DS_TRUST_NEAREST), or the
 * nearest build of the architecture (DS_TRUST_GUESS). Errors: DS_NOT_FOUND, DS_NO_MEMORY.
 * No parsing: the profiles are constant tables.
 */
enum ds_status ds_layout_open_builtin(const struct ds_kernel_id *id, struct ds_layout **ret,
                                      struct ds_err *err) DS_MUST_CHECK;

/* A built-in profile, for choosing among those of one build by the invariants of a snapshot. */
struct ds_profile {
    enum ds_arch arch;
    uint32_t build_min, build_max; /* the builds it serves */
    uint32_t revision;             /* the first revision it is known for; 0 = from the start */
    const char *name;              /* static: "10.0.19041.685-x64" */
};

/* Profiles are numbered from 0, sorted by architecture and version. */
uint32_t ds_profile_count(void);
/* False when there is no such profile. */
bool ds_profile_get(uint32_t index, struct ds_profile *ret);
/* Opens one by number at trust DS_TRUST_NEAREST. Errors: DS_NOT_FOUND, DS_NO_MEMORY. */
enum ds_status ds_layout_open_profile(uint32_t index, struct ds_layout **ret,
                                      struct ds_err *err) DS_MUST_CHECK;

/*
 * The enumerator of a value: ("_KWAIT_REASON", 19041, 7) is "WrExecutive". Values of the build,
 * or of the nearest older one that is recorded (of the oldest when there is none older). NULL
 * when not known. Enums: _KTHREAD_STATE, _KWAIT_REASON, _KPROCESS_STATE, _KOBJECTS, _POOL_TYPE.
 */
const char *ds_enum_name(const char *type, uint32_t build, int32_t value);

/* Lowers or raises the trust after the target's invariants were checked. */
void ds_layout_set_trust(struct ds_layout *l, enum ds_trust trust);

#endif
