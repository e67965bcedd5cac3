/*
 * The command line: one table of commands, one of options, and what commands share. This room
 * alone prints, reads the environment and exits.
 */
#ifndef DS_CLI_CLI_H
#define DS_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/opt.h"
#include "dumpscan/dumpscan.h"

/* Exit statuses. */
enum {
    CLI_OK = 0,
    CLI_INTERNAL = 1,
    CLI_USAGE = 2,
    CLI_NOT_DUMP = 3,
    CLI_DAMAGED = 4,
    CLI_FINDING = 10
};

enum cli_format { CLI_TEXT = 1, CLI_JSON = 2, CLI_JSONL = 4, CLI_CSV = 8 };
enum cli_colour { CLI_COLOUR_AUTO, CLI_COLOUR_ALWAYS, CLI_COLOUR_NEVER };

/* Options, as bits: which a command accepts. --help, --version and --color go everywhere. */
enum {
    CLI_OPT_FORMAT = 1,
    CLI_OPT_OUTPUT = 2,
    CLI_OPT_PATTERNS = 4,
    CLI_OPT_SYMBOLS = 8,
    CLI_OPT_FAIL_ON = 16,
    CLI_OPT_VERBOSE = 32,
    CLI_OPT_LIST = 64,
    CLI_OPT_EVERYWHERE = 128,
    CLI_OPT_PATHS = 0x100,
    CLI_OPT_BLOBS = 0x200,
    CLI_OPT_FORCE = 0x400,
    CLI_OPT_ALL = 0x800,
    CLI_OPT_PROCESSOR = 0x1000,
    CLI_OPT_FIND = 0x2000,
    CLI_OPT_DEPTH = 0x4000,
    CLI_OPT_PROCESS = 0x10000,
    CLI_OPT_DTB = 0x20000,
    CLI_OPT_PHYSICAL = 0x40000,
    CLI_OPT_TYPE = 0x80000,
    CLI_OPT_BINARY = 0x100000,
    CLI_OPT_VIRTUAL = 0x200000,
    CLI_OPT_FORM = 0x10000000,
    CLI_OPT_INFLATED = 0x1000000,
    CLI_OPT_KERNEL_BASE = 0x2000000,
    CLI_OPT_KDBG = 0x4000000,
    CLI_OPT_RAW = 0x8000000
};

/* How the kernel is found, where the dump tells it wrong. */
#define CLI_OPT_KERNEL (CLI_OPT_DTB | CLI_OPT_KERNEL_BASE | CLI_OPT_KDBG | CLI_OPT_RAW)

#define CLI_PATTERNS_MAX 64

struct cli_args {
    enum cli_format format; /* CLI_TEXT unless asked otherwise */
    const char *output;     /* NULL = stdout */
    const char *patterns[CLI_PATTERNS_MAX];
    size_t pattern_count;
    const char *symbols;
    bool fail_on_set;
    enum ds_severity fail_on;
    bool verbose, help, version, list;
    const char *process, *dtb, *type; /* NULL = not given */
    bool physical, binary, virtual_map;
    const char *find; /* NULL = not given */
    uint64_t processor, depth;
    const char *form;      /* of convert; NULL = not given */
    uint64_t max_inflated; /* bytes; 0 = the default */
    enum cli_colour colour;
    bool raw_memory;
    struct ds_opt dtb_value, kernel_base, kdbg;
    unsigned given;        /* CLI_OPT_* of the options that were there */
    const char **operands; /* owned array of borrowed strings, the command's name left out */
    size_t operand_count;
};

struct cli_command {
    const char *name;
    const char *synopsis; /* after the name: "FILE..." */
    const char *summary;  /* one line of `dumpscan --help` */
    const char *detail;   /* paragraphs of `dumpscan help NAME` */
    unsigned options;     /* CLI_OPT_* */
    unsigned formats;     /* CLI_TEXT | ... */
    size_t operands_min, operands_max;
    int (*run)(const struct cli_args *args);
};

struct cli_option {
    unsigned bit; /* CLI_OPT_* */
    char letter;  /* 0 = none */
    const char *name;
    const char *value; /* NULL = takes none */
    const char *help;
};

extern const struct cli_command *const cli_commands[];
extern const size_t cli_command_count;
extern const struct cli_option cli_options[];
extern const size_t cli_option_count;

extern const struct cli_command cli_analyze, cli_info, cli_query, cli_tables, cli_patterns,
    cli_explain, cli_error, cli_strip, cli_convert, cli_vtop, cli_pte, cli_read, cli_maps,
    cli_share, cli_stack, cli_graph, cli_dt, cli_ln, cli_help;

/*
 * Parses argv. *command is the one named by the first operand, else cli_analyze. Returns CLI_OK,
 * or CLI_USAGE after an error message.
 */
int cli_parse(int argc, char **argv, struct cli_args *args, const struct cli_command **command);
void cli_args_deinit(struct cli_args *args);

/* NULL when no command has that name. */
const struct cli_command *cli_command_find(const char *name);
/* Prints the help of one command, or of all when NULL. Returns the exit status. */
int cli_print_help(const struct cli_command *command, const struct cli_args *args);

/* "dumpscan: SUBJECT: text" on stderr; subject may be NULL; both are escaped for a terminal. */
void cli_error_message(const char *subject, const char *fmt, ...) DS_PRINTF(2, 3);
/* The same, then a pointer to the help; returns CLI_USAGE. */
int cli_usage_error(const struct cli_command *command, const char *fmt, ...) DS_PRINTF(2, 3);

/* The candidate that `word` was probably meant to be; NULL when none is near. */
const char *cli_nearest(const char *word, const char *(*candidate)(size_t index), size_t count);

/* Where results go: stdout, or a temporary file that replaces -o FILE when all went well. */
struct cli_out {
    FILE *stream;
    const char *path; /* NULL = stdout */
    char *temporary;  /* owned */
    bool failed;      /* a write failed; said already */
};

/* Returns CLI_OK or CLI_INTERNAL after a message. */
int cli_out_open(const struct cli_args *args, struct cli_out *out);
void cli_out_write(struct cli_out *out, const char *data, size_t len);
void cli_out_string(struct cli_out *out, const char *s);
/*
 * Ends the output; `keep` false throws a -o FILE away. Returns `status`, or CLI_INTERNAL when
 * something could not be written.
 */
int cli_out_close(struct cli_out *out, bool keep, int status);

/* Whether reports to `out` are coloured. */
bool cli_wants_colour(const struct cli_args *args, const struct cli_out *out);

/* Options for opening snapshots, from the arguments and the environment; NULL on no memory. */
struct ds_options *cli_snapshot_options(const struct cli_args *args);
/* The same for commands where --dtb says how the kernel is found, not which memory to look at. */
struct ds_options *cli_kernel_options(const struct cli_args *args);
/* One exit status for several files: the first that applies of 1, 2, 3, 10, 4, 0. */
int cli_worse_status(int a, int b);

/* Parses hex with or without 0x and a backtick. False when that is not what it is. */
bool cli_parse_hex(const char *text, uint64_t *ret);
/* Parses a decimal number of bytes with an optional K, M, G or T (powers of 1024). */
bool cli_parse_size(const char *text, uint64_t *ret);

#endif
