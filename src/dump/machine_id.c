/* The machine id: docs/machine-id.md has the recipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump/machine.h"

/* What firmware writers leave in a serial number's place, in capitals, without blanks at the ends
 * and without the signs that squeeze() drops. */
static const char *const fillers[] = {
    "DEFAULTSTRING",
    "TOBEFILLEDBYOEM",
    "TOBEFILLEDBYTHEOEM",
    "NONE",
    "NA",
    "NOTAPPLICABLE",
    "NOTAVAILABLE",
    "NOTSPECIFIED",
    "NOTDEFINED",
    "UNKNOWN",
    "UNDEFINED",
    "INVALID",
    "EMPTY",
    "OEM",
    "OEMSTRING",
    "SERIALNUMBER",
    "SERIAL",
    "SYSTEMSERIALNUMBER",
    "BASEBOARDSERIALNUMBER",
    "BOARDSERIALNUMBER",
    "CHASSISSERIALNUMBER",
    "MBSN",
    "SN",
    "123456789",
    "0123456789",
    "1234567890",
    "12345678",
    "1234567",
    "123456",
    "012345678",
    "TYPE2BOARDSERIALNUMBER",
    "SSN12345678901234567",
    "BSN12345678901234567",
    "FILLEDBYOEM",
};

#define SERIAL_MIN 6u /* signs; shorter ones do not tell one machine from another */

/* Letters in capitals and digits of a text, nothing else. */
static size_t squeeze(const char *text, char out[DS_SMBIOS_TEXT])
{
    size_t n = 0;
    for (; *text != '\0' && n + 1 < DS_SMBIOS_TEXT; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 'a' && c <= 'z')
            out[n++] = (char)(c - 'a' + 'A');
        else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80)
            out[n++] = (char)c;
    }
    out[n] = '\0';
    return n;
}

/* Why a serial number cannot be used; NULL when it can. */
static const char *serial_fault(const char *serial, char squeezed[DS_SMBIOS_TEXT])
{
    size_t n = squeeze(serial, squeezed), same = 1;
    if (serial[0] == '\0' || n == 0)
        return "the board serial number is empty";
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (strcmp(squeezed, fillers[i]) == 0)
            return "the board serial number is a filler";
    while (same < n && squeezed[same] == squeezed[0])
        same++;
    if (same == n)
        return "the board serial number is one sign over and over";
    if (n < SERIAL_MIN)
        return "the board serial number is too short to tell machines apart";
    return NULL;
}

/* Values that firmware ships for boards whose maker did not set the UUID, as Windows shows them. */
static const char *const shared_uuids[] = {
    "03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009",
    "01020304-0506-0708-090a-0b0c0d0e0f10", "00010203-0405-0607-0809-0a0b0c0d0e0f",
    "12345678-1234-5678-90ab-cddeefaabbcc", "fefefefe-fefe-fefe-fefe-fefefefefefe",
    "12345678-1234-1234-1234-123456789abc",
};

/* The first three fields are little-endian (DSP0134 7.2.1), as Windows shows it. */
static void uuid_text(const uint8_t *u, char out[37])
{
    (void)snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6], u[8], u[9], u[10], u[11], u[12],
                   u[13], u[14], u[15]);
}

static const char *uuid_fault(const struct ds_smbios_identity *i, char text[37])
{
    if (!i->has_uuid)
        return "the SMBIOS table has no UUID";
    size_t same = 1;
    while (same < sizeof(i->uuid) && i->uuid[same] == i->uuid[0])
        same++;
    if (same == sizeof(i->uuid))
        return i->uuid[0] == 0      ? "the UUID is all zero"
               : i->uuid[0] == 0xff ? "the UUID is all FF"
                                    : "the UUID is one byte over and over";
    uuid_text(i->uuid, text);
    for (size_t k = 0; k < sizeof(shared_uuids) / sizeof(shared_uuids[0]); k++)
        if (strcmp(text, shared_uuids[k]) == 0)
            return "the UUID is one that many boards share";
    return NULL;
}

void ds_machine_id_make(const struct ds_smbios_identity *identity, struct ds_machine_id *ret)
{
    *ret = (struct ds_machine_id){0};
    char uuid[37] = "", serial[DS_SMBIOS_TEXT] = "", text[DS_SMBIOS_TEXT + 64];
    const char *no_uuid = uuid_fault(identity, uuid);
    const char *no_serial = serial_fault(identity->board_serial, serial);
    if (no_uuid != NULL || no_serial != NULL)
        (void)snprintf(ret->why_not, sizeof(ret->why_not), "%s%s%s", no_uuid ? no_uuid : "",
                       no_uuid && no_serial ? "; " : "", no_serial ? no_serial : "");
    if (no_uuid != NULL && no_serial != NULL)
        return;
    ret->basis = no_serial != NULL ? "UUID"
                 : no_uuid != NULL ? "board serial"
                                   : "UUID and board serial";
    (void)snprintf(text, sizeof(text), "dumpscan machine 1\n%s\n%s\n", no_uuid ? "" : uuid,
                   no_serial ? "" : serial);
    ds_md5_hex(text, strlen(text), ret->id);
}

void ds_machine_id_read(struct ds_dump *d, struct ds_machine_id *ret)
{
    uint8_t *blob;
    size_t size;
    struct ds_smbios_identity identity;
    *ret = (struct ds_machine_id){0};
    if (ds_dump_blob_load(d, DS_SMBIOS_TAG, &blob, &size) != DS_OK) {
        (void)snprintf(ret->why_not, sizeof(ret->why_not), "the dump holds no SMBIOS table");
        return;
    }
    /* A table that ends early still has what came before. */
    enum ds_status st = ds_smbios_identify(blob, size, &identity);
    free(blob);
    ds_machine_id_make(&identity, ret);
    size_t len = strlen(ret->why_not);
    if (st != DS_OK)
        (void)snprintf(ret->why_not + len, sizeof(ret->why_not) - len, "%sthe table is damaged",
                       len > 0 ? "; " : "");
}
