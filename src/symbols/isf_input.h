/* The bytes of a symbol table file, inflated when it is an .xz. Private to this room. */
#ifndef DS_SYMBOLS_ISF_INPUT_H
#define DS_SYMBOLS_ISF_INPUT_H

#include <stddef.h>

#include "dumpscan/status.h"

struct ds_isf_input;

/* Errors: DS_NOT_FOUND, DS_IO, DS_NO_MEMORY. */
enum ds_status ds_isf_input_open(const char *path, struct ds_isf_input **ret,
                                 struct ds_err *err) DS_MUST_CHECK;
/* From bytes in memory, which are borrowed. */
enum ds_status ds_isf_input_open_bytes(const void *data, size_t size, struct ds_isf_input **ret,
                                       struct ds_err *err) DS_MUST_CHECK;
void ds_isf_input_close(struct ds_isf_input *in);

/* A ds_json_read. Errors: DS_IO, DS_CORRUPT, DS_LIMIT (over DS_LIMIT_SYMBOL_FILE bytes). */
enum ds_status ds_isf_input_read(void *input, void *buf, size_t len, size_t *got,
                                 struct ds_err *err) DS_MUST_CHECK;

#endif
