/* Query rows as aligned text, JSON, JSON lines or CSV. */
#ifndef DS_CLI_ROWS_H
#define DS_CLI_ROWS_H

#include "cli/cli.h"

struct cli_rows;

/* `digits`: of an address. NULL on no memory. */
struct cli_rows *cli_rows_new(struct cli_out *out, enum cli_format format, unsigned digits);
/* A ds_row_fn; arg is the struct cli_rows. */
bool cli_rows_add(size_t columns, const char *const *names, const struct ds_cell *cells, void *arg);
/* Writes what is still held back and frees it. False when memory ran out. */
bool cli_rows_finish(struct cli_rows *r);

#endif
