#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

/* Twice a token, so that the longest fits wherever it begins after moving it to the front. */
#define BUFFER_SIZE (2u * DS_LIMIT_JSON_TOKEN)

enum state {
    WANT_VALUE,        /* top level, after a key, after a comma in an array */
    WANT_VALUE_OR_END, /* after [ */
    WANT_KEY_OR_END,   /* after { */
    WANT_KEY,          /* after a comma in an object */
    WANT_COLON,        /* after a key */
    AFTER_VALUE,       /* comma or end of the container */
    DONE,
    FAILED
};

enum ds_status ds_json_open(struct ds_json *j, ds_json_read read, void *arg)
{
    *j = (struct ds_json){.read = read, .arg = arg, .state = WANT_VALUE, .text = ""};
    j->buf = malloc(BUFFER_SIZE);
    return j->buf == NULL ? ds_err_set(&j->err, DS_NO_MEMORY, "no memory to read JSON") : DS_OK;
}

void ds_json_close(struct ds_json *j)
{
    free(j->buf);
    j->buf = NULL;
    j->state = FAILED;
}

static enum ds_json_event fail(struct ds_json *j, const char *what)
{
    if (j->state != FAILED)
        ds_err_set(&j->err, DS_CORRUPT, "not JSON at byte %llu: %s",
                   (unsigned long long)(j->base + j->pos), what);
    j->state = FAILED;
    return DS_JSON_ERROR;
}

/* Reads more behind the bytes from `keep` on, which move to the front. False: none came. */
static bool refill(struct ds_json *j, size_t keep)
{
    size_t got = 0;
    if (j->at_end || j->state == FAILED)
        return false;
    if (keep > 0) {
        memmove(j->buf, j->buf + keep, j->len - keep);
        j->base += keep;
        j->pos -= keep;
        j->len -= keep;
    }
    if (j->len >= DS_LIMIT_JSON_TOKEN) {
        ds_err_set(&j->err, DS_LIMIT, "JSON at byte %llu: a string or number of over %u bytes",
                   (unsigned long long)j->base, (unsigned)DS_LIMIT_JSON_TOKEN);
        j->state = FAILED;
        return false;
    }
    enum ds_status status = j->read(j->arg, j->buf + j->len, BUFFER_SIZE - j->len, &got, &j->err);
    if (status != DS_OK) {
        j->err.status = status;
        j->state = FAILED;
        return false;
    }
    j->len += got;
    j->at_end = got == 0;
    return got > 0;
}

/* The next byte that is not white space, not consumed; -1 at the end. */
static int peek(struct ds_json *j)
{
    for (;;) {
        while (j->pos < j->len) {
            unsigned char c = (unsigned char)j->buf[j->pos];
            if (c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t'))
                return c;
            j->pos++;
        }
        if (!refill(j, j->pos))
            return -1;
    }
}

static bool hex4(const char *s, uint32_t *ret)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        v = v << 4 | digit;
    }
    *ret = v;
    return true;
}

/* One \uXXXX (or a surrogate pair) at s, as UTF-8 to *out. Returns the bytes used; 0 = bad. */
static size_t unescape_unicode(const char *s, size_t len, char **out)
{
    uint32_t code, low;
    size_t used = 6;
    char bytes[8];
    struct ds_buf utf8 = {.data = bytes, .cap = sizeof bytes, .max = sizeof bytes};
    if (len < 6 || !hex4(s + 2, &code))
        return 0;
    if (code >= 0xd800 && code < 0xdc00 && len >= 12 && s[6] == '\\' && s[7] == 'u' &&
        hex4(s + 8, &low) && low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        used = 12;
    }
    if (code >= 0xd800 && code < 0xe000)
        code = 0xfffd;
    ds_text_encode(&utf8, code); /* at most 4 bytes: the buffer never grows */
    memcpy(*out, bytes, utf8.len);
    *out += utf8.len;
    return used;
}

