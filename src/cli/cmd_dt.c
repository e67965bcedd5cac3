/* `dumpscan dt FILE TYPE [ADDRESS]`: a structure, member by member. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/dt.h"

#define TEXT_MAX (16u << 20) /* bytes of one listing */

struct job {
    struct cli_memory *m;
    const struct ds_layout *layout;
    bool has_address, json;
    unsigned depth; /* levels below the first that are shown */
    struct ds_buf out;
    struct ds_json j;
    size_t members, unreadable;
};

/* ---- one member ---- */

static void text_value(struct job *job, const struct ds_member *m, const struct dt_value *v)
{
    struct ds_buf *b = &job->out;
    if (v->status != DS_OK && v->status != DS_UNSUPPORTED) {
        ds_buf_printf(b, " ?? (%s)", ds_status_text(v->status));
        return;
    }
    if (v->count == 2 && strcmp(m->base, "_LIST_ENTRY") == 0 && !m->is_array) {
        ds_buf_str(b, " [ ");
        cli_put_va(job->m, b, v->items[0]);
        ds_buf_str(b, " - ");
        cli_put_va(job->m, b, v->items[1]);
        ds_buf_str(b, " ]");
        return;
    }
    for (size_t i = 0; i < v->count && !v->is_text; i++) {
        ds_buf_char(b, ' ');
        if (m->kind == DS_MEMBER_POINTER)
            cli_put_va(job->m, b, v->items[i]);
        else if (m->field.is_signed && (int64_t)v->items[i] < 0)
            ds_buf_printf(b, "0n%lld", (long long)v->items[i]);
        else
            ds_buf_printf(b, "0x%llx", (unsigned long long)v->items[i]);
    }
    if (m->count > v->count && v->count > 0 && !v->is_text)
        ds_buf_printf(b, " ... %lu more", (unsigned long)(m->count - v->count));
    if (v->words.len > 0 || v->is_text) {
        ds_buf_str(b, v->is_text ? " \"" : " (");
        ds_text_for_terminal(b, ds_buf_text(&v->words));
        ds_buf_str(b, v->is_text ? "\"" : ")");
    }
}

static void text_member(struct job *job, const struct ds_member *m, const struct dt_value *v,
                        unsigned level, uint32_t base)
{
    ds_buf_printf(&job->out, "%*s+0x%03lx %-24s %c %s", (int)(3 + level * 3), "",
                  (unsigned long)base + m->field.offset, m->name, m->field.unverified ? '?' : ':',
                  m->type);
    if (v != NULL)
        text_value(job, m, v);
    ds_buf_char(&job->out, '\n');
}

static void json_value(struct job *job, const struct ds_member *m, const struct dt_value *v)
{
    struct ds_json *j = &job->j;
    bool one = v->count == 1 && !m->is_array;
    ds_json_key(j, "value");
    if (one) {
        ds_json_hex(j, v->items[0], m->kind == DS_MEMBER_POINTER ? job->m->digits : 1);
    } else if (v->count > 0) {
        ds_json_array(j);
        for (size_t i = 0; i < v->count; i++)
            ds_json_hex(j, v->items[i],
                        m->kind == DS_MEMBER_INTEGER ? m->element * 2 : job->m->digits);
        ds_json_array_end(j);
    } else {
        ds_json_null(j);
    }
    ds_json_key_string(j, "text", v->words.len > 0 || v->is_text ? ds_buf_text(&v->words) : NULL);
    bool failed = v->status != DS_OK && v->status != DS_UNSUPPORTED;
    ds_json_key_string(j, "error", failed ? ds_status_name(v->status) : NULL);
}

static void json_member(struct job *job, const struct ds_member *m, const struct dt_value *v,
                        uint32_t base)
{
    struct ds_json *j = &job->j;
    struct ds_opt none = ds_opt_unknown(DS_OK);
    bool bits = m->field.bit_len != 0;
    ds_json_key_string(j, "name", m->name);
    ds_json_key_unsigned(j, "offset", (uint64_t)base + m->field.offset);
    ds_json_key_opt(j, "size", m->field.size != 0 ? ds_opt_known(m->field.size) : none);
    ds_json_key_string(j, "type", m->type);
    ds_json_key_opt(j, "bit_position", bits ? ds_opt_known(m->field.bit_pos) : none);
    ds_json_key_opt(j, "bit_length", bits ? ds_opt_known(m->field.bit_len) : none);
    ds_json_key_bool(j, "unverified", m->field.unverified);
    if (v != NULL)
        json_value(job, m, v);
}

