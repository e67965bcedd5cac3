/* The stacks of the threads that a finding is about. */
#include <string.h>

#include "base/limits.h"
#include "nt/thread_stack.h"
#include "nt/waits.h"
#include "report/build.h"

#define STACKS_MAX 4u /* threads that one instance names */

static unsigned hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                  : 16;
}

/* Whether it is a thread of the list that is not among the first `count` already. */
static bool is_another(struct ds_nt *nt, uint64_t va, const uint64_t *seen, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i] == va)
            return false;
    return ds_nt_thread_row(nt, va) != DS_NO_ROW;
}

/* The threads in a text: words of eight hexadecimal digits or more, with or without 0x. */
static size_t addresses_in(struct ds_nt *nt, const char *text, uint64_t ret[STACKS_MAX])
{
    size_t count = 0;
    while (*text != '\0' && count < STACKS_MAX) {
        size_t n = 0;
        uint64_t value = 0;
        if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
            text += 2;
        for (; hex_digit(text[n]) < 16; n++)
            value = value << 4 | hex_digit(text[n]);
        if (n >= 8 && n <= 16 && is_another(nt, value, ret, count))
            ret[count++] = value;
        text += n > 0 ? n : 1;
    }
    return count;
}

static size_t threads_of(struct ds_nt *nt, const struct ds_report_instance *in, const char *column,
                         uint64_t ret[STACKS_MAX])
{
    for (size_t i = 0; i < in->evidence_count; i++) {
        const struct ds_cell *c = &in->evidence[i].cell;
        if (strcmp(in->evidence[i].name, column) != 0)
            continue;
        if (c->kind == DS_CELL_TEXT)
            return addresses_in(nt, c->text, ret);
        ret[0] = (uint64_t)c->integer;
        return c->kind == DS_CELL_INT && ret[0] != 0 ? 1 : 0;
    }
    return 0;
}

static void build_one(struct ds_builder *b, uint64_t ethread, struct ds_thread_stack *room,
                      struct ds_report_thread_stack *out)
{
    out->ethread = ethread;
    if (b->r->thread_stack_count >= DS_LIMIT_FINDING_STACKS) {
        out->stack.end = ds_status_text(DS_LIMIT);
        out->note = "the report has as many stacks as it takes";
        return;
    }
    b->r->thread_stack_count++;
    ds_nt_thread_stack(b->nt, ethread, room);
    out->start = room->start;
    out->note = room->note[0] != '\0' ? room->note : NULL;
    ds_build_stack(b, &room->stack, room->kind, &out->stack);
}

void ds_build_thread_stacks(struct ds_builder *b, const char *stack_of,
                            struct ds_report_instance *in)
{
    uint64_t threads[STACKS_MAX];
    size_t count = threads_of(b->nt, in, stack_of, threads);
    in->has_stacks = true;
    if (count == 0)
        return;
    DS_AUTO_FREE struct ds_thread_stack *room = ds_alloc_array(1, sizeof(*room));
    in->stacks = room != NULL ? ds_build_array(b, count, sizeof(*in->stacks)) : NULL;
    b->no_memory = b->no_memory || in->stacks == NULL;
    for (size_t i = 0; in->stacks != NULL && i < count; i++)
        build_one(b, threads[i], room, &in->stacks[in->stack_count++]);
}
