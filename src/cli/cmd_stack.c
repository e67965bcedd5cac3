/* `dumpscan stack FILE [THREAD...]`: threads and their stacks, as !thread and k show them. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/md5.h"
#include "cli/stack.h"
#include "facts/resolve.h"
#include "nt/waits.h"

#define BRIEF 8u            /* threads of a group that are listed, unless verbose */
#define TEXT_MAX (8u << 20) /* bytes of one group */

/* One thread of many: the digest of its stack. */
struct item {
    uint8_t digest[DS_MD5_SIZE];
    uint64_t ethread;
    size_t index;       /* in the order of the list */
    size_t size, first; /* of the group: threads, index of its first */
};

struct job {
    const struct cli_args *args;
    struct cli_memory *m;
    struct cli_out *out;
    struct ds_thread_stack *stack; /* owned */
    size_t written;
};

static const struct ds_thread *thread_by_tid(struct cli_memory *m, uint64_t tid)
{
    const struct ds_threads *t = ds_nt_threads(m->nt);
    for (size_t i = 0; i < t->count; i++)
        if (t->rows[i].tid.known && t->rows[i].tid.value == tid)
            return &t->rows[i];
    return NULL;
}

/* ETHREAD, thread id (decimal, or hexadecimal with 0x), or what cli_address() takes. */
static bool find_thread(struct cli_memory *m, const char *word, uint64_t *ret)
{
    uint64_t hex;
    char *end;
    const struct ds_thread *t = NULL;
    if (cli_parse_hex(word, &hex)) {
        if (ds_nt_thread_row(m->nt, hex) != DS_NO_ROW) {
            *ret = hex;
            return true;
        }
        uint64_t decimal = strtoull(word, &end, 10);
        t = thread_by_tid(m, *end == '\0' && end != word ? decimal : hex);
        if (t != NULL) {
            *ret = t->ethread;
            return true;
        }
        if (!ds_target_is_kernel_va(m->target, hex)) {
            cli_error_message(NULL,
                              "no thread '%s' is known: the address of an ETHREAD, a decimal "
                              "thread id, or a hexadecimal one with 0x",
                              word);
            return false;
        }
    }
    return cli_address(m, word, ret);
}

static bool write_out(struct job *job, struct ds_buf *b)
{
    bool ok = ds_buf_ok(b);
    if (ok)
        cli_out_write(job->out, ds_buf_text(b), b->len);
    else
        cli_error_message(NULL, "out of memory, or more than %u MiB for one stack", TEXT_MAX >> 20);
    ds_buf_deinit(b);
    return ok && !job->out->failed;
}

static void put_text(struct job *job, const struct stack_group *g, bool brief, struct ds_buf *b)
{
    size_t shown = job->args->verbose || g->count <= BRIEF ? g->count : BRIEF;
    if (job->written > 0)
        ds_buf_char(b, '\n');
    if (brief)
        ds_buf_printf(b, "%llu thread%s\n", (unsigned long long)g->count, g->count == 1 ? "" : "s");
    for (size_t i = 0; i < shown && brief; i++)
        stack_put_brief(job->m, g->threads[i], b);
    if (shown < g->count)
        ds_buf_printf(b, "    %llu more (shown with -v)\n", (unsigned long long)(g->count - shown));
    if (!brief)
        stack_put_thread(job->m, g->threads[0], g->stack, b);
    stack_put_frames(job->m, g->stack, job->args->verbose, b);
}

/* Writes a group; its first thread has the stack of all. */
static bool write_group(struct job *job, const uint64_t *threads, size_t count, bool brief)
{
    struct ds_buf b;
    struct stack_group g = {.threads = threads, .count = count, .stack = job->stack};
    ds_buf_init(&b, TEXT_MAX);
    ds_nt_thread_stack(job->m->nt, threads[0], job->stack);
    if (job->args->format == CLI_TEXT) {
        put_text(job, &g, brief, &b);
    } else {
        struct ds_json j;
        if (job->args->format == CLI_JSON)
            ds_buf_str(&b, job->written > 0 ? ",\n" : "[\n");
        ds_json_init(&j, &b, job->args->format == CLI_JSON);
        stack_json_group(&j, job->m, &g);
        if (job->args->format == CLI_JSONL)
            ds_buf_char(&b, '\n');
    }
    job->written++;
    return write_out(job, &b);
}