/* ---- structures ---- */

static bool put_members(struct job *job, const char *type, const char *pattern, uint64_t va,
                        unsigned level, uint32_t base);

static bool put_member(struct job *job, const char *type, const struct ds_member *m, uint64_t va,
                       unsigned level, uint32_t base)
{
    struct dt_value value;
    bool inner = m->kind == DS_MEMBER_STRUCT && !m->is_array && level < job->depth;
    if (++job->members > DS_LIMIT_DT_MEMBERS)
        return false;
    if (job->has_address) {
        dt_read(job->m, type, m, va, &value);
        job->unreadable += value.status != DS_OK && value.status != DS_UNSUPPORTED;
    }
    const struct dt_value *v = job->has_address ? &value : NULL;
    if (job->json) {
        ds_json_object(&job->j);
        json_member(job, m, v, base);
        if (inner)
            ds_json_key(&job->j, "members");
    } else {
        text_member(job, m, v, level, base);
    }
    if (job->has_address)
        ds_buf_deinit(&value.words);
    bool ok = true;
    if (inner)
        ok = put_members(job, m->base, NULL, va + m->field.offset, level + 1,
                         base + m->field.offset);
    if (job->json)
        ds_json_object_end(&job->j);
    return ok;
}

/* Offsets are given from the outermost structure on. False at the cap, or without memory. */
static bool put_members(struct job *job, const char *type, const char *pattern, uint64_t va,
                        unsigned level, uint32_t base)
{
    struct dt_members all;
    bool ok = dt_members_of(job->layout, type, pattern, &all) != DS_NO_MEMORY;
    if (job->json)
        ds_json_array(&job->j);
    for (size_t i = 0; ok && i < all.count; i++)
        ok = put_member(job, type, &all.rows[i], va, level, base);
    if (job->json)
        ds_json_array_end(&job->j);
    free(all.rows);
    return ok;
}

/* ---- what is asked for ---- */

/* A structure and which of its members; `base` is its place in the outermost one. */
struct wanted {
    char type[DS_MEMBER_TYPE_SIZE];
    char outer[DS_MEMBER_TYPE_SIZE];
    char pattern[256]; /* "" = all */
    uint32_t base;
};

static bool has_type(const struct ds_layout *l, const char *name)
{
    uint32_t size;
    struct dt_members any;
    bool found = ds_layout_size(l, name, &size) == DS_OK ||
                 (dt_members_of(l, name, "", &any) == DS_OK && (free(any.rows), true));
    return found;
}

/* One step of TYPE.Member.Member: into the structure that the only member of that name is. */
static bool step_into(struct job *job, struct wanted *w, const char *name)
{
    struct dt_members found;
    if (dt_members_of(job->layout, w->type, name, &found) != DS_OK)
        return false;
    bool ok = found.count == 1 && found.rows[0].kind == DS_MEMBER_STRUCT && !found.rows[0].is_array;
    if (ok) {
        (void)snprintf(w->type, sizeof(w->type), "%s", found.rows[0].base);
        w->base += found.rows[0].field.offset;
    }
    free(found.rows);
    return ok;
}

/*
 * What follows the type: members that fit as they are (those of unnamed structures have dots in
 * their names), else through the member before the first dot. False when there is none.
 */
static bool follow_path(struct job *job, const char *path, struct wanted *w)
{
    for (unsigned level = 0; level < DS_LIMIT_DT_DEPTH && *path != '\0'; level++) {
        struct dt_members found;
        char first[DS_MEMBER_TYPE_SIZE];
        size_t len = strcspn(path, ".");
        enum ds_status status = dt_members_of(job->layout, w->type, path, &found);
        free(found.rows);
        if (status == DS_OK && found.count > 0) {
            (void)snprintf(w->pattern, sizeof(w->pattern), "%s", path);
            return true;
        }
        if (path[len] == '\0' || len >= sizeof(first))
            return false;
        memcpy(first, path, len);
        first[len] = '\0';
        if (!step_into(job, w, first))
            return false;
        path += len + 1;
    }
    return *path == '\0';
}

