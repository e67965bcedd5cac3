/* What the commands that look at memory share: which address space, and what an address is. */
#ifndef DS_CLI_MEMORY_H
#define DS_CLI_MEMORY_H

#include "api/kernel.h"
#include "cli/cli.h"
#include "nt/vads.h"
#include "report/json.h"

/* One dump and the address space that a command works in. */
struct cli_memory {
    struct ds_snapshot *snapshot; /* owned */
    struct ds_nt *nt;
    struct ds_target *target;
    struct ds_space *space; /* NULL when the dump has no virtual memory */
    struct ds_opt eprocess; /* of --process */
    const char *name;       /* of that process; NULL when unknown */
    struct ds_opt pid;
    unsigned digits;      /* of a virtual address */
    unsigned phys_digits; /* of a physical one */
};

/* Opens operand 0 and chooses the space by --process and --dtb. Returns CLI_OK, or an exit status
 * after a message. */
int cli_memory_open(const struct cli_args *args, struct cli_memory *m);
void cli_memory_close(struct cli_memory *m);

/* The process that `word` names: PID (decimal, or hexadecimal with 0x), EPROCESS, or the name of
 * a process when only one has it. False after a message. */
bool cli_process_find(struct cli_memory *m, const char *word, uint64_t *eprocess);
/* The row of a process, or NULL when the list does not have it. */
const struct ds_process *cli_process_row(struct cli_memory *m, uint64_t eprocess);

/*
 * The address that `text` means: hexadecimal (0n for decimal), a backtick allowed, module,
 * module!symbol, a symbol of the kernel, @register of the fault, @$proc, @$thread, poi(...), and
 * sums of them. False after a message.
 */
bool cli_address(struct cli_memory *m, const char *text, uint64_t *va);
/* The same for a physical address: 64 bits, whatever the system. */
bool cli_number(struct cli_memory *m, const char *text, uint64_t *ret);

/* "fffff900`c05e0000", or eight digits. */
void cli_put_va(const struct cli_memory *m, struct ds_buf *b, uint64_t va);
/* "notepad.exe (pid 2320, EPROCESS 83b73d90)" or "kernel". */
void cli_put_space_name(const struct cli_memory *m, struct ds_buf *b);

/* ---- translations, cli/cmd_vtop.c and cli/walk_json.c ---- */

/* A translation, and the VAD that holds the address when a process was named. */
struct cli_walk {
    uint64_t va;
    struct ds_explanation e;
    struct ds_vad vad;
    bool has_vad;
};

typedef void cli_walk_fn(struct cli_memory *m, const struct cli_walk *w, struct ds_buf *b);

/* Where the page's bytes are: "physical address ..., in a page of 4 KB, at ... in the file", or the
 * reason that there is none; then a line for the VAD. */
void cli_walk_outcome(struct cli_memory *m, const struct cli_walk *w, const char *indent,
                      struct ds_buf *b);
/* The object of one translation; docs/memory.md lists its keys. */
void cli_walk_json(struct ds_json *j, struct cli_memory *m, const struct cli_walk *w);
/* "1c0000-1e7fff, image, EXECUTE_WRITECOPY, \\Windows\\System32\\notepad.exe" */
void cli_put_vad(struct cli_memory *m, const struct ds_vad *vad, struct ds_buf *b);

/* Explains every operand from the second on, through `text` or as JSON. */
int cli_walk_run(const struct cli_args *args, cli_walk_fn *text);

#endif
