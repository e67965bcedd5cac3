#include "base/text.h"

#include <string.h>

#include "base/bytes.h"

#define REPLACEMENT 0xfffdu

void ds_text_encode(struct ds_buf *out, uint32_t c)
{
    char u[4];
    size_t n;
    if (c < 0x80) {
        u[0] = (char)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (char)(0xc0 | c >> 6);
        u[1] = (char)(0x80 | (c & 0x3f));
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (char)(0xe0 | c >> 12);
        u[1] = (char)(0x80 | (c >> 6 & 0x3f));
        u[2] = (char)(0x80 | (c & 0x3f));
        n = 3;
    } else {
        u[0] = (char)(0xf0 | c >> 18);
        u[1] = (char)(0x80 | (c >> 12 & 0x3f));
        u[2] = (char)(0x80 | (c >> 6 & 0x3f));
        u[3] = (char)(0x80 | (c & 0x3f));
        n = 4;
    }
    ds_buf_add(out, u, n);
}

void ds_text_from_utf16(struct ds_buf *out, const void *utf16le, size_t units)
{
    const uint8_t *p = utf16le;
    for (size_t i = 0; i < units; i++) {
        uint32_t c = ds_le16(p + 2 * i);
        bool high = c >= 0xd800 && c < 0xdc00;
        if (high && i + 1 < units) {
            uint32_t low = ds_le16(p + 2 * (i + 1));
            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                i++;
            }
        }
        if (c == 0 || (c >= 0xd800 && c < 0xe000))
            c = REPLACEMENT;
        ds_text_encode(out, c);
    }
}

size_t ds_text_decode(const char *s, size_t len, uint32_t *code)
{
    const unsigned char *u = (const unsigned char *)s;
    *code = u[0];
    if (u[0] < 0x80)
        return 1;
    size_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = u[0] & (0xffu >> (n + 1));
    bool bad = u[0] < 0xc2 || u[0] > 0xf4 || n > len;
    for (size_t i = 1; !bad && i < n; i++) {
        bad = (u[i] & 0xc0) != 0x80;
        c = c << 6 | (u[i] & 0x3fu);
    }
    if (bad || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
        *code = REPLACEMENT;
        return 1;
    }
    *code = c;
    return n;
}

void ds_text_from_bytes(struct ds_buf *out, const void *bytes, size_t len)
{
    const char *s = bytes;
    const char *nul = memchr(s, 0, len);
    if (nul != NULL)
        len = (size_t)(nul - s);
    for (size_t i = 0; i < len;) {
        uint32_t c;
        i += ds_text_decode(s + i, len - i, &c);
        ds_text_encode(out, c);
    }
}

bool ds_text_is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           c == 0x061c || c == 0xad || c == 0x180e || (c >= 0xe0000 && c <= 0xe0fff);
}

void ds_text_for_terminal(struct ds_buf *out, const char *utf8)
{
    size_t len = strlen(utf8);
    for (size_t i = 0; i < len;) {
        uint32_t c;
        i += ds_text_decode(utf8 + i, len - i, &c);
        if (ds_text_is_unsafe(c))
            ds_buf_printf(out, "\\u{%x}", (unsigned)c);
        else
            ds_text_encode(out, c);
    }
}

static int ascii_lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? u + 32 : u;
}

int ds_text_casecmp(const char *a, const char *b)
{
    while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
        a++;
        b++;
    }
    return ascii_lower(*a) - ascii_lower(*b);
}

const char *ds_text_basename(const char *path)
{
    const char *base = path;
    for (const char *p = path; *p != '\0'; p++)
        if (*p == '\\' || *p == '/')
            base = p + 1;
    return base;
}
