/*
 * Laying text out in columns: headings, labelled fields, wrapped paragraphs with a hanging
 * indent. Everything given to it is hostile text and is escaped for a terminal here; nothing
 * else writes into a text report.
 */
#ifndef DS_REPORT_PAPER_H
#define DS_REPORT_PAPER_H

#include "base/buf.h"

enum ds_style {
    DS_STYLE_PLAIN,
    DS_STYLE_BOLD,
    DS_STYLE_DIM,
    DS_STYLE_BAD,
    DS_STYLE_WARN,
    DS_STYLE_GOOD
};

struct ds_paper {
    struct ds_buf *out; /* borrowed */
    bool colour;
    unsigned width; /* columns */
};

#define DS_PAPER_FIELD 16u /* column of a field's text */
#define DS_PAPER_MIN_WIDTH 40
#define DS_PAPER_MAX_WIDTH 400

void ds_paper_init(struct ds_paper *p, struct ds_buf *out, bool colour, unsigned width);

/* An empty line, then the heading, then nothing. */
void ds_paper_heading(struct ds_paper *p, const char *title);
void ds_paper_blank(struct ds_paper *p);

/*
 * `label` in `style`, padded to `indent` columns, then `text` wrapped with that hanging indent.
 * A label that is too long gets a line of its own.
 */
void ds_paper_item(struct ds_paper *p, unsigned indent, enum ds_style style, const char *label,
                   const char *text);
/* The same with the text in a style as well. */
void ds_paper_item_styled(struct ds_paper *p, unsigned indent, enum ds_style label_style,
                          const char *label, enum ds_style text_style, const char *text);

/* The same for a text of ours that has several paragraphs, one a line; the label is the first's.
 * Not for text of a dump, whose line breaks are shown as what they are. */
void ds_paper_paragraphs(struct ds_paper *p, unsigned indent, const char *label, const char *text);

/* A field of a section: two spaces, label, text from column 16 on. */
void ds_paper_field(struct ds_paper *p, const char *label, const char *text);
void ds_paper_fieldf(struct ds_paper *p, const char *label, const char *fmt, ...) DS_PRINTF(3, 4);

/* A line of a table, cut at the width where it is too long ("..." shows that). */
void ds_paper_row(struct ds_paper *p, enum ds_style style, const char *text);
void ds_paper_rowf(struct ds_paper *p, enum ds_style style, const char *fmt, ...) DS_PRINTF(3, 4);

/* A line whose right part ends at the width (left only when both do not fit). */
void ds_paper_split(struct ds_paper *p, enum ds_style style, const char *left, const char *right);

/* Columns that valid UTF-8 takes on a terminal: wide East Asian characters take two. */
size_t ds_paper_columns(const char *utf8, size_t len);

#endif
