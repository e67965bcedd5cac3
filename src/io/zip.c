#include "io/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

#define LOCAL_SIGNATURE 0x04034b50u
#define ENTRY_SIGNATURE 0x02014b50u
#define END_SIGNATURE 0x06054b50u
#define END64_SIGNATURE 0x06064b50u
#define LOCATOR64_SIGNATURE 0x07064b50u
#define LOCAL_SIZE 30u
#define ENTRY_SIZE 46u
#define END_SIZE 22u
#define END64_SIZE 56u
#define LOCATOR64_SIZE 20u
#define FLAG_ENCRYPTED 1u
#define FLAG_SIZES_FOLLOW 8u
#define EXTRA_ZIP64 1u
/* A name has up to 65535 bytes, each of which may become a U+FFFD of three. */
#define NAME_MAX_BYTES (3u * 65536u)

bool ds_zip_probe(struct ds_source *archive)
{
    uint8_t b[4];
    return ds_source_read(archive, 0, b, 4, NULL) == DS_OK &&
           (ds_le32(b) == LOCAL_SIGNATURE || ds_le32(b) == END_SIGNATURE);
}

void ds_zip_close(struct ds_zip *z)
{
    for (size_t i = 0; i < z->count; i++)
        free(z->members[i].name);
    free(z->members);
    *z = (struct ds_zip){0};
}

/* Takes a member over unless it is a folder. Errors: DS_LIMIT, DS_NO_MEMORY. */
static enum ds_status member_add(struct ds_zip *z, size_t *cap, const struct ds_zip_member *m,
                                 const uint8_t *name, size_t name_len)
{
    if (name_len == 0 || name[name_len - 1] == '/' || name[name_len - 1] == '\\')
        return DS_OK;
    void *grown = z->members;
    if (!ds_array_reserve(&grown, cap, z->count + 1, sizeof(*z->members), DS_LIMIT_ZIP_MEMBERS))
        return z->count >= DS_LIMIT_ZIP_MEMBERS ? DS_LIMIT : DS_NO_MEMORY;
    z->members = grown;
    struct ds_buf text;
    ds_buf_init(&text, NAME_MAX_BYTES);
    ds_text_from_bytes(&text, name, name_len);
    if (!ds_buf_ok(&text)) {
        ds_buf_deinit(&text);
        return DS_NO_MEMORY;
    }
    if (text.len == 0)
        return DS_OK;
    z->members[z->count] = *m;
    z->members[z->count++].name = text.data; /* taken over */
    return DS_OK;
}

/* Puts the 64-bit values of a zip64 extra field where the 32-bit ones say "look there". */
static void apply_zip64(const uint8_t *extra, size_t len, struct ds_zip_member *m)
{
    size_t at = 0;
    while (len - at >= 4) {
        size_t size = ds_le16(extra + at + 2);
        const uint8_t *p = extra + at + 4;
        if (size > len - at - 4)
            return;
        if (ds_le16(extra + at) == EXTRA_ZIP64) {
            uint64_t *fields[] = {&m->size, &m->packed, &m->header_offset};
            for (size_t i = 0; i < 3 && size >= 8; i++) {
                if (*fields[i] != UINT32_MAX)
                    continue;
                *fields[i] = ds_le64(p);
                p += 8;
                size -= 8;
            }
            return;
        }
        at += 4 + size;
    }
}

/* ---- by the directory ---- */

struct directory {
    uint64_t offset, size;
};

static bool find_end64(struct ds_source *archive, uint64_t end, struct directory *ret)
{
    uint8_t l[LOCATOR64_SIZE], e[END64_SIZE];
    if (end < LOCATOR64_SIZE ||
        ds_source_read(archive, end - LOCATOR64_SIZE, l, sizeof(l), NULL) != DS_OK ||
        ds_le32(l) != LOCATOR64_SIGNATURE ||
        ds_source_read(archive, ds_le64(l + 8), e, sizeof(e), NULL) != DS_OK ||
        ds_le32(e) != END64_SIGNATURE)
        return false;
    ret->size = ds_le64(e + 40);
    ret->offset = ds_le64(e + 48);
    return true;
}

