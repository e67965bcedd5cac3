/* Common Platform Error Records: header and section descriptors. */
#include "nt/cper.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"

#define FILETIME_DAY (UINT64_C(86400) * 10000000)

struct guid_name {
    const char *guid, *name;
};

/* Cper.h, EFI_EVENT_NOTIFICATION_TYEP_*. */
static const struct guid_name notifications[] = {
    {"2dce8bb1-bdd7-450e-b9ad-9cf4ebd4f890", "corrected machine check"},
    {"4e292f96-d843-4a55-a8c2-d481f27ebeee", "corrected platform error"},
    {"e8f56ffe-919c-4cc5-ba88-65abe14913bb", "machine check exception"},
    {"cf93c01f-1a16-4dfc-b8bc-9c4daf67c104", "PCI Express"},
    {"cc5263e8-9308-454a-89d0-340bd39bc98e", "INIT"},
    {"5bad89ff-b7e6-42c9-814a-cf2485d6e98a", "non-maskable interrupt"},
    {"3d61a466-ab40-409a-a698-f362d464b38f", "recorded at an earlier start (BOOT)"},
    {"667dd791-c6b3-4c27-8a6b-0f8e722deb41", "DMA remapping"},
    {"9a78788a-bbe8-11e4-809e-67611e5d46b0", "synchronous external abort"},
    {"5c284c81-b0ae-4e87-a322-b04c85624323", "system error interrupt"},
    {"09a9d5ac-5204-4214-96e5-94992e752bcd", "platform error interrupt"},
};

/* Cper.h, EFI_ERROR_SECTION_*_GUID; CXL: UEFI specification 2.10, N.2.13 and N.2.14, and CXL
 * specification 3.0, 8.2.9.2.1; XPF_MCA, NMI, GENERIC: Windows SDK. */
static const struct guid_name sections[] = {
    {"9876ccad-47b4-4bdb-b65e-16f193c4f3db", "processor"},
    {"dc3ea0b0-a144-4797-b95b-53fa242b6e1d", "x86/x64 processor"},
    {"e19e3d16-bc11-11e4-9caa-c2051d5d46b0", "ARM processor"},
    {"a5bc1114-6f64-4ede-b863-3e83ed7c83b1", "memory"},
    {"61ec04fc-48e6-d813-25c9-8daa44750b12", "memory, second format"},
    {"d995e954-bbc1-430f-ad91-b44dcb3c6f35", "PCI Express"},
    {"81212a96-09ed-4996-9471-8d729c8e69ed", "firmware error record"},
    {"c5753963-3b84-4095-bf78-eddad3f9c9dd", "PCI bus"},
    {"eb5e4685-ca66-4769-b6a2-26068b001326", "PCI device"},
    {"5b51fef7-c79d-4434-8f1b-aa62de3e2c64", "DMA remapping"},
    {"71761d37-32b2-45cd-a7d0-b0fedd93e8cf", "DMA remapping, Intel"},
    {"036f84e1-7f37-428c-a79e-575fdfaa84ec", "DMA remapping, AMD"},
    {"80b9efb4-52b5-4de3-a777-68784b771048", "CXL protocol"},
    {"fbcd0a77-c260-417f-85a9-088b1621eba6", "CXL media event"},
    {"601dcbb3-9c06-4eab-b8af-4e9bfb5c9624", "CXL memory event"},
    {"fe927475-dd59-4339-a586-79bab113b774", "CXL module event"},
    {"8a1e1d01-42f9-4557-9c33-565e5cc3f7e8", "machine check registers"},
    {"e71254e7-c1b9-4940-ab76-909703a4320f", "NMI"},
    {"e71254e9-c1b9-4940-ab76-909703a4320f", "Windows error packet"},
};

static const char *guid_name(const struct guid_name *list, size_t count, const char *guid)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].guid, guid) == 0)
            return list[i].name;
    return NULL;
}

static void guid_text(const uint8_t *p, char text[DS_CPER_GUID])
{
    int n = snprintf(text, DS_CPER_GUID, "%08" PRIx32 "-%04x-%04x-%02x%02x-", ds_le32(p),
                     (unsigned)ds_le16(p + 4), (unsigned)ds_le16(p + 6), p[8], p[9]);
    for (size_t i = 0; n > 0 && i < 6; i++)
        (void)snprintf(text + n + 2 * i, 3, "%02x", p[10 + i]);
}

