#include "cli/inputs.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Members of all archives together; a directory has its own cap. */
#define INPUTS_MAX (1u << 20)

static bool add(const char *input, void *arg)
{
    struct cli_inputs *in = arg;
    void *grown = in->names;
    size_t size = strlen(input) + 1;
    char *copy = malloc(size);
    if (copy == NULL ||
        !ds_array_reserve(&grown, &in->cap, in->count + 1, sizeof(*in->names), INPUTS_MAX)) {
        free(copy);
        return false;
    }
    in->names = grown;
    memcpy(copy, input, size);
    in->names[in->count++] = copy;
    return true;
}

bool cli_inputs_init(struct cli_inputs *in, const struct cli_args *args)
{
    *in = (struct cli_inputs){0};
    for (size_t i = 0; i < args->operand_count; i++) {
        size_t before = in->count;
        if (ds_input_list(args->operands[i], add, in) != DS_OK || in->count == before) {
            cli_inputs_deinit(in);
            return false;
        }
    }
    return true;
}

void cli_inputs_deinit(struct cli_inputs *in)
{
    for (size_t i = 0; i < in->count; i++)
        free(in->names[i]);
    free(in->names);
    *in = (struct cli_inputs){0};
}
