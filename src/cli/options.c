/* The tables of commands and options. */
#include "cli/cli.h"

const struct cli_command *const cli_commands[] = {
    &cli_analyze, &cli_info,    &cli_query, &cli_tables, &cli_patterns, &cli_vtop, &cli_pte,
    &cli_read,    &cli_maps,    &cli_share, &cli_stack,  &cli_graph,    &cli_dt,   &cli_ln,
    &cli_convert, &cli_explain, &cli_error, &cli_strip,  &cli_help,
};
const size_t cli_command_count = sizeof(cli_commands) / sizeof(cli_commands[0]);

const struct cli_option cli_options[] = {
    {CLI_OPT_FORMAT, 'f', "format", "FORMAT", "output as text (default), json, jsonl or csv"},
    {CLI_OPT_OUTPUT, 'o', "output", "FILE", "write to FILE, which appears only when complete"},
    {CLI_OPT_PATTERNS, 0, "patterns", "PATH",
     "use the pattern file or folder PATH as well (may be repeated)"},
    {CLI_OPT_SYMBOLS, 0, "symbols", "PATH",
     "look for symbol tables in PATH (elements separated by ';')"},
    {CLI_OPT_FAIL_ON, 0, "fail-on", "SEVERITY",
     "exit with 10 on a finding of info, low, medium, high, critical or above"},
    {CLI_OPT_VERBOSE, 'v', "verbose", NULL, "show registers, all drivers and all patterns"},
    {CLI_OPT_INFLATED, 0, "max-inflated", "SIZE",
     "let an archive inflate to SIZE bytes (K, M, G, T)"},
    {CLI_OPT_FORM, 0, "form", "FORM", "what convert writes: auto (default), full or bitmap"},
    {CLI_OPT_LIST, 0, "list", NULL, "list all bugcheck codes"},
    {CLI_OPT_PROCESS, 0, "process", "PROCESS",
     "in the memory of this process: PID, EPROCESS or name"},
    {CLI_OPT_PHYSICAL, 'p', "physical", NULL, "the address is a physical one"},
    {CLI_OPT_TYPE, 't', "type", "TYPE", "show as db (default), dw, dd, dq, dc, dp, dps, da or du"},
    {CLI_OPT_BINARY, 0, "binary", NULL, "write the bytes as they are"},
    {CLI_OPT_VIRTUAL, 0, "virtual", NULL, "map virtual memory instead of physical"},
    {CLI_OPT_DTB, 0, "dtb", "PA", "through the page directory at physical address PA"},
    {CLI_OPT_RAW, 0, "raw", NULL, "take FILE for raw physical memory"},
    {CLI_OPT_KERNEL_BASE, 0, "kernel-base", "VA", "take the kernel's image to begin at VA"},
    {CLI_OPT_KDBG, 0, "kdbg", "VA", "take KDDEBUGGER_DATA64 to be at VA"},
    {CLI_OPT_PATHS, 0, "paths", NULL, "leave out paths of process images as well"},
    {CLI_OPT_BLOBS, 0, "blobs", NULL, "leave out all secondary data as well"},
    {CLI_OPT_ALL, 0, "all", NULL, "every thread, those with equal stacks together"},
    {CLI_OPT_FIND, 0, "find", "TEXT", "threads with a function or module like TEXT on their stack"},
    {CLI_OPT_PROCESSOR, 0, "processor", "N", "the thread that processor N runs"},
    {CLI_OPT_DEPTH, 'r', "depth", "N", "show N levels of structures within structures"},
    {CLI_OPT_FORCE, 0, "force", NULL, "replace OUT when it exists"},
    {CLI_OPT_EVERYWHERE, 0, "color", "WHEN", "colour: auto (default), always or never"},
    {CLI_OPT_EVERYWHERE, 'h', "help", NULL, "show help and exit"},
    {CLI_OPT_EVERYWHERE, 'V', "version", NULL, "show the version and exit"},
};
const size_t cli_option_count = sizeof(cli_options) / sizeof(cli_options[0]);