static bool bcd(uint8_t byte, unsigned last, unsigned *ret)
{
    *ret = 10u * (byte >> 4) + (byte & 15u);
    return byte >> 4 < 10 && (byte & 15) < 10 && *ret <= last;
}

/* Days from 1601-01-01 to the first day of the month. */
static uint64_t days_before(unsigned year, unsigned month)
{
    static const unsigned short before[12] = {0,   31,  59,  90,  120, 151,
                                              181, 212, 243, 273, 304, 334};
    unsigned past = year - 1601;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return (uint64_t)past * 365 + past / 4 - past / 100 + past / 400 + before[month - 1] +
           (leap && month > 2 ? 1 : 0);
}

/* Seconds, minutes, hours, flags, day, month, year, century, all BCD. */
static struct ds_opt timestamp(const uint8_t *p)
{
    unsigned s, m, h, day, month, year, century;
    if (!bcd(p[0], 59, &s) || !bcd(p[1], 59, &m) || !bcd(p[2], 23, &h) || !bcd(p[4], 31, &day) ||
        !bcd(p[5], 12, &month) || !bcd(p[6], 99, &year) || !bcd(p[7], 99, &century) || day == 0 ||
        month == 0 || century < 17)
        return ds_opt_unknown(DS_CORRUPT);
    uint64_t days = days_before(century * 100 + year, month) + day - 1;
    return ds_opt_known(days * FILETIME_DAY + (h * 3600u + m * 60u + s) * UINT64_C(10000000));
}

enum ds_status ds_cper_decode(const uint8_t *data, size_t size, struct ds_cper *ret)
{
    *ret = (struct ds_cper){.time = ds_opt_unknown(DS_OK)};
    if (size < DS_CPER_HEADER_SIZE)
        return DS_NOT_IN_DUMP;
    if (memcmp(data, "CPER", 4) != 0 || ds_le32(data + 6) != 0xffffffffu)
        return DS_CORRUPT;
    ret->revision = ds_le16(data + 4);
    ret->section_count = ds_le16(data + 10);
    ret->severity = ds_le32(data + 12);
    ret->length = ds_le32(data + 20);
    if ((ds_le32(data + 16) & 2u) != 0)
        ret->time = timestamp(data + 24);
    guid_text(data + 64, ret->creator);
    guid_text(data + 80, ret->notify);
    ret->notify_name =
        guid_name(notifications, sizeof(notifications) / sizeof(notifications[0]), ret->notify);
    ret->record_id = ds_le64(data + 96);
    ret->flags = ds_le32(data + 104);
    return DS_OK;
}

bool ds_cper_section(const uint8_t *data, size_t size, size_t index, struct ds_cper_section *ret)
{
    *ret = (struct ds_cper_section){0};
    if (index > UINT16_MAX || !ds_range_within(DS_CPER_HEADER_SIZE + index * DS_CPER_SECTION_SIZE,
                                               DS_CPER_SECTION_SIZE, size))
        return false;
    const uint8_t *p = data + DS_CPER_HEADER_SIZE + index * DS_CPER_SECTION_SIZE;
    ret->offset = ds_le32(p);
    ret->length = ds_le32(p + 4);
    ret->revision = ds_le16(p + 8);
    ret->flags = ds_le32(p + 12);
    ret->severity = ds_le32(p + 48);
    guid_text(p + 16, ret->type);
    ret->name = guid_name(sections, sizeof(sections) / sizeof(sections[0]), ret->type);
    if ((p[10] & 2u) != 0)
        for (size_t i = 0; i < 20 && p[52 + i] >= ' ' && p[52 + i] < 0x7f; i++)
            ret->fru[i] = (char)p[52 + i];
    return true;
}

void ds_cper_preview(const uint8_t *data, size_t size, const struct ds_cper_section *s,
                     char text[2 * DS_CPER_PREVIEW + 1])
{
    size_t room = s->offset > size ? 0 : size - s->offset;
    room = room < s->length ? room : s->length;
    room = room < DS_CPER_PREVIEW ? room : DS_CPER_PREVIEW;
    text[0] = '\0';
    for (size_t i = 0; i < room; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", data[s->offset + i]);
}

const char *ds_cper_severity_name(uint32_t severity)
{
    static const char *const names[4] = {"recoverable", "fatal", "corrected", "informational"};
    return severity < 4 ? names[severity] : NULL;
}
