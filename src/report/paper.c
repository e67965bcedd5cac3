#include "report/paper.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TEXT_MAX (64u << 10) /* bytes of one paragraph */

static const char *const style_codes[] = {"",           "\033[1m",  "\033[2m",
                                          "\033[1;31m", "\033[33m", "\033[32m"};

void ds_paper_init(struct ds_paper *p, struct ds_buf *out, bool colour, unsigned width)
{
    if (width == 0)
        width = 80;
    if (width < DS_PAPER_MIN_WIDTH)
        width = DS_PAPER_MIN_WIDTH;
    if (width > DS_PAPER_MAX_WIDTH)
        width = DS_PAPER_MAX_WIDTH;
    *p = (struct ds_paper){.out = out, .colour = colour, .width = width};
}

/* The main blocks of Unicode's East Asian Width W and F. */
static unsigned code_columns(uint32_t c)
{
    bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) ||
                (c >= 0x20000 && c <= 0x3fffd);
    return wide ? 2 : 1;
}

size_t ds_paper_columns(const char *utf8, size_t len)
{
    size_t columns = 0;
    for (size_t i = 0; i < len;) {
        uint32_t c;
        i += ds_text_decode(utf8 + i, len - i, &c);
        columns += code_columns(c);
    }
    return columns;
}

static void paper_style(struct ds_paper *p, enum ds_style style)
{
    if (p->colour && style != DS_STYLE_PLAIN)
        ds_buf_str(p->out, style_codes[style]);
}

static void paper_style_end(struct ds_paper *p, enum ds_style style)
{
    if (p->colour && style != DS_STYLE_PLAIN)
        ds_buf_str(p->out, "\033[0m");
}

static void paper_pad(struct ds_paper *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ds_buf_char(p->out, ' ');
}

/* Newlines too: text from a dump must not forge lines of the report. */
static void paper_escape(struct ds_buf *out, const char *text)
{
    ds_buf_init(out, TEXT_MAX);
    ds_text_for_terminal(out, text);
}

/* How many bytes of s fit into `columns`, at least one code point. */
static size_t bytes_that_fit(const char *s, size_t len, size_t columns)
{
    size_t i = 0, used = 0;
    while (i < len) {
        uint32_t c;
        size_t n = ds_text_decode(s + i, len - i, &c);
        used += code_columns(c);
        if (used > columns && i > 0)
            break;
        i += n;
    }
    return i;
}

/* Bytes of the longest start of s (one paragraph line) that fits, broken at a space if it can. */
static size_t line_break(const char *s, size_t len, size_t columns)
{
    size_t fit = bytes_that_fit(s, len, columns);
    if (fit == len || s[fit] == ' ')
        return fit;
    for (size_t i = fit; i > 0; i--)
        if (s[i - 1] == ' ')
            return i - 1 > 0 ? i - 1 : fit;
    return fit;
}

/* Writes escaped text from column `indent` on; the cursor already stands there. */
static void paper_wrap(struct ds_paper *p, unsigned indent, enum ds_style style, const char *s)
{
    size_t room = p->width > indent + 20 ? p->width - indent : 20;
    size_t len = strlen(s);
    bool first = true;
    do {
        size_t n = line_break(s, len, room);
        paper_pad(p, first ? 0 : indent);
        first = false;
        paper_style(p, style);
        ds_buf_add(p->out, s, n);
        paper_style_end(p, style);
        ds_buf_char(p->out, '\n');
        while (n < len && s[n] == ' ')
            n++;
        s += n;
        len -= n;
    } while (len > 0);
}

void ds_paper_item_styled(struct ds_paper *p, unsigned indent, enum ds_style label_style,
                          const char *label, enum ds_style text_style, const char *text)
{
    struct ds_buf l, t;
    paper_escape(&l, label);
    paper_escape(&t, text);
    size_t columns = ds_paper_columns(ds_buf_text(&l), l.len);
    paper_style(p, label_style);
    ds_buf_add(p->out, ds_buf_text(&l), l.len);
    paper_style_end(p, label_style);
    if (t.len == 0) {
        ds_buf_char(p->out, '\n');
    } else {
        if (columns >= indent && columns > 0) {
            ds_buf_char(p->out, '\n');
            columns = 0;
        }
        paper_pad(p, indent - columns);
        paper_wrap(p, indent, text_style, ds_buf_text(&t));
    }
    if (!ds_buf_ok(&l) || !ds_buf_ok(&t))
        ds_buf_str(p->out, "  [text cut: too long]\n");
    ds_buf_deinit(&l);
    ds_buf_deinit(&t);
}

