/* The machine, from the secondary data blobs. */
#include <stdlib.h>
#include <string.h>

#include "dump/cpuid.h"
#include "dump/machine.h"
#include "dump/smbios.h"
#include "report/build.h"

static const char *keep_text(struct ds_builder *b, const char *text)
{
    if (text[0] == '\0')
        return NULL;
    const char *copy = ds_arena_strdup(&b->r->arena, text, strlen(text));
    if (copy == NULL)
        b->no_memory = true;
    return copy;
}

static void build_smbios(struct ds_builder *b)
{
    struct ds_report_system *s = &b->r->system;
    uint8_t *blob;
    size_t size;
    if (ds_dump_blob_load(b->t->dump, DS_SMBIOS_TAG, &blob, &size) != DS_OK)
        return;
    struct ds_smbios m;
    /* A table that ends early still names what came before. */
    enum ds_status status = ds_smbios_decode(blob, size, &m);
    free(blob);
    if (status != DS_OK && m.structures == 0)
        return;
    s->manufacturer = keep_text(b, m.system_manufacturer);
    s->model = keep_text(b, m.system_product);
    s->bios_vendor = keep_text(b, m.bios_vendor);
    s->bios_version = keep_text(b, m.bios_version);
    s->bios_date = keep_text(b, m.bios_release_date);
    s->memory_bytes = m.memory_bytes;
    s->machine.version = keep_text(b, m.system_version);
    s->machine.family = keep_text(b, m.system_family);
    s->machine.sku = keep_text(b, m.system_sku);
    s->machine.board_version = keep_text(b, m.board_version);
    s->machine.chassis = ds_smbios_chassis_name(m.chassis_type);
    s->machine.bios_major = m.bios_major;
    s->machine.bios_minor = m.bios_minor;
    s->machine.uefi = m.uefi;
    struct ds_buf board;
    ds_buf_init(&board, 4096);
    ds_buf_printf(&board, "%s%s%s", m.board_manufacturer,
                  m.board_manufacturer[0] != '\0' && m.board_product[0] != '\0' ? " " : "",
                  m.board_product);
    s->board = ds_build_keep(b->r, &board);
    if (s->cpu == NULL)
        s->cpu = keep_text(b, m.processor_version);
}

static void build_cpu_values(struct ds_builder *b)
{
    struct ds_report_system *s = &b->r->system;
    uint8_t *blob;
    size_t size, pos = 0;
    if (ds_dump_blob_load(b->t->dump, DS_CPU_REGISTRY_TAG, &blob, &size) != DS_OK)
        return;
    struct ds_cpu_value v;
    while (ds_cpu_value_next(blob, size, &pos, &v) == DS_OK) {
        if (s->cpu == NULL && strcmp(v.name, "ProcessorNameString") == 0)
            s->cpu = keep_text(b, v.text);
        if (!s->cpu_mhz.known && strcmp(v.name, "~MHz") == 0)
            s->cpu_mhz = v.number;
    }
    free(blob);
}

static void build_cpuid(struct ds_builder *b)
{
    struct ds_report_system *s = &b->r->system;
    uint8_t *blob;
    size_t size;
    if (ds_dump_blob_load(b->t->dump, DS_CPUID_TAG, &blob, &size) != DS_OK)
        return;
    struct ds_cpuid c;
    if (ds_cpuid_decode(blob, size, &c) == DS_OK) {
        if (s->cpu == NULL)
            s->cpu = keep_text(b, c.brand);
        s->hypervisor_present = c.hypervisor;
        s->hypervisor = keep_text(b, c.hypervisor_vendor);
    }
    free(blob);
}

static void build_machine(struct ds_builder *b)
{
    struct ds_report_machine *out = &b->r->system.machine;
    struct ds_machine *m = ds_arena_alloc(&b->r->arena, 1, sizeof(*m));
    struct ds_machine_id id;
    if (m == NULL) {
        b->no_memory = true;
        return;
    }
    ds_machine_read(b->t->dump, m);
    ds_machine_id_read(b->t->dump, &id);
    out->id = keep_text(b, id.id);
    out->id_basis = id.basis;
    out->id_note = keep_text(b, id.why_not);
    out->is_virtual = ds_virtual_name(m->is_virtual);
    out->platform = m->platform;
    out->firmware_oem = keep_text(b, m->oem);
    out->evidence = ds_arena_alloc(&b->r->arena, m->evidence_count, sizeof(*out->evidence));
    if (out->evidence == NULL) {
        b->no_memory = b->no_memory || m->evidence_count > 0;
        return;
    }
    for (size_t i = 0; i < m->evidence_count; i++)
        out->evidence[i] = (struct ds_report_evidence_of_machine){
            .source = m->evidence[i].source,
            .found = m->evidence[i].found,
            .platform = m->evidence[i].platform,
            .is_virtual = ds_virtual_name(m->evidence[i].says)};
    out->evidence_count = m->evidence_count;
}

void ds_build_hardware(struct ds_builder *b)
{
    build_cpu_values(b);
    build_cpuid(b);
    build_smbios(b);
    build_machine(b);
}