/* ---- many threads ---- */

/* Whether a frame's name holds the text that --find asks for. */
static bool wanted(struct job *job)
{
    const char *text = job->args->find;
    bool found = text == NULL;
    for (size_t i = 0; i < job->stack->stack.count && !found; i++) {
        struct ds_buf name;
        ds_buf_init(&name, 4096);
        found = ds_resolve_symbol(job->m->nt, job->stack->stack.frames[i].pc, &name) &&
                strstr(ds_buf_text(&name), text) != NULL;
        ds_buf_deinit(&name);
    }
    return found;
}

/* What makes two stacks the same: return addresses, how they were found, and how the walk ended. */
static void digest_of(const struct ds_thread_stack *s, uint8_t digest[DS_MD5_SIZE])
{
    uint64_t words[DS_LIMIT_FRAMES * 2 + 2];
    size_t n = 0;
    words[n++] = s->why;
    words[n++] = (uint64_t)(uintptr_t)(s->stack.count == 0 ? s->note : NULL);
    for (size_t i = 0; i < s->stack.count && i < DS_LIMIT_FRAMES; i++) {
        words[n++] = s->stack.frames[i].pc;
        words[n++] = (uint64_t)s->stack.frames[i].trust;
    }
    ds_md5(words, n * sizeof(words[0]), digest);
}

static int by_digest(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = memcmp(x->digest, y->digest, sizeof(x->digest));
    return order != 0 ? order : x->index < y->index ? -1 : x->index > y->index;
}

/* The largest group first, then by its first thread. */
static int by_group(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void group(struct item *items, size_t count)
{
    qsort(items, count, sizeof(*items), by_digest);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && memcmp(items[end].digest, items[i].digest, DS_MD5_SIZE) == 0;)
            end++;
        for (size_t k = i; k < end; k++) {
            items[k].size = end - i;
            items[k].first = items[i].index;
        }
    }
    qsort(items, count, sizeof(*items), by_group);
}

static bool write_groups(struct job *job, const struct item *items, size_t count)
{
    uint64_t *threads = calloc(count + 1, sizeof(*threads));
    bool ok = threads != NULL;
    size_t stacks = 0;
    for (size_t i = 0; ok && i < count; i += items[i].size, stacks++) {
        for (size_t k = 0; k < items[i].size; k++)
            threads[k] = items[i + k].ethread;
        ok = write_group(job, threads, items[i].size, true);
    }
    free(threads);
    if (ok && job->args->format == CLI_TEXT) {
        struct ds_buf b;
        ds_buf_init(&b, 256);
        ds_buf_printf(&b, "%s%llu threads, %llu different stacks\n", count > 0 ? "\n" : "",
                      (unsigned long long)count, (unsigned long long)stacks);
        ok = write_out(job, &b);
    }
    return ok;
}

static bool many(struct job *job)
{
    const struct ds_threads *t = ds_nt_threads(job->m->nt);
    struct item *items = calloc(t->count + 1, sizeof(*items));
    size_t count = 0;
    if (items == NULL) {
        cli_error_message(NULL, "out of memory for %llu threads", (unsigned long long)t->count);
        return false;
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct ds_thread *row = &t->rows[i];
        if (job->m->eprocess.known &&
            !(row->eprocess.known && row->eprocess.value == job->m->eprocess.value))
            continue;
        ds_nt_thread_stack(job->m->nt, row->ethread, job->stack);
        if (!wanted(job))
            continue;
        digest_of(job->stack, items[count].digest);
        items[count].index = count;
        items[count++].ethread = row->ethread;
    }
    group(items, count);
    bool ok = write_groups(job, items, count);
    free(items);
    if (ok && !t->walk.complete)
        cli_error_message(job->args->operands[0], "the list of threads is not complete: %s%s%s",
                          ds_status_text(t->walk.stop_reason),
                          t->walk.detail[0] != '\0' ? ", " : "", t->walk.detail);
    return ok;
}

