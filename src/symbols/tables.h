/*
 * The constant tables that tools/gen/{layouts,versions,globals,kdbg_layout}.sh make of
 * data/layouts. Strings are offsets into a pool or arrays of fixed size, so that the tables are
 * read-only data without relocations. Private to this room.
 */
#ifndef DS_SYMBOLS_TABLES_H
#define DS_SYMBOLS_TABLES_H

#include <stdint.h>

#include "base/arch.h"

/* Profiles [first, last] have the value; kind: the type of a member, 1 for an unverified size. */
struct ds_table_run {
    uint8_t first, last;
    uint16_t kind;
    uint32_t value; /* offset of a member, size of a struct */
};

/* Its runs reach to those of the next row. The member "" of each struct holds its sizes. */
struct ds_table_member {
    uint32_t name, run;
};

/* Its members, sorted by name, reach to those of the next row. */
struct ds_table_struct {
    uint32_t name, member;
};

struct ds_table_profile {
    uint8_t arch; /* enum ds_arch */
    uint32_t build_min, build_max, rev_first;
    uint32_t name; /* "10.0.19041.685-x64" */
};

/* A kernel for which a profile is exact. */
struct ds_table_kernel {
    uint32_t build, revision;
    uint32_t profile;
    uint32_t pdb; /* "" when not known */
};

/* Builds [first, last] of ds_table_enum_builds have the enumerator. */
struct ds_table_enumerator {
    uint32_t type;
    int32_t value;
    uint32_t name;
    uint8_t first, last;
};

struct ds_table_version {
    uint32_t timestamp, size_of_image;
    uint16_t build, revision;
    uint8_t major, minor;
    uint8_t arch; /* enum ds_arch */
    uint8_t la57; /* ntkrla57.exe instead of ntoskrnl.exe */
};

struct ds_table_global_kernel {
    uint32_t build, revision;
    char pdb[36];
};

struct ds_table_global_name {
    char name[48];
};

struct ds_table_kdbg {
    char name[48];
    uint16_t offset;
    uint8_t size, bit_pos, bit_len;
};

extern const char ds_table_strings[];
extern const uint32_t ds_table_types[];
extern const struct ds_table_run ds_table_runs[];
extern const struct ds_table_member ds_table_members[];
extern const struct ds_table_struct ds_table_structs[];
extern const uint32_t ds_table_struct_count;
extern const struct ds_table_profile ds_table_profiles[];
extern const uint32_t ds_table_profile_count;
extern const struct ds_table_kernel ds_table_kernels[];
extern const uint32_t ds_table_kernel_count;
extern const struct ds_table_enumerator ds_table_enumerators[];
extern const uint32_t ds_table_enumerator_count;
extern const uint32_t ds_table_enum_builds[];
extern const uint32_t ds_table_enum_build_count;
extern const struct ds_table_version ds_table_versions[];
extern const uint32_t ds_table_version_count;
extern const struct ds_table_global_kernel ds_table_global_kernels[];
extern const uint32_t ds_table_global_kernel_count;
extern const struct ds_table_global_name ds_table_global_names[];
extern const uint32_t ds_table_global_name_count;
extern const uint32_t ds_table_globals[];
extern const struct ds_table_kdbg ds_table_kdbg[];
extern const uint32_t ds_table_kdbg_count;

#endif