void ds_paper_item(struct ds_paper *p, unsigned indent, enum ds_style style, const char *label,
                   const char *text)
{
    ds_paper_item_styled(p, indent, style, label, DS_STYLE_PLAIN, text);
}

void ds_paper_paragraphs(struct ds_paper *p, unsigned indent, const char *label, const char *text)
{
    do {
        size_t n = strcspn(text, "\n");
        struct ds_buf line;
        ds_buf_init(&line, TEXT_MAX);
        ds_buf_add(&line, text, n);
        ds_paper_item(p, indent, DS_STYLE_DIM, label, ds_buf_text(&line));
        ds_buf_deinit(&line);
        label = "";
        text += n + (text[n] == '\n');
    } while (*text != '\0');
}

void ds_paper_heading(struct ds_paper *p, const char *title)
{
    ds_buf_char(p->out, '\n');
    ds_paper_item(p, 0, DS_STYLE_BOLD, title, "");
}

void ds_paper_blank(struct ds_paper *p)
{
    ds_buf_char(p->out, '\n');
}

void ds_paper_field(struct ds_paper *p, const char *label, const char *text)
{
    char padded[64];
    (void)snprintf(padded, sizeof(padded), "  %s", label);
    ds_paper_item(p, DS_PAPER_FIELD, DS_STYLE_DIM, padded, text);
}

/* Formats into a fresh buffer that the caller frees. */
static void format_text(struct ds_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    ds_buf_init(b, TEXT_MAX);
    char *s = n < 0 ? NULL : malloc((size_t)n + 1);
    if (s != NULL) {
        (void)vsnprintf(s, (size_t)n + 1, fmt, again);
        ds_buf_add(b, s, (size_t)n);
    }
    free(s);
    va_end(again);
}

void ds_paper_fieldf(struct ds_paper *p, const char *label, const char *fmt, ...)
{
    struct ds_buf b;
    va_list ap;
    va_start(ap, fmt);
    format_text(&b, fmt, ap);
    va_end(ap);
    ds_paper_field(p, label, ds_buf_text(&b));
    ds_buf_deinit(&b);
}

void ds_paper_row(struct ds_paper *p, enum ds_style style, const char *text)
{
    struct ds_buf t;
    paper_escape(&t, text);
    size_t columns = ds_paper_columns(ds_buf_text(&t), t.len);
    size_t n = t.len;
    if (columns > p->width)
        n = bytes_that_fit(ds_buf_text(&t), t.len, p->width - 3);
    paper_style(p, style);
    ds_buf_add(p->out, ds_buf_text(&t), n);
    ds_buf_str(p->out, n < t.len ? "..." : "");
    paper_style_end(p, style);
    ds_buf_char(p->out, '\n');
    ds_buf_deinit(&t);
}

void ds_paper_rowf(struct ds_paper *p, enum ds_style style, const char *fmt, ...)
{
    struct ds_buf b;
    va_list ap;
    va_start(ap, fmt);
    format_text(&b, fmt, ap);
    va_end(ap);
    ds_paper_row(p, style, ds_buf_text(&b));
    ds_buf_deinit(&b);
}

void ds_paper_split(struct ds_paper *p, enum ds_style style, const char *left, const char *right)
{
    struct ds_buf l, r;
    paper_escape(&l, left);
    paper_escape(&r, right);
    size_t a = ds_paper_columns(ds_buf_text(&l), l.len);
    size_t b = ds_paper_columns(ds_buf_text(&r), r.len);
    paper_style(p, style);
    ds_buf_add(p->out, ds_buf_text(&l), l.len);
    paper_style_end(p, style);
    if (b > 0 && a + b + 2 <= p->width) {
        paper_pad(p, p->width - a - b);
        paper_style(p, DS_STYLE_DIM);
        ds_buf_add(p->out, ds_buf_text(&r), r.len);
        paper_style_end(p, DS_STYLE_DIM);
    }
    ds_buf_char(p->out, '\n');
    ds_buf_deinit(&l);
    ds_buf_deinit(&r);
}