/* The end record is the last thing but for a comment of up to 64 KiB. */
static bool find_directory(struct ds_source *archive, struct directory *ret)
{
    size_t span = archive->size < 65535 + END_SIZE ? (size_t)archive->size : 65535 + END_SIZE;
    if (span < END_SIZE)
        return false;
    DS_AUTO_FREE uint8_t *tail = malloc(span);
    uint64_t base = archive->size - span;
    if (tail == NULL || ds_source_read(archive, base, tail, span, NULL) != DS_OK)
        return false;
    for (size_t at = span - END_SIZE + 1; at-- > 0;) {
        if (ds_le32(tail + at) != END_SIGNATURE || ds_le16(tail + at + 20) > span - at - END_SIZE)
            continue;
        ret->size = ds_le32(tail + at + 12);
        ret->offset = ds_le32(tail + at + 16);
        if (ret->offset == UINT32_MAX || ret->size == UINT32_MAX ||
            ds_le16(tail + at + 10) == 0xffff)
            (void)find_end64(archive, base + at, ret);
        return ds_range_within(ret->offset, ret->size, archive->size);
    }
    return false;
}

static enum ds_status read_entries(struct ds_zip *z, const uint8_t *dir, size_t size)
{
    size_t cap = 0, at = 0;
    while (size - at >= ENTRY_SIZE && ds_le32(dir + at) == ENTRY_SIGNATURE) {
        const uint8_t *e = dir + at;
        size_t name = ds_le16(e + 28), extra = ds_le16(e + 30), comment = ds_le16(e + 32);
        if (name + extra + comment > size - at - ENTRY_SIZE)
            return DS_CORRUPT;
        struct ds_zip_member m = {.size = ds_le32(e + 24),
                                  .packed = ds_le32(e + 20),
                                  .header_offset = ds_le32(e + 42),
                                  .crc = ds_le32(e + 16),
                                  .method = ds_le16(e + 10),
                                  .encrypted = ds_le16(e + 8) & FLAG_ENCRYPTED};
        apply_zip64(e + ENTRY_SIZE + name, extra, &m);
        enum ds_status st = member_add(z, &cap, &m, e + ENTRY_SIZE, name);
        if (st != DS_OK)
            return st;
        at += ENTRY_SIZE + name + extra + comment;
    }
    return at == size ? DS_OK : DS_CORRUPT;
}

static enum ds_status read_directory(struct ds_source *archive, struct ds_zip *z)
{
    struct directory d;
    if (!find_directory(archive, &d))
        return DS_CORRUPT;
    if (d.size > DS_LIMIT_ZIP_DIRECTORY)
        return DS_LIMIT;
    DS_AUTO_FREE uint8_t *dir = malloc(d.size > 0 ? (size_t)d.size : 1);
    if (dir == NULL)
        return DS_NO_MEMORY;
    enum ds_status st = ds_source_read(archive, d.offset, dir, (size_t)d.size, NULL);
    return st == DS_OK ? read_entries(z, dir, (size_t)d.size) : st;
}

/* ---- by local headers, where the directory is lost ---- */

