/* What the files of `dumpscan stack` share. */
#ifndef DS_CLI_STACK_H
#define DS_CLI_STACK_H

#include "cli/memory.h"
#include "nt/thread_stack.h"

/* Threads whose stacks are the same: the same return addresses, or none for the same reason. */
struct stack_group {
    const uint64_t *threads; /* ETHREADs */
    size_t count;
    const struct ds_thread_stack *stack;
};

/* Lines of one thread as !thread has them. */
void stack_put_thread(struct cli_memory *m, uint64_t ethread, const struct ds_thread_stack *s,
                      struct ds_buf *b);
/* One line for a thread of a group. */
void stack_put_brief(struct cli_memory *m, uint64_t ethread, struct ds_buf *b);
/* The frames, or why there are none. */
void stack_put_frames(struct cli_memory *m, const struct ds_thread_stack *s, bool verbose,
                      struct ds_buf *b);
/* The object of a group: docs/threads.md lists its keys. */
void stack_json_group(struct ds_json *j, struct cli_memory *m, const struct stack_group *g);

#endif
