/* `dumpscan read FILE ADDRESS [COUNT]`: bytes, words, text and pointers as WinDbg's d commands. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/read.h"
#include "facts/resolve.h"

#define DEFAULT_BYTES 128 /* as many as the debugger shows */
#define TEXT_LINE 32      /* characters of a line of da and du */

static const struct read_type types[] = {
    {"db", 1, 16, false}, {"dw", 2, 8, false},         {"dd", 4, 4, false},
    {"dq", 8, 2, false},  {"dp", 0, 0, false},         {"dc", 4, 4, false},
    {"dps", 0, 1, true},  {"da", 1, TEXT_LINE, false}, {"du", 2, TEXT_LINE, false},
};

static bool find_type(const char *name, unsigned pointer, struct read_type *ret)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        *ret = types[i];
        if (ret->size == 0)
            ret->size = pointer;
        if (ret->per_line == 0)
            ret->per_line = 16 / pointer;
        return true;
    }
    return false;
}

/* The item at `at`; false when one of its bytes cannot be had. */
static bool item(struct reading *r, uint64_t at, unsigned size, uint64_t *value)
{
    bool whole = true;
    *value = 0;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte;
        if (reading_byte(r, at + i, &byte))
            *value |= (uint64_t)byte << 8 * i;
        else
            whole = false;
    }
    return whole;
}

static void put_value(struct ds_buf *b, unsigned size, bool known, uint64_t value)
{
    static const char unknown[] = "????????????????";
    if (!known && size == 8)
        ds_buf_str(b, "????????`????????");
    else if (!known)
        ds_buf_add(b, unknown, (size_t)2 * size);
    else if (size == 8)
        ds_buf_printf(b, "%08llx`%08llx", (unsigned long long)(value >> 32),
                      (unsigned long long)(value & UINT32_MAX));
    else
        ds_buf_printf(b, "%0*llx", (int)(2 * size), (unsigned long long)value);
}

static void put_characters(struct reading *r, uint64_t at, uint64_t count, struct ds_buf *b)
{
    ds_buf_str(b, "  ");
    for (uint64_t i = 0; i < count; i++) {
        uint8_t c;
        bool known = reading_byte(r, at + i, &c);
        ds_buf_char(b, !known ? '?' : c >= 0x20 && c < 0x7f ? (char)c : '.');
    }
}

static void put_address(const struct reading *r, struct ds_buf *b, uint64_t at)
{
    cli_put_va(r->m, b, at);
}

/* `count` items of one line. */
static void put_line(struct reading *r, uint64_t at, uint64_t count, struct ds_buf *b)
{
    unsigned size = r->type.size;
    put_address(r, b, at);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value;
        bool known = item(r, at + i * size, size, &value);
        bool middle = size == 1 && i == 8;
        ds_buf_str(b, i == 0 ? "  " : middle ? "-" : " ");
        put_value(b, size, known, value);
        if (r->type.symbols && known) {
            struct ds_buf name;
            ds_buf_init(&name, 1u << 16);
            if (ds_resolve_symbol(r->m->nt, value, &name)) {
                ds_buf_char(b, ' ');
                ds_text_for_terminal(b, ds_buf_text(&name));
            }
            ds_buf_deinit(&name);
        }
    }
    if (strcmp(r->type.name, "db") == 0 || strcmp(r->type.name, "dc") == 0) {
        uint64_t missing = r->type.per_line - count;
        for (uint64_t i = 0; i < missing * (2 * size + 1); i++)
            ds_buf_char(b, ' ');
        put_characters(r, at, count * size, b);
    }
    ds_buf_char(b, '\n');
}

/* Text from `at` on, as UTF-8: to a NUL, `max` characters, or what cannot be read. */
static uint64_t get_text(struct reading *r, uint64_t at, uint64_t max, struct ds_buf *text,
                         bool *ended)
{
    uint8_t raw[2 * TEXT_LINE];
    uint64_t n = 0;
    unsigned size = r->type.size;
    *ended = false;
    while (n < max && n < TEXT_LINE) {
        uint64_t c;
        *ended = !item(r, at + n * size, size, &c) || c == 0;
        if (*ended)
            break;
        raw[n * size] = (uint8_t)c;
        if (size == 2)
            raw[2 * n + 1] = (uint8_t)(c >> 8);
        n++;
    }
    if (size == 2)
        ds_text_from_utf16(text, raw, (size_t)n);
    else
        ds_text_from_bytes(text, raw, (size_t)n);
    return n;
}

static void text_strings(struct reading *r, struct ds_buf *b)
{
    uint64_t done = 0;
    bool ended = false;
    while (!ended && done < r->count) {
        struct ds_buf text;
        ds_buf_init(&text, 1u << 12);
        uint64_t at = r->at + done * r->type.size;
        uint64_t n = get_text(r, at, r->count - done, &text, &ended);
        if (n > 0 || done == 0) {
            put_address(r, b, at);
            ds_buf_str(b, "  \"");
            ds_text_for_terminal(b, ds_buf_text(&text));
            ds_buf_str(b, "\"\n");
        }
        ds_buf_deinit(&text);
        done += n;
    }
}