static enum ds_status read_local(struct ds_source *archive, uint64_t at, struct ds_zip_member *m,
                                 uint8_t *name, size_t *name_len, uint64_t *data, bool *open_end)
{
    uint8_t h[LOCAL_SIZE];
    enum ds_status st = ds_source_read(archive, at, h, sizeof(h), NULL);
    if (st != DS_OK)
        return st;
    if (ds_le32(h) != LOCAL_SIGNATURE)
        return DS_CORRUPT;
    size_t extra = ds_le16(h + 28);
    *name_len = ds_le16(h + 26);
    *m = (struct ds_zip_member){.size = ds_le32(h + 22),
                                .packed = ds_le32(h + 18),
                                .header_offset = 0,
                                .crc = ds_le32(h + 14),
                                .method = ds_le16(h + 8),
                                .encrypted = ds_le16(h + 6) & FLAG_ENCRYPTED};
    *open_end = ds_le16(h + 6) & FLAG_SIZES_FOLLOW;
    *data = at + LOCAL_SIZE + *name_len + extra;
    uint8_t *x = name + 65536;
    st = ds_source_read(archive, at + LOCAL_SIZE, name, *name_len, NULL);
    if (st == DS_OK)
        st = ds_source_read(archive, at + LOCAL_SIZE + *name_len, x, extra, NULL);
    if (st == DS_OK)
        apply_zip64(x, extra, m);
    m->header_offset = at;
    return st;
}

static enum ds_status rebuild(struct ds_source *archive, struct ds_zip *z)
{
    DS_AUTO_FREE uint8_t *name = malloc(2 * 65536);
    if (name == NULL)
        return DS_NO_MEMORY;
    size_t cap = 0;
    uint64_t at = 0;
    z->rebuilt = true;
    for (;;) {
        struct ds_zip_member m;
        size_t len;
        uint64_t data;
        bool open_end;
        if (read_local(archive, at, &m, name, &len, &data, &open_end) != DS_OK)
            break;
        /* Sizes that stand behind the data are not known from this side. */
        if (open_end && m.packed == 0) {
            m.packed = archive->size > data ? archive->size - data : 0;
            m.size = 0;
            m.crc = 0;
        }
        enum ds_status st = member_add(z, &cap, &m, name, len);
        if (st != DS_OK)
            return st;
        if (open_end || !ds_range_within(data, m.packed, archive->size))
            break;
        at = data + m.packed;
    }
    return z->count > 0 ? DS_OK : DS_CORRUPT;
}

/* ---- names ---- */