/* ---- single threads ---- */

/* The thread that a processor runs, or that the dump is about; false after a message. */
static bool default_thread(struct job *job, uint64_t *ret)
{
    struct ds_opt thread = ds_nt_fault(job->m->nt)->current_thread;
    const struct ds_processors *p = ds_nt_processors(job->m->nt);
    if ((job->args->given & CLI_OPT_PROCESSOR) != 0) {
        thread = ds_opt_unknown(DS_NOT_FOUND);
        for (size_t i = 0; i < p->count; i++)
            if (p->rows[i].number == job->args->processor)
                thread = p->rows[i].current_thread;
    }
    if (!thread.known)
        cli_error_message(job->args->operands[0],
                          (job->args->given & CLI_OPT_PROCESSOR) != 0
                              ? "what that processor runs is not known: see the table processors"
                              : "which thread is the current one is not known: name one, or --all");
    *ret = thread.value;
    return thread.known;
}

static bool run_job(struct job *job, int *rc)
{
    const struct cli_args *args = job->args;
    bool ok = true;
    if ((args->given & (CLI_OPT_ALL | CLI_OPT_FIND | CLI_OPT_PROCESS)) != 0)
        return many(job);
    for (size_t i = args->operand_count > 1 ? 1 : 0; ok && i < args->operand_count; i++) {
        uint64_t ethread;
        if (i > 0 ? !find_thread(job->m, args->operands[i], &ethread)
                  : !default_thread(job, &ethread)) {
            *rc = i > 0 ? CLI_USAGE : CLI_DAMAGED;
            return false;
        }
        ok = write_group(job, &ethread, 1, false);
    }
    return ok;
}

static int stack_memory(const struct cli_args *args, struct cli_memory *m)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    struct job job = {.args = args, .m = m, .out = &out, .stack = calloc(1, sizeof(*job.stack))};
    rc = CLI_INTERNAL;
    bool ok = job.stack != NULL && run_job(&job, &rc);
    if (ok && args->format == CLI_JSON)
        cli_out_string(&out, job.written > 0 ? "\n]\n" : "[]\n");
    free(job.stack);
    return cli_out_close(&out, ok, ok ? CLI_OK : rc);
}

static int stack_run(const struct cli_args *args)
{
    struct cli_memory m;
    unsigned several = args->given & (CLI_OPT_ALL | CLI_OPT_FIND | CLI_OPT_PROCESS);
    bool one = args->operand_count > 1 || (args->given & CLI_OPT_PROCESSOR) != 0;
    if (several != 0 && one)
        return cli_usage_error(&cli_stack, "a thread or processor, or --all, --find, --process");
    if (args->operand_count > 1 && (args->given & CLI_OPT_PROCESSOR) != 0)
        return cli_usage_error(&cli_stack, "--processor names a thread: give one or the other");
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    rc = stack_memory(args, &m);
    cli_memory_close(&m);
    return rc;
}

const struct cli_command cli_stack = {
    .name = "stack",
    .synopsis = "FILE [THREAD...]",
    .summary = "threads and their stacks, as !thread and k show them",
    .detail =
        "THREAD is the address of an ETHREAD, a thread id (decimal, or hexadecimal with 0x), or\n"
        "an expression such as @$thread; without one, the thread of the crash. --all shows the\n"
        "stacks of every thread, equal ones together, the most frequent first (!uniqstack);\n"
        "--process those of one process; --find those with a function or module whose name\n"
        "holds TEXT (!findstack). Each frame has the stack slot that holds its address; a mark\n"
        "says how far to trust it: ~ found by scanning, after a call; ? by scanning, may be a\n"
        "leftover; ! left by a trap. With -v also the address, and how it was found. A stack\n"
        "that is paged out, or that the dump does not hold, says so.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_PROCESS |
               CLI_OPT_KERNEL | CLI_OPT_INFLATED | CLI_OPT_ALL | CLI_OPT_FIND | CLI_OPT_PROCESSOR |
               CLI_OPT_VERBOSE,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 1,
    .operands_max = 4096,
    .run = stack_run,
};