static bool is_string(const struct reading *r)
{
    return r->type.name[1] == 'a' || r->type.name[1] == 'u';
}

/* Lets go of what was made so far, so that a long listing needs no memory. */
static void drain(struct cli_out *out, struct ds_buf *b, bool all)
{
    if (all || b->len > 1u << 16) {
        cli_out_write(out, ds_buf_text(b), b->len);
        b->len = 0;
    }
}

static void write_text(struct reading *r, struct cli_out *out, struct ds_buf *b)
{
    if (is_string(r)) {
        text_strings(r, b);
        return;
    }
    for (uint64_t done = 0; done < r->count && !out->failed; done += r->type.per_line) {
        uint64_t left = r->count - done;
        put_line(r, r->at + done * r->type.size, left < r->type.per_line ? left : r->type.per_line,
                 b);
        drain(out, b, false);
    }
}

static void json_string(struct reading *r, struct ds_json *j)
{
    struct ds_buf text;
    ds_buf_init(&text, 64u << 20);
    uint64_t done = 0;
    bool ended = false;
    while (!ended && done < r->count)
        done += get_text(r, r->at + done * r->type.size, r->count - done, &text, &ended);
    ds_json_key_string(j, "text", ds_buf_text(&text));
    ds_buf_deinit(&text);
}

static void json_items(struct reading *r, struct cli_out *out, struct ds_json *j)
{
    ds_json_key(j, "items");
    ds_json_array(j);
    for (uint64_t i = 0; i < r->count && !out->failed; i++) {
        uint64_t value;
        if (item(r, r->at + i * r->type.size, r->type.size, &value))
            ds_json_hex(j, value, 2 * r->type.size);
        else
            ds_json_null(j);
        drain(out, j->out, false);
    }
    ds_json_array_end(j);
}

static void write_json(struct reading *r, struct cli_out *out, struct ds_buf *b, bool pretty)
{
    struct ds_json j;
    ds_json_init(&j, b, pretty);
    ds_json_object(&j);
    ds_json_key_hex(&j, "address", ds_opt_known(r->at), r->m->digits);
    ds_json_key_bool(&j, "physical", r->physical);
    ds_json_key_hex(&j, "eprocess", r->m->eprocess, r->m->digits);
    ds_json_key_string(&j, "type", r->type.name);
    if (is_string(r))
        json_string(r, &j);
    else
        json_items(r, out, &j);
    ds_json_key(&j, "unreadable");
    ds_json_array(&j);
    for (size_t i = 0; i < r->hole_count; i++) {
        ds_json_object(&j);
        ds_json_key_hex(&j, "address", ds_opt_known(r->holes[i].at), r->m->digits);
        ds_json_key_unsigned(&j, "size", r->holes[i].size);
        ds_json_key_string(&j, "status", ds_status_name(r->holes[i].status));
        ds_json_key_string(&j, "state", reading_state(r, &r->holes[i]));
        struct ds_buf why;
        ds_buf_init(&why, 1u << 12);
        reading_reason(r, &r->holes[i], &why);
        ds_json_key_string(&j, "reason", ds_buf_text(&why));
        ds_buf_deinit(&why);
        ds_json_object_end(&j);
    }
    ds_json_array_end(&j);
    ds_json_key_unsigned(&j, "unreadable_more", r->holes_more);
    ds_json_object_end(&j);
    ds_buf_char(b, '\n');
}

static void report_holes(const struct cli_args *args, struct reading *r)
{
    for (size_t i = 0; i < r->hole_count && i < 8; i++) {
        struct ds_buf b;
        ds_buf_init(&b, 1u << 12);
        ds_buf_printf(&b, "0x%llx bytes at ", (unsigned long long)r->holes[i].size);
        put_address(r, &b, r->holes[i].at);
        ds_buf_str(&b, " cannot be read: ");
        reading_reason(r, &r->holes[i], &b);
        cli_error_message(args->operands[0], "%s", ds_buf_text(&b));
        ds_buf_deinit(&b);
    }
    uint64_t more = r->holes_more + (r->hole_count > 8 ? r->hole_count - 8 : 0);
    if (more > 0)
        cli_error_message(args->operands[0], "and %llu more stretches that cannot be read",
                          (unsigned long long)more);
}

static int read_formatted(const struct cli_args *args, struct reading *r)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct ds_buf b;
    ds_buf_init(&b, 128u << 20);
    if (args->format == CLI_TEXT)
        write_text(r, &out, &b);
    else
        write_json(r, &out, &b, args->format == CLI_JSON);
    drain(&out, &b, true);
    bool ok = ds_buf_ok(&b);
    ds_buf_deinit(&b);
    report_holes(args, r);
    return cli_out_close(&out, ok, !ok || r->hole_count > 0 ? CLI_INTERNAL : CLI_OK);
}

