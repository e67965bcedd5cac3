#include "dump/blob_acpi.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define TABLE_MAX (64u << 20) /* bytes; no firmware has a larger table */

/* Whether a table can begin there: four signs of a signature and a length that holds a header. */
static bool header_at(const uint8_t *p)
{
    for (unsigned i = 0; i < 4; i++) {
        bool sign = (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= '0' && p[i] <= '9') || p[i] == '_' ||
                    p[i] == '!';
        if (!sign)
            return false;
    }
    uint32_t length = ds_le32(p + 4);
    return length >= DS_ACPI_HEADER && length <= TABLE_MAX;
}

static bool is_code(const uint8_t *p)
{
    return memcmp(p, "SSDT", 4) == 0 || memcmp(p, "DSDT", 4) == 0 || memcmp(p, "PSDT", 4) == 0;
}

static size_t kept_of(const uint8_t *p, size_t body)
{
    size_t most = DS_ACPI_HEADER + (is_code(p) ? 0 : body), length = ds_le32(p + 4);
    return length < most ? length : most;
}

/* How far the chain goes when `body` bytes are kept behind headers. */
static size_t reach(const uint8_t *blob, size_t size, size_t body)
{
    size_t pos = 0;
    while (size - pos >= DS_ACPI_HEADER && header_at(blob + pos)) {
        size_t kept = kept_of(blob + pos, body);
        if (kept > size - pos)
            break;
        pos += kept;
    }
    return pos;
}

struct ds_acpi_walk ds_acpi_walk_begin(const void *blob, size_t size)
{
    static const size_t bodies[] = {32, 8, 0};
    struct ds_acpi_walk w = {.blob = blob, .size = size, .body = bodies[0]};
    size_t best = 0;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        size_t far = reach(blob, size, bodies[i]);
        if (far > best) {
            best = far;
            w.body = bodies[i];
        }
    }
    return w;
}

static void copy_text(const uint8_t *p, size_t len, char *out, size_t room)
{
    while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == 0))
        len--;
    struct ds_buf text;
    ds_buf_init(&text, room - 1);
    ds_text_from_bytes(&text, p, len);
    memcpy(out, ds_buf_text(&text), text.len);
    out[text.len] = '\0';
    ds_buf_deinit(&text);
}

enum ds_status ds_acpi_next(struct ds_acpi_walk *w, struct ds_acpi_table *ret)
{
    if (w->pos >= w->size)
        return DS_NOT_FOUND;
    const uint8_t *p = w->blob + w->pos;
    size_t left = w->size - w->pos;
    if (left < DS_ACPI_HEADER)
        return DS_TRUNCATED;
    if (!header_at(p))
        return DS_CORRUPT;
    *ret = (struct ds_acpi_table){.length = ds_le32(p + 4),
                                  .revision = p[8],
                                  .checksum = p[9],
                                  .oem_revision = ds_le32(p + 24),
                                  .creator_revision = ds_le32(p + 32),
                                  .offset = w->pos,
                                  .kept = kept_of(p, w->body)};
    memcpy(ret->signature, p, 4);
    copy_text(p + 10, 6, ret->oem_id, sizeof(ret->oem_id));
    copy_text(p + 16, 8, ret->oem_table_id, sizeof(ret->oem_table_id));
    copy_text(p + 28, 4, ret->creator_id, sizeof(ret->creator_id));
    if (ret->kept > left)
        ret->kept = left; /* the blob ends within what is kept of the table */
    w->pos += ret->kept;
    return DS_OK;
}