/* Decodes escapes in place: what comes out is never longer. The string has no bare quote. */
static bool unescape(struct ds_json *j, char *s, size_t len)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char *out = s;
    size_t i = 0;
    while (i < len) {
        if (s[i] != '\\') {
            *out++ = s[i++];
            continue;
        }
        const char *plain = i + 1 < len ? strchr(from, s[i + 1]) : NULL;
        if (plain != NULL && *plain != '\0') {
            *out++ = to[plain - from];
            i += 2;
            continue;
        }
        size_t used = i + 1 < len && s[i + 1] == 'u' ? unescape_unicode(s + i, len - i, &out) : 0;
        if (used == 0)
            return false;
        i += used;
    }
    *out = '\0';
    j->text_len = (size_t)(out - s);
    return true;
}

/* j->pos is after the opening quote. */
static bool take_string(struct ds_json *j)
{
    size_t at = j->pos;
    bool escaped = false;
    for (;;) {
        while (at < j->len) {
            unsigned char c = (unsigned char)j->buf[at];
            if (c == '"' || c == '\\' || c < 0x20)
                break;
            at++;
        }
        bool more = at >= j->len || (j->buf[at] == '\\' && at + 1 >= j->len);
        if (more) {
            size_t ahead = at - j->pos; /* what is kept may move */
            if (!refill(j, j->pos)) {
                fail(j, "the text ends inside a string");
                return false;
            }
            at = j->pos + ahead;
            continue;
        }
        if (j->buf[at] == '"')
            break;
        if (j->buf[at] != '\\') {
            fail(j, "a control character in a string");
            return false;
        }
        escaped = true;
        at += 2;
    }
    char *start = j->buf + j->pos;
    j->text = start;
    j->text_len = at - j->pos;
    start[j->text_len] = '\0';
    if (escaped && !unescape(j, start, j->text_len)) {
        fail(j, "an escape that does not exist");
        return false;
    }
    j->pos = at + 1;
    return true;
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* RFC 8259, section 6. */
static bool is_number(const char *s)
{
    s += *s == '-';
    if (*s == '0')
        s++;
    else if (*s >= '1' && *s <= '9')
        s += strspn(s, "0123456789");
    else
        return false;
    if (*s == '.') {
        size_t digits = strspn(++s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        size_t digits = strspn(s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    return *s == '\0';
}

/* A number has no end mark to put a NUL upon, so it is copied. */
static enum ds_json_event take_number(struct ds_json *j)
{
    size_t at = j->pos;
    for (;;) {
        while (at < j->len && is_number_char(j->buf[at]))
            at++;
        if (at < j->len)
            break;
        size_t ahead = at - j->pos; /* what is kept may move */
        bool more = refill(j, j->pos);
        at = j->pos + ahead;
        if (j->state == FAILED)
            return DS_JSON_ERROR;
        if (!more)
            break;
    }
    if (at - j->pos >= sizeof j->number)
        return fail(j, "a number of too many digits");
    memcpy(j->number, j->buf + j->pos, at - j->pos);
    j->number[at - j->pos] = '\0';
    if (!is_number(j->number))
        return fail(j, "a malformed number");
    j->text = j->number;
    j->text_len = at - j->pos;
    j->pos = at;
    return DS_JSON_NUMBER;
}

static enum ds_json_event take_word(struct ds_json *j, const char *word, enum ds_json_event event)
{
    size_t len = strlen(word);
    while (j->len - j->pos < len) {
        if (!refill(j, j->pos))
            return fail(j, "the text ends inside a word");
    }
    if (memcmp(j->buf + j->pos, word, len) != 0)
        return fail(j, "an unknown word");
    j->pos += len;
    return event;
}

static enum ds_json_event enter(struct ds_json *j, bool object)
{
    if (j->depth >= DS_LIMIT_JSON_DEPTH) {
        ds_err_set(&j->err, DS_LIMIT, "JSON at byte %llu: nested deeper than %d",
                   (unsigned long long)(j->base + j->pos), DS_LIMIT_JSON_DEPTH);
        j->state = FAILED;
        return DS_JSON_ERROR;
    }
    j->is_object[j->depth++] = object;
    j->pos++;
    j->state = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    return object ? DS_JSON_OBJECT : DS_JSON_ARRAY;
}

static enum ds_json_event leave(struct ds_json *j)
{
    j->depth--;
    j->pos++;
    j->state = AFTER_VALUE;
    return j->is_object[j->depth] ? DS_JSON_OBJECT_END : DS_JSON_ARRAY_END;
}

static enum ds_json_event take_value(struct ds_json *j, int c)
{
    enum ds_json_event event;
    switch (c) {
    case '{':
    case '[':
        return enter(j, c == '{');
    case '"':
        j->pos++;
        event = take_string(j) ? DS_JSON_STRING : DS_JSON_ERROR;
        break;
    case 't':
        event = take_word(j, "true", DS_JSON_TRUE);
        break;
    case 'f':
        event = take_word(j, "false", DS_JSON_FALSE);
        break;
    case 'n':
        event = take_word(j, "null", DS_JSON_NULL);
        break;
    default:
        event = take_number(j);
        break;
    }
    if (event != DS_JSON_ERROR)
        j->state = AFTER_VALUE;
    return event;
}

static enum ds_json_event take_key(struct ds_json *j)
{
    j->pos++;
    if (!take_string(j))
        return DS_JSON_ERROR;
    j->state = WANT_COLON;
    return DS_JSON_KEY;
}

/* Passes the comma between two values. False: the container or the text ends, or an error. */
static bool pass_comma(struct ds_json *j, int *c)
{
    if (j->depth == 0) {
        j->state = DONE;
        return false;
    }
    if (*c != ',')
        return false;
    j->pos++;
    *c = peek(j);
    j->state = j->is_object[j->depth - 1] ? WANT_KEY : WANT_VALUE;
    return true;
}

enum ds_json_event ds_json_next(struct ds_json *j)
{
    int c;
    if (j->state == FAILED)
        return DS_JSON_ERROR;
    c = peek(j);
    if (j->state == WANT_COLON) {
        if (c != ':')
            return fail(j, "a key without a colon");
        j->pos++;
        c = peek(j);
        j->state = WANT_VALUE;
    }
    if (j->state == AFTER_VALUE && !pass_comma(j, &c) && j->state == AFTER_VALUE) {
        if (c == (j->is_object[j->depth - 1] ? '}' : ']'))
            return leave(j);
        return fail(j, "neither a comma nor the end of a list");
    }
    if (j->state == FAILED)
        return DS_JSON_ERROR;
    if (j->state == DONE)
        return c == -1 ? DS_JSON_END : fail(j, "something after the end");
    if (c == -1)
        return fail(j, "the text ends too early");
    if (j->state == WANT_KEY_OR_END && c == '}')
        return leave(j);
    if (j->state == WANT_VALUE_OR_END && c == ']')
        return leave(j);
    if (j->state == WANT_KEY || j->state == WANT_KEY_OR_END)
        return c == '"' ? take_key(j) : fail(j, "a key that is not a string");
    return take_value(j, c);
}

bool ds_json_skip(struct ds_json *j)
{
    unsigned depth = j->depth;
    do {
        enum ds_json_event event = ds_json_next(j);
        if (event == DS_JSON_ERROR || event == DS_JSON_END)
            return false;
    } while (j->depth > depth || j->state == WANT_COLON);
    return true;
}

bool ds_json_u64(const struct ds_json *j, uint64_t *ret)
{
    uint64_t v = 0;
    if (j->text_len == 0)
        return false;
    for (size_t i = 0; i < j->text_len; i++) {
        if (j->text[i] < '0' || j->text[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(j->text[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

bool ds_json_is(const struct ds_json *j, const char *text)
{
    return strcmp(j->text, text) == 0;
}