/* "nt!_KTHREAD.Wait*": only the kernel's types have layouts; the leading "_" may be missing. */
static bool parse_type(struct job *job, const char *word, struct wanted *w)
{
    const char *mark = strchr(word, '!');
    *w = (struct wanted){0};
    if (mark != NULL && (mark - word != 2 || strncmp(word, "nt", 2) != 0)) {
        cli_error_message(NULL, "'%s': only the kernel's structures are known: nt!_TYPE", word);
        return false;
    }
    word = mark != NULL ? mark + 1 : word;
    size_t len = strcspn(word, ".");
    if (len == 0 || len > 100 || strlen(word) > 200) {
        cli_error_message(NULL, "'%.60s' is no name of a structure", word);
        return false;
    }
    (void)snprintf(w->type, sizeof(w->type), "%.*s", (int)len, word);
    if (!has_type(job->layout, w->type))
        (void)snprintf(w->type, sizeof(w->type), "_%.*s", (int)len, word);
    (void)snprintf(w->outer, sizeof(w->outer), "%s", w->type);
    if (!has_type(job->layout, w->type)) {
        cli_error_message(NULL,
                          "no structure '%.100s' is in the layout in use (%s): give --symbols, or "
                          "look with '*' for its name",
                          word, ds_layout_source(job->layout));
        return false;
    }
    if (word[len] == '.' && !follow_path(job, word + len + 1, w)) {
        cli_error_message(NULL, "%.100s has no member '%.100s'", w->outer, word + len + 1);
        return false;
    }
    return true;
}

/* A member that is a structure is what was asked for: its members are. */
static bool one_struct(struct job *job, const struct wanted *w)
{
    struct dt_members found;
    bool one =
        w->pattern[0] != '\0' && dt_members_of(job->layout, w->type, w->pattern, &found) == DS_OK;
    if (!one)
        return false;
    one = found.count == 1 && found.rows[0].kind == DS_MEMBER_STRUCT && !found.rows[0].is_array;
    free(found.rows);
    return one;
}

static void put_head(struct job *job, const struct wanted *w, uint64_t va)
{
    const struct ds_target *t = job->m->target;
    const char *trust = ds_trust_name(ds_layout_trust(job->layout));
    uint32_t size = 0;
    bool sized = ds_layout_size(job->layout, w->outer, &size) == DS_OK;
    if (job->json) {
        ds_json_key_string(&job->j, "type", w->outer);
        ds_json_key_opt(&job->j, "size", sized ? ds_opt_known(size) : ds_opt_unknown(DS_NO_FIELD));
        ds_json_key_hex(&job->j, "address",
                        job->has_address ? ds_opt_known(va) : ds_opt_unknown(DS_OK),
                        job->m->digits);
        ds_json_key_string(&job->j, "layout", ds_layout_source(job->layout));
        ds_json_key_string(&job->j, "trust", trust);
        ds_json_key_bool(&job->j, "proven", !t->layout_unproven);
        return;
    }
    ds_buf_str(&job->out, w->outer);
    if (job->has_address) {
        ds_buf_str(&job->out, " at ");
        cli_put_va(job->m, &job->out, va);
    }
    if (sized)
        ds_buf_printf(&job->out, ", 0x%lx bytes", (unsigned long)size);
    ds_buf_printf(&job->out, ", by %s (trust: %s)\n", ds_layout_source(job->layout), trust);
    if (t->layout_unproven)
        ds_buf_str(&job->out, "   (another build's layout, which this dump does not bear out)\n");
}

static bool put_struct(struct job *job, const struct wanted *w, uint64_t va)
{
    if (job->depth == 0 && one_struct(job, w))
        job->depth = 1;
    if (job->json)
        ds_json_object(&job->j);
    put_head(job, w, va);
    if (job->json)
        ds_json_key(&job->j, "members");
    bool ok = put_members(job, w->type, w->pattern[0] != '\0' ? w->pattern : NULL, va + w->base, 0,
                          w->base);
    if (job->json) {
        ds_json_key_bool(&job->j, "complete", ok);
        ds_json_object_end(&job->j);
    } else if (!ok) {
        ds_buf_printf(&job->out, "   (cut after %u members)\n", DS_LIMIT_DT_MEMBERS);
    } else if (job->members == 0) {
        ds_buf_str(&job->out, "   (none of its members is known)\n");
    }
    return ds_buf_ok(&job->out);
}

/* ---- names with wildcards ---- */

struct names {
    struct job *job;
    const char *pattern;
    size_t count;
};

static bool put_type(const char *name, uint32_t size, void *arg)
{
    struct names *n = arg;
    if (!dt_fits(n->pattern, name))
        return true;
    n->count++;
    if (n->job->json) {
        ds_json_object(&n->job->j);
        ds_json_key_string(&n->job->j, "type", name);
        ds_json_key_opt(&n->job->j, "size",
                        size != 0 ? ds_opt_known(size) : ds_opt_unknown(DS_NO_FIELD));
        ds_json_object_end(&n->job->j);
    } else if (size != 0) {
        ds_buf_printf(&n->job->out, "   %-40s 0x%lx bytes\n", name, (unsigned long)size);
    } else {
        ds_buf_printf(&n->job->out, "   %-40s size not known\n", name);
    }
    return ds_buf_ok(&n->job->out);
}

