/* A translation as JSON. */
#include <string.h>

#include "cli/memory.h"
#include "memory/words.h"
#include "nt/spaces.h"

static void put_step(struct ds_json *j, struct cli_memory *m, const struct ds_walk_step *s)
{
    enum ds_paging mode = ds_space_paging(m->space);
    unsigned entry_digits = mode == DS_PAGING_X86 ? 8 : 16;
    char flags[DS_PTE_FLAGS_SIZE] = "";
    bool present = s->entry.known && s->state == DS_PTE_VALID;
    if (present)
        ds_pte_flags_text(mode, s->entry.value, s->level > 0 ? s->level : 1, flags);
    ds_json_object(j);
    ds_json_key_string(j, "name", s->name);
    ds_json_key_unsigned(j, "level", (uint64_t)s->level);
    ds_json_key_hex(j, "entry_address", s->entry_va, m->digits);
    ds_json_key_hex(j, "entry_physical", s->entry_pa, m->phys_digits);
    ds_json_key_hex(j, "contents", s->entry, entry_digits);
    ds_json_key_string(j, "state", ds_pte_state_name(s->state));
    ds_json_key_string(j, "flags", present ? flags : NULL);
    struct ds_opt protection =
        s->entry.known ? ds_pte_protection(mode, s->entry.value, s->state) : s->entry;
    ds_json_key_string(j, "protection",
                       protection.known ? ds_protection_name((unsigned)protection.value) : NULL);
    ds_json_object_end(j);
}

static void put_place(struct ds_json *j, struct cli_memory *m, const struct ds_explanation *e)
{
    struct ds_opt unknown = ds_opt_unknown(e->status), pa = unknown, offset = unknown;
    if (e->status == DS_OK) {
        uint64_t at = ds_dump_phys_offset(m->target->dump, e->pa);
        pa = ds_opt_known(e->pa);
        offset = at != DS_NO_OFFSET ? ds_opt_known(at) : ds_opt_unknown(DS_NOT_IN_DUMP);
    }
    ds_json_key_hex(j, "physical_address", pa, m->phys_digits);
    ds_json_key_opt(j, "page_size", e->status == DS_OK ? ds_opt_known(e->page_size) : unknown);
    ds_json_key_opt(j, "file_offset", offset);
}

static void put_fault(struct ds_json *j, struct cli_memory *m, const struct ds_explanation *e)
{
    struct ds_buf words;
    ds_buf_init(&words, 1u << 12);
    ds_fault_words(ds_space_paging(m->space), &e->fault, m->digits, &words);
    ds_json_key_string(j, "reason", words.len > 0 ? ds_buf_text(&words) : NULL);
    ds_buf_deinit(&words);
    bool file = e->fault.state == DS_PTE_PAGE_FILE;
    struct ds_opt none = ds_opt_unknown(DS_NOT_FOUND);
    bool shared = e->fault.prototype.known;
    ds_json_key_hex(j, "prototype_address", shared ? e->fault.prototype : none, m->digits);
    ds_json_key_opt(j, "page_file", file ? e->fault.page_file : none);
    ds_json_key_opt(j, "page_file_page", file ? e->fault.page_file_offset : none);
}

static void put_vad(struct ds_json *j, struct cli_memory *m, const struct cli_walk *w)
{
    ds_json_key(j, "vad");
    if (!w->has_vad) {
        ds_json_null(j);
        return;
    }
    struct ds_buf file;
    ds_buf_init(&file, 1u << 16);
    bool named = ds_nt_vad_file(m->nt, &w->vad, &file) == DS_OK && file.len > 0;
    ds_json_object(j);
    ds_json_key_hex(j, "address", ds_opt_known(w->vad.vad), m->digits);
    ds_json_key_hex(j, "start", ds_opt_known(w->vad.start), m->digits);
    ds_json_key_hex(j, "end", ds_opt_known(w->vad.end), m->digits);
    ds_json_key_string(j, "type", ds_vad_type_name(&w->vad));
    struct ds_opt p = w->vad.protection;
    ds_json_key_string(j, "protection", p.known ? ds_protection_name((unsigned)p.value) : NULL);
    ds_json_key_string(j, "file", named ? ds_buf_text(&file) : NULL);
    ds_json_object_end(j);
    ds_buf_deinit(&file);
}

void cli_walk_json(struct ds_json *j, struct cli_memory *m, const struct cli_walk *w)
{
    const struct ds_explanation *e = &w->e;
    ds_json_object(j);
    ds_json_key_hex(j, "address", ds_opt_known(w->va), m->digits);
    ds_json_key_hex(j, "eprocess", m->eprocess, m->digits);
    ds_json_key_opt(j, "pid", m->pid);
    ds_json_key_string(j, "process", m->name);
    ds_json_key_string(j, "paging", ds_paging_name(ds_space_paging(m->space)));
    ds_json_key_hex(j, "directory_base", ds_opt_known(ds_space_dtb(m->space)), m->phys_digits);
    ds_json_key_string(j, "status", ds_status_name(e->status));
    ds_json_key_string(j, "state", ds_pte_state_name(e->fault.state));
    put_place(j, m, e);
    put_fault(j, m, e);
    put_vad(j, m, w);
    ds_json_key(j, "steps");
    ds_json_array(j);
    for (unsigned i = 0; i < e->count; i++)
        put_step(j, m, &e->steps[i]);
    ds_json_array_end(j);
    ds_json_object_end(j);
}