/* The bytes themselves: all of them, or none in a file and a message. */
static int read_raw(const struct cli_args *args, struct reading *r)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    uint8_t chunk[4096];
    uint64_t done = 0, bytes = r->count * r->type.size;
    while (done < bytes && r->hole_count == 0 && !out.failed) {
        size_t n = 0;
        while (n < sizeof(chunk) && done + n < bytes &&
               reading_byte(r, r->at + done + n, &chunk[n]))
            n++;
        cli_out_write(&out, (const char *)chunk, n);
        done += n;
    }
    if (r->hole_count > 0) {
        report_holes(args, r);
        cli_error_message(args->operands[0], "0x%llx bytes can be read before that",
                          (unsigned long long)done);
    }
    return cli_out_close(&out, done == bytes, done == bytes ? CLI_OK : CLI_INTERNAL);
}

/* COUNT as the debugger takes it: items, hexadecimal, with or without L. */
static int parse_count(const struct cli_args *args, struct reading *r)
{
    uint64_t limit = args->binary ? DS_LIMIT_READ_RAW : DS_LIMIT_READ_TEXT;
    r->count = is_string(r) ? 4096 : DEFAULT_BYTES / r->type.size;
    if (args->operand_count > 2) {
        const char *word = args->operands[2];
        word += *word == 'L' || *word == 'l';
        char *end = NULL;
        bool decimal = strncmp(word, "0n", 2) == 0;
        if (decimal)
            r->count = strtoull(word + 2, &end, 10);
        if (decimal ? *end != '\0' || end == word + 2 : !cli_parse_hex(word, &r->count))
            return cli_usage_error(&cli_read, "'%s' is no count: hexadecimal, or decimal with 0n",
                                   args->operands[2]);
    }
    uint64_t last = r->m->digits == 8 && !r->physical ? UINT32_MAX : UINT64_MAX;
    uint64_t room = r->at <= last - (r->type.size - 1)
                        ? (last - (r->type.size - 1) - r->at) / r->type.size + 1
                        : 0;
    if (args->operand_count <= 2 && room != 0 && r->count > room)
        r->count = room; /* nobody asked for more than there is */
    if (r->count == 0 || r->count > limit / r->type.size)
        return cli_usage_error(&cli_read, "between 1 and 0x%llx items of this type can be read",
                               (unsigned long long)(limit / r->type.size));
    if (r->at > last || (r->count * r->type.size) - 1 > last - r->at)
        return cli_usage_error(&cli_read, "the end of the address space lies before the %s",
                               "end of these items");
    return CLI_OK;
}

static int read_memory(const struct cli_args *args, struct cli_memory *m)
{
    struct reading r = {.m = m, .physical = args->physical};
    if (!find_type(args->type != NULL ? args->type : "db", m->target->pointer_size, &r.type))
        return cli_usage_error(
            &cli_read, "unknown type '%s': db, dw, dd, dq, dc, dp, dps, da or du", args->type);
    if (args->physical ? !ds_dump_has_physical(m->target->dump) : m->space == NULL) {
        cli_error_message(args->operands[0], "this dump holds no %s memory",
                          args->physical ? "physical" : "virtual");
        return CLI_NOT_DUMP;
    }
    if (!(args->physical ? cli_number : cli_address)(m, args->operands[1], &r.at))
        return CLI_USAGE;
    int rc = parse_count(args, &r);
    if (rc != CLI_OK)
        return rc;
    return args->binary ? read_raw(args, &r) : read_formatted(args, &r);
}

static int read_run(const struct cli_args *args)
{
    struct cli_memory m;
    if (args->physical && (args->process != NULL || args->dtb != NULL))
        return cli_usage_error(&cli_read, "--physical needs no address space");
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    rc = read_memory(args, &m);
    cli_memory_close(&m);
    return rc;
}

const struct cli_command cli_read = {
    .name = "read",
    .synopsis = "FILE ADDRESS [COUNT]",
    .summary = "show memory, virtual or physical, as db, dd, dps, du and so on",
    .detail =
        "ADDRESS, --process and --dtb as for vtop. COUNT is in items and hexadecimal (0n for\n"
        "decimal), 128 bytes unless said; text goes to its end. --type is one of db, dw, dd,\n"
        "dq, dc (dwords and characters), dp (pointers), dps (pointers with symbols), da (text)\n"
        "and du (UTF-16 text). What cannot be read is shown as ??, the reason goes to stderr,\n"
        "and the exit status is 1. --binary writes the bytes as they are; with -o FILE there is\n"
        "a file only when all of them could be read.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_PROCESS |
               CLI_OPT_KERNEL | CLI_OPT_INFLATED | CLI_OPT_PHYSICAL | CLI_OPT_TYPE | CLI_OPT_BINARY,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 2,
    .operands_max = 3,
    .run = read_run,
};
