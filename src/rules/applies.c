/* Which dumps a pattern can be asked of. */
#include "rules/applies.h"

#include <string.h>

#include "base/text.h"
#include "nt/bugcheck.h"
#include "nt/live.h"

/* The DumpType of a header whose body could not be read (windows-driver-docs,
 * debugger/varieties-of-kernel-mode-dump-files.md): 3 a header, 4 a minidump. */
#define TYPE_HEADER 3u
#define TYPE_TRIAGE 4u

enum kind {
    KIND_MEMORY,
    KIND_KERNEL,
    KIND_CRASH,
    KIND_ARCH,
    KIND_BUGCHECK,
    KIND_BUILD,
    KIND_COUNT
};

struct condition {
    const char *text;
    enum kind kind;
    unsigned value; /* of its kind */
};
static const struct condition conditions[] = {
    {"memory", KIND_MEMORY, 0},
    {"kernel-memory", KIND_KERNEL, 0},
    {"crash", KIND_CRASH, 0},
    {"live-dump", KIND_CRASH, 1},
    {"x86", KIND_ARCH, DS_ARCH_X86},
    {"x64", KIND_ARCH, DS_ARCH_X64},
    {"arm64", KIND_ARCH, DS_ARCH_ARM64},
};

/* Said when none of the alternatives of that kind holds. */
static const char *const words[KIND_COUNT] = {
    "needs memory, and the dump holds none",
    "needs a kernel or complete dump",
    "is about crashes, or about live dumps, and this is the other",
    "is about processors of another architecture",
    "is about other bugchecks",
    "is about later versions of Windows",
};

/* The code behind "bugcheck-0x". */
static bool code_of(const char *text, uint32_t *ret)
{
    static const char prefix[] = "bugcheck-0x";
    uint32_t code = 0;
    if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *c = text + sizeof(prefix) - 1;
    size_t digits = strlen(c);
    if (digits == 0 || digits > 8)
        return false;
    for (; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'f') || (*c >= 'A' && *c <= 'F');
        if (!letter && (*c < '0' || *c > '9'))
            return false;
        code = code << 4 | (uint32_t)(letter ? (*c & 0xF) + 9 : *c - '0');
    }
    *ret = code;
    return true;
}

/* The number of "build-N+". */
static bool build_of(const char *text, uint32_t *ret)
{
    static const char prefix[] = "build-";
    uint32_t build = 0;
    if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
        return false;
    const char *c = text + sizeof(prefix) - 1;
    size_t digits = strspn(c, "0123456789");
    for (size_t i = 0; i < digits && i < 6; i++)
        build = build * 10 + (uint32_t)(c[i] - '0');
    *ret = build;
    return digits > 0 && digits < 6 && strcmp(c + digits, "+") == 0;
}

static bool read_condition(const char *text, struct condition *ret)
{
    uint32_t code;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (strcmp(conditions[i].text, text) == 0) {
            *ret = conditions[i];
            return true;
        }
    }
    bool is_code = code_of(text, &code);
    if (!is_code && !build_of(text, &code))
        return false;
    *ret = (struct condition){text, is_code ? KIND_BUGCHECK : KIND_BUILD, code};
    return true;
}

bool ds_condition_known(const char *text)
{
    struct condition c;
    return read_condition(text, &c);
}

static bool is_dump(const struct ds_dump *d, enum ds_dump_kind kind, uint64_t type)
{
    const struct ds_dump_header *h = ds_dump_header(d);
    return ds_dump_kind(d) == kind ||
           (ds_dump_kind(d) == DS_DUMP_DAMAGED && h->dump_type.known && h->dump_type.value == type);
}

static bool crash_holds(struct ds_nt *nt, unsigned live)
{
    const struct ds_live *l = ds_nt_live(nt);
    return !l->live.known || l->live.value == live;
}

static bool holds(struct ds_nt *nt, const struct condition *c)
{
    const struct ds_target *t = ds_nt_target(nt);
    const struct ds_dump_header *h = ds_dump_header(t->dump);
    bool header = is_dump(t->dump, DS_DUMP_HEADER_ONLY, TYPE_HEADER);
    switch (c->kind) {
    case KIND_MEMORY:
        return !header;
    case KIND_KERNEL:
        return !header && !is_dump(t->dump, DS_DUMP_TRIAGE, TYPE_TRIAGE);
    case KIND_CRASH:
        return crash_holds(nt, c->value);
    case KIND_ARCH:
        return t->arch == DS_ARCH_UNKNOWN || t->arch == (enum ds_arch)c->value;
    case KIND_BUGCHECK:
        return !h->bugcheck_code.known ||
               ds_bugcheck_base((uint32_t)h->bugcheck_code.value) == c->value;
    case KIND_BUILD:
        return !t->build.known || t->build.value >= c->value;
    case KIND_COUNT:
        break;
    }
    return true;
}

const char *ds_pattern_misfit(struct ds_nt *nt, const struct ds_pattern *p)
{
    bool named[KIND_COUNT] = {false}, met[KIND_COUNT] = {false};
    for (size_t i = 0; i < p->applies_count; i++) {
        struct condition c;
        if (!read_condition(p->applies[i], &c))
            continue;
        named[c.kind] = true;
        met[c.kind] = met[c.kind] || holds(nt, &c);
    }
    for (size_t k = 0; k < KIND_COUNT; k++)
        if (named[k] && !met[k])
            return words[k];
    return NULL;
}
