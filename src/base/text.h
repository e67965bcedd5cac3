/*
 * Text from a dump is hostile. It is turned into valid UTF-8 here (bad input becomes U+FFFD)
 * and stays raw otherwise; each writer escapes for its own output.
 */
#ifndef DS_BASE_TEXT_H
#define DS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Decodes `units` UTF-16LE units, stopping at none; lone surrogates and NULs become U+FFFD. */
void ds_text_from_utf16(struct ds_buf *out, const void *utf16le, size_t units);

/* Copies bytes up to `len` or the first NUL, replacing what is not valid UTF-8 by U+FFFD. */
void ds_text_from_bytes(struct ds_buf *out, const void *bytes, size_t len);

/*
 * Decodes one code point at s (len > 0 bytes); invalid input gives U+FFFD. Returns the bytes
 * consumed, at least 1.
 */
size_t ds_text_decode(const char *s, size_t len, uint32_t *code);

/* Appends one code point as UTF-8. */
void ds_text_encode(struct ds_buf *out, uint32_t code);

/* Whether a code point is unsafe on a terminal: C0/C1 controls, DEL, bidi and zero-width marks. */
bool ds_text_is_unsafe(uint32_t code);

/* Escapes for a terminal: unsafe code points become \u{hex}, the rest passes. */
void ds_text_for_terminal(struct ds_buf *out, const char *utf8);

/* ASCII case-insensitive comparison, as Windows module names need. */
int ds_text_casecmp(const char *a, const char *b);

/* The part after the last '\\' or '/'. */
const char *ds_text_basename(const char *path);

#endif
