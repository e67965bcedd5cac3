/* One result per file, for commands that take FILE...: text, a JSON value, or JSON lines. */
#ifndef DS_CLI_BATCH_H
#define DS_CLI_BATCH_H

#include "cli/cli.h"

/*
 * Makes the result of an opened snapshot into *text (freed by ds_string_free) and its exit
 * status into *rc. On failure *err says why and the file counts as refused.
 */
typedef enum ds_status cli_file_fn(const struct cli_args *args, struct ds_snapshot *s,
                                   enum ds_format format, unsigned flags, char **text, int *rc,
                                   struct ds_err *err);

/* Runs `each` over every operand, with `between` standing between two texts; `compare`: then says
 * what several dumps of one machine show together. Returns the exit status of the whole. */
int cli_batch_run(const struct cli_args *args, cli_file_fn *each, const char *between,
                  bool compare);

/* Says on stderr, which is a terminal, how far the inflating of an archive is. */
void cli_progress(uint64_t done, uint64_t total, uint64_t out, void *arg);

#endif
