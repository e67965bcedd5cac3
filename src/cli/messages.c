/* Errors, suggestions and small parsing that commands share. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

#include "base/os.h"
#include "base/text.h"
#include "cli/cli.h"

#define MESSAGE_MAX 8192

static void message(const char *subject, const char *fmt, va_list ap)
{
    char text[MESSAGE_MAX];
    struct ds_buf b;
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    ds_buf_init(&b, 8 * MESSAGE_MAX);
    ds_buf_str(&b, "dumpscan: ");
    if (subject != NULL) {
        ds_text_for_terminal(&b, subject);
        ds_buf_str(&b, ": ");
    }
    ds_text_for_terminal(&b, text);
    (void)fprintf(stderr, "%s\n", ds_buf_text(&b));
    ds_buf_deinit(&b);
}

void cli_error_message(const char *subject, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(subject, fmt, ap);
    va_end(ap);
}

int cli_usage_error(const struct cli_command *command, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(NULL, fmt, ap);
    va_end(ap);
    (void)fprintf(stderr, "Try 'dumpscan help%s%s'.\n", command != NULL ? " " : "",
                  command != NULL ? command->name : "");
    return CLI_USAGE;
}

/* Levenshtein distance of two short words; large when one is long. */
static unsigned word_distance(const char *a, const char *b)
{
    unsigned row[64];
    size_t la = strlen(a), lb = strlen(b);
    if (la >= 64 || lb >= 64)
        return 64;
    for (unsigned k = 0; k <= lb; k++)
        row[k] = k;
    for (unsigned i = 1; i <= la; i++) {
        unsigned corner = row[0];
        row[0] = i;
        for (unsigned k = 1; k <= lb; k++) {
            unsigned best = corner + (a[i - 1] != b[k - 1]);
            corner = row[k];
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[lb];
}

const char *cli_nearest(const char *word, const char *(*candidate)(size_t index), size_t count)
{
    const char *best = NULL;
    size_t len = strlen(word);
    unsigned limit = len <= 2 ? 1 : len <= 5 ? 2 : 3;
    for (size_t i = 0; i < count; i++) {
        unsigned d = word_distance(word, candidate(i));
        if (d <= limit && d < len) {
            best = candidate(i);
            limit = d > 0 ? d - 1 : 0;
            if (d == 0)
                break;
        }
    }
    return best;
}

bool cli_parse_size(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGT";
    uint64_t v = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++)
        if (ds_mul_overflows(v, 10, &v) || ds_add_overflows(v, (uint64_t)(*c - '0'), &v))
            return false;
    if (c == text)
        return false;
    const char *unit = *c != '\0' ? strchr(units, *c & ~0x20) : NULL;
    if (*c != '\0' && (unit == NULL || c[1] != '\0'))
        return false;
    if (unit != NULL && ds_mul_overflows(v, UINT64_C(1) << (10 * (unit - units + 1)), &v))
        return false;
    *ret = v;
    return true;
}

bool cli_parse_hex(const char *text, uint64_t *ret)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    uint64_t value = 0;
    unsigned digits = 0;
    for (; *text != '\0'; text++) {
        if (*text == '`' && digits > 0)
            continue;
        unsigned d = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
                     : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a' + 10)
                     : *text >= 'A' && *text <= 'F' ? (unsigned)(*text - 'A' + 10)
                                                    : 16;
        if (d == 16 || value >> 60 != 0)
            return false;
        value = value << 4 | d;
        digits++;
    }
    *ret = value;
    return digits > 0;
}

int cli_worse_status(int a, int b)
{
    static const int order[] = {CLI_INTERNAL, CLI_USAGE, CLI_NOT_DUMP, CLI_FINDING, CLI_DAMAGED};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return CLI_OK;
}
