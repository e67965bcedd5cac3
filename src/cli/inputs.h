/* The files that the operands of a command stand for: a zip archive counts as its dumps. */
#ifndef DS_CLI_INPUTS_H
#define DS_CLI_INPUTS_H

#include "cli/cli.h"

struct cli_inputs {
    char **names; /* owned */
    size_t count, cap;
};

/* False when out of memory. */
bool cli_inputs_init(struct cli_inputs *in, const struct cli_args *args);
void cli_inputs_deinit(struct cli_inputs *in);

#endif
