/*
 * The processor blobs of a minidump: CPUID leaves (rows of 40 bytes: subleaf, leaf, EAX EBX ECX
 * EDX twice) and the values of the processor's registry key
 * ({u32 name bytes, UTF-16 name, u32 type, u32 data bytes, data}, back to back). Layouts found by
 * inspection of real dumps. Both answers come from one processor (same APIC id): the first is what
 * Windows gets, the second what the processor says without the hypervisor that Windows started,
 * which shows features that the first lacks and no hypervisor bit. Meaning of leaves: Intel SDM
 * volume 2 and AMD APM volume 3, CPUID.
 */
#ifndef DS_DUMP_CPUID_H
#define DS_DUMP_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "dumpscan/status.h"

#define DS_CPUID_TAG "d03dc06f-d88e-44c5-ba2a-fae035172d19"
#define DS_CPU_REGISTRY_TAG "6c7ac389-4313-47dc-9f34-a8800a0fb56c"

struct ds_cpuid_row {
    uint32_t subleaf, leaf;
    uint32_t first[4], second[4]; /* EAX, EBX, ECX, EDX: as Windows gets them; on the metal */
};

/* Rows of a blob of that many bytes. */
size_t ds_cpuid_count(size_t size);
/* False past the last row. */
bool ds_cpuid_row(const void *blob, size_t size, size_t index, struct ds_cpuid_row *ret);

/* What the first answers say. Texts are "" when their leaves are missing. */
struct ds_cpuid {
    char vendor[13];                       /* "AuthenticAMD" */
    char brand[49];                        /* without the blanks at its ends */
    struct ds_opt family, model, stepping; /* extended parts added as the vendors say */
    struct ds_opt hypervisor;              /* 1 when leaf 1 ECX bit 31 is set */
    struct ds_opt hypervisor_below;        /* the same of the second answer */
    char hypervisor_vendor[13];            /* leaf 0x40000000: "Microsoft Hv" */
};

/* DS_OK, DS_NOT_FOUND when neither vendor nor version leaf is there. */
enum ds_status ds_cpuid_decode(const void *blob, size_t size, struct ds_cpuid *ret);

/* One value of the registry blob. */
struct ds_cpu_value {
    char name[64];        /* UTF-8, "ProcessorNameString" */
    uint32_t type;        /* REG_SZ 1, REG_BINARY 3, REG_DWORD 4, .. (winnt.h) */
    char text[160];       /* of REG_SZ and REG_EXPAND_SZ, blanks at its end removed */
    struct ds_opt number; /* of REG_DWORD and REG_QWORD */
    size_t data_size;     /* bytes as stated */
};

/*
 * The value at *pos, which moves behind it; begin with 0. DS_NOT_FOUND at the end, DS_TRUNCATED
 * when the blob ends within a value, DS_CORRUPT for a name of no or odd size.
 */
enum ds_status ds_cpu_value_next(const void *blob, size_t size, size_t *pos,
                                 struct ds_cpu_value *ret);

#endif