static bool put_types(struct job *job, const char *pattern)
{
    struct names n = {.job = job, .pattern = pattern};
    if (strncmp(pattern, "nt!", 3) == 0)
        n.pattern += 3;
    if (job->json)
        ds_json_array(&job->j);
    ds_layout_types(job->layout, put_type, &n);
    if (job->json)
        ds_json_array_end(&job->j);
    if (n.count == 0)
        cli_error_message(NULL, "no structure fits '%.100s' in %s", pattern,
                          ds_layout_source(job->layout));
    return n.count > 0 && ds_buf_ok(&job->out);
}

/* ---- the command ---- */

static int dt_listing(const struct cli_args *args, struct job *job)
{
    struct wanted w;
    uint64_t va = 0;
    bool wild = strpbrk(args->operands[1], "*?") != NULL && strchr(args->operands[1], '.') == NULL;
    if (wild && job->has_address) {
        cli_error_message(NULL, "an address goes with one structure, not with '%.100s'",
                          args->operands[1]);
        return CLI_USAGE;
    }
    if (wild)
        return put_types(job, args->operands[1]) ? CLI_OK : CLI_USAGE;
    if (!parse_type(job, args->operands[1], &w) ||
        (job->has_address && !cli_address(job->m, args->operands[2], &va)))
        return CLI_USAGE;
    if (!put_struct(job, &w, va)) {
        cli_error_message(NULL, "out of memory, or more than %u MiB of text", TEXT_MAX >> 20);
        return CLI_INTERNAL;
    }
    return CLI_OK;
}

static int dt_write(const struct cli_args *args, struct job *job)
{
    struct cli_out out;
    int rc = cli_out_open(args, &out);
    if (rc != CLI_OK)
        return rc;
    ds_buf_init(&job->out, TEXT_MAX);
    ds_json_init(&job->j, &job->out, args->format == CLI_JSON);
    rc = dt_listing(args, job);
    if (rc == CLI_OK && job->json)
        ds_buf_char(&job->out, '\n');
    if (rc == CLI_OK)
        cli_out_write(&out, ds_buf_text(&job->out), job->out.len);
    ds_buf_deinit(&job->out);
    return cli_out_close(&out, rc == CLI_OK, rc);
}

static int dt_run(const struct cli_args *args)
{
    struct cli_memory m;
    if (args->depth > DS_LIMIT_DT_DEPTH)
        return cli_usage_error(&cli_dt, "--depth is at most %u", DS_LIMIT_DT_DEPTH);
    int rc = cli_memory_open(args, &m);
    if (rc != CLI_OK)
        return rc;
    struct job job = {.m = &m,
                      .layout = m.target->layout,
                      .has_address = args->operand_count > 2,
                      .json = args->format != CLI_TEXT,
                      .depth = (unsigned)args->depth};
    if (job.layout == NULL) {
        cli_error_message(args->operands[0],
                          "no layout of the kernel's structures is known for this dump");
        rc = CLI_DAMAGED;
    } else {
        rc = dt_write(args, &job);
    }
    cli_memory_close(&m);
    return rc;
}

const struct cli_command cli_dt = {
    .name = "dt",
    .synopsis = "FILE TYPE [ADDRESS]",
    .summary = "a kernel structure, member by member, as dt shows it",
    .detail =
        "TYPE is the name of a structure (_KTHREAD, nt!_KTHREAD, KTHREAD), also with members\n"
        "(_KTHREAD.Wait*, _ETHREAD.Tcb.Header.); with * or ? in its own name it lists the\n"
        "structures that fit. ADDRESS is as for vtop; without it only the layout is shown.\n"
        "-r goes N levels into structures within it. The first line says where the layout is\n"
        "from and how far it is to be trusted; '?' instead of ':' marks a member that was carried\n"
        "over from another build. What cannot be read says why.",
    .options = CLI_OPT_FORMAT | CLI_OPT_OUTPUT | CLI_OPT_SYMBOLS | CLI_OPT_PROCESS |
               CLI_OPT_INFLATED | CLI_OPT_KERNEL | CLI_OPT_DEPTH,
    .formats = CLI_TEXT | CLI_JSON | CLI_JSONL,
    .operands_min = 2,
    .operands_max = 3,
    .run = dt_run,
};