struct place {
    const char *name;
    size_t index;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* The second member of a name becomes NAME#2, so that each can be asked for. */
static enum ds_status name_apart(struct ds_zip *z)
{
    struct place *places = calloc(z->count + 1, sizeof(*places));
    if (places == NULL)
        return DS_NO_MEMORY;
    for (size_t i = 0; i < z->count; i++)
        places[i] = (struct place){z->members[i].name, i};
    qsort(places, z->count, sizeof(*places), compare_places);
    enum ds_status st = DS_OK;
    size_t first = 0;
    for (size_t i = 1; st == DS_OK && i < z->count; i++) {
        if (strcmp(places[first].name, places[i].name) != 0) {
            first = i;
            continue;
        }
        struct ds_buf name;
        ds_buf_init(&name, NAME_MAX_BYTES + 32);
        ds_buf_printf(&name, "%s#%llu", places[i].name, (unsigned long long)(i - first + 1));
        if (!ds_buf_ok(&name)) {
            ds_buf_deinit(&name);
            st = DS_NO_MEMORY;
            break;
        }
        free(z->members[places[i].index].name);
        z->members[places[i].index].name = name.data; /* taken over */
    }
    free(places);
    return st;
}

enum ds_status ds_zip_open(struct ds_source *archive, struct ds_zip *ret, struct ds_err *err)
{
    struct ds_zip z = {0};
    enum ds_status st = read_directory(archive, &z);
    if (st == DS_CORRUPT || st == DS_TRUNCATED) {
        ds_zip_close(&z);
        st = rebuild(archive, &z);
    }
    if (st == DS_OK)
        st = name_apart(&z);
    if (st == DS_OK) {
        *ret = z;
        return DS_OK;
    }
    ds_zip_close(&z);
    switch (st) {
    case DS_LIMIT:
        return ds_err_set(err, st,
                          "the zip archive has more than %u entries or a directory of more than "
                          "%u bytes; unpack it and give the dump inside",
                          DS_LIMIT_ZIP_MEMBERS, DS_LIMIT_ZIP_DIRECTORY);
    case DS_NO_MEMORY:
        return ds_err_set(err, st, "out of memory");
    case DS_IO:
        return ds_err_set(err, st, "the zip archive's directory cannot be read");
    default:
        return ds_err_set(err, DS_NOT_DUMP,
                          "not a Windows kernel dump: this is an empty or damaged zip archive, no "
                          "file can be found in it; fetch it again");
    }
}

/* ---- members ---- */

static const char *method_name(uint16_t method)
{
    switch (method) { /* APPNOTE 4.4.5 */
    case 9:
        return "Deflate64";
    case 12:
        return "bzip2";
    case 14:
        return "LZMA";
    case 93:
        return "Zstandard";
    case 95:
        return "xz";
    case 99:
        return "AES encryption";
    default:
        return "an unusual method";
    }
}

enum ds_status ds_zip_member_locate(struct ds_source *archive, const struct ds_zip_member *m,
                                    struct ds_inflate_part *ret, bool *stored, struct ds_err *err)
{
    uint8_t h[LOCAL_SIZE];
    enum ds_status st = ds_source_read(archive, m->header_offset, h, sizeof(h), err);
    if (st != DS_OK) {
        (void)ds_err_prepend(err, "zip member %s", m->name);
        return st;
    }
    if (ds_le32(h) != LOCAL_SIGNATURE)
        return ds_err_set(err, DS_CORRUPT,
                          "zip member %s: no local header at archive offset 0x%llx", m->name,
                          (unsigned long long)m->header_offset);
    if (m->encrypted)
        return ds_err_set(err, DS_UNSUPPORTED,
                          "zip member %s is encrypted; unpack it with its password and give the "
                          "dump inside",
                          m->name);
    if (m->method != 0 && m->method != 8)
        return ds_err_set(err, DS_UNSUPPORTED,
                          "zip member %s is packed with %s (method %u); unpack it and give the "
                          "dump inside",
                          m->name, method_name(m->method), (unsigned)m->method);
    uint64_t data = m->header_offset + LOCAL_SIZE + ds_le16(h + 26) + ds_le16(h + 28);
    if (data >= archive->size)
        return ds_err_set(err, DS_TRUNCATED,
                          "zip member %s: the archive ends before its data, at offset 0x%llx",
                          m->name, (unsigned long long)archive->size);
    uint64_t left = archive->size - data;
    *stored = m->method == 0;
    *ret = (struct ds_inflate_part){.offset = data,
                                    .size = m->packed < left ? m->packed : left,
                                    .check = m->size != 0 || m->crc != 0,
                                    .expected_size = m->size,
                                    .expected_crc = m->crc};
    return DS_OK;
}

enum ds_status ds_source_zip_member_open(struct ds_source *archive, const struct ds_zip_member *m,
                                         const struct ds_inflate_limits *limits,
                                         struct ds_source **ret, struct ds_err *err)
{
    struct ds_inflate_part part;
    bool stored;
    enum ds_status st = ds_zip_member_locate(archive, m, &part, &stored, err);
    if (st != DS_OK)
        return st;
    if (!stored)
        return ds_source_inflate_open(archive, &part, limits, ret, err);
    st = ds_source_part_open(archive, part.offset, part.size, ret, err);
    if (st == DS_OK && part.size < m->packed)
        (*ret)->damage = "the zip archive ends before this stored member does";
    return st;
}

enum ds_status ds_zip_member_peek(struct ds_source *archive, const struct ds_zip_member *m,
                                  void *buf, size_t len, size_t *got, struct ds_err *err)
{
    struct ds_inflate_part part;
    bool stored;
    enum ds_status st = ds_zip_member_locate(archive, m, &part, &stored, err);
    if (st != DS_OK)
        return st;
    if (!stored)
        return ds_inflate_peek(archive, &part, buf, len, got, err);
    if (len > part.size)
        len = (size_t)part.size;
    return ds_source_read_some(archive, part.offset, buf, len, got, err);
}
