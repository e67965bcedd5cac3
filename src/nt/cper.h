/*
 * Common Platform Error Records from bytes: what firmware, processors and PSHED plug-ins report of
 * a hardware error, and what Windows calls a WHEA_ERROR_RECORD. Sources: UEFI specification,
 * appendix N; tianocore/edk2 MdePkg/Include/Guid/Cper.h (BSD). Of Microsoft's own sections the
 * machine check section is decoded (WHEA_XPF_MCA_SECTION, ntddk.h reference on learn.microsoft.com;
 * packed). Every number in a record may lie: decoding looks at `size` bytes only.
 */
#ifndef DS_NT_CPER_H
#define DS_NT_CPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/opt.h"

#define DS_CPER_HEADER_SIZE 128u
#define DS_CPER_SECTION_SIZE 72u /* of a section descriptor */
#define DS_CPER_GUID 37u

struct ds_cper {
    uint16_t revision;      /* 0x0210 is 2.16 */
    uint16_t section_count; /* as stated; may exceed what the bytes hold */
    uint32_t severity;      /* 0 recoverable, 1 fatal, 2 corrected, 3 informational */
    uint32_t length;        /* as stated, of the whole record, in bytes */
    uint32_t flags;
    uint64_t record_id;
    struct ds_opt time; /* FILETIME; unknown where the record has none */
    char notify[DS_CPER_GUID], creator[DS_CPER_GUID];
    const char *notify_name; /* static; NULL for a GUID that is not public */
};

/* Errors: DS_CORRUPT without the signatures; DS_NOT_IN_DUMP when the bytes are too few. */
enum ds_status ds_cper_decode(const uint8_t *data, size_t size, struct ds_cper *ret) DS_MUST_CHECK;

struct ds_cper_section {
    uint32_t offset, length; /* as stated; of the section, from the start of the record */
    uint16_t revision;
    uint32_t flags;    /* bit 0: primary */
    uint32_t severity; /* as of the record */
    char type[DS_CPER_GUID];
    const char *name; /* static: "memory", "PCI Express"; NULL for a GUID that is not public */
    char fru[21];     /* FRU text, printable ASCII; "" when there is none */
};

#define DS_CPER_PREVIEW 32u /* bytes of a section shown as they are */
/* The section's first bytes in hex, "" when none of them is there. */
void ds_cper_preview(const uint8_t *data, size_t size, const struct ds_cper_section *s,
                     char text[2 * DS_CPER_PREVIEW + 1]);

/* Descriptor `index`, from 0. False when the bytes do not hold it. */
bool ds_cper_section(const uint8_t *data, size_t size, size_t index, struct ds_cper_section *ret);

struct ds_cper_field {
    const char *name; /* static, snake_case */
    uint64_t value;
    char text[160]; /* what the value means; "" where the number says it */
};
#define DS_CPER_FIELDS 64u

/* The valid members of a section, at most DS_CPER_FIELDS. Members past the record's or the
 * section's end are left out. */
size_t ds_cper_fields(const uint8_t *data, size_t size, const struct ds_cper_section *s,
                      struct ds_cper_field fields[DS_CPER_FIELDS]);

/* The same for sections whose shape varies: processors, from `room` bytes at `p`. */
size_t ds_cper_x86_fields(const uint8_t *p, size_t room,
                          struct ds_cper_field fields[DS_CPER_FIELDS]);
size_t ds_cper_arm_fields(const uint8_t *p, size_t room,
                          struct ds_cper_field fields[DS_CPER_FIELDS]);

/* What broke, as a noun: "memory module 3, physical address 0x12345000", "PCI Express device
 * 8086:9a0f at 0:1d.0". Nothing is added for a section that names no component. */
void ds_cper_component(const struct ds_cper_section *s, const struct ds_cper_field *fields,
                       size_t count, struct ds_buf *out);

/* "fatal", ...; NULL for values outside the specification. */
const char *ds_cper_severity_name(uint32_t severity);

/* IA32_MCi_STATUS in words: "uncorrected, context corrupt: data cache error, level 1, read".
 * Architectural bits only. Source: Intel SDM volume 3, chapter "Machine-Check Architecture",
 * IA32_MCi_STATUS and "Compound Error Codes". */
void ds_mci_status_text(uint64_t status, struct ds_buf *out);

#endif
