/* The member "dump": the container and its header. */
#include "dump/dump.h"
#include "report/header.h"
#include "report/json_parts.h"

static void json_header_numbers(struct ds_json *j, const struct ds_dump_header *h)
{
    unsigned digits = h->is64 ? 16 : 8;
    ds_json_key_hex(j, "dump_type", h->dump_type, 8);
    ds_json_key_opt(j, "major_version", h->major_version);
    ds_json_key_opt(j, "minor_version", h->minor_version);
    ds_json_key_opt(j, "processor_count", h->processor_count);
    ds_json_key_time(j, "time", h->system_time);
    ds_json_key_opt(j, "uptime_ticks", h->system_up_time);
    ds_json_key_opt(j, "product_type", h->product_type);
    ds_json_key_hex(j, "directory_table_base", h->dtb, digits);
    ds_json_key_hex(j, "pfn_database", h->pfn_database, digits);
    ds_json_key_hex(j, "ps_loaded_module_list", h->ps_loaded_module_list, digits);
    ds_json_key_hex(j, "ps_active_process_head", h->ps_active_process_head, digits);
    ds_json_key_hex(j, "kd_debugger_data_block", h->kd_debugger_data_block, digits);
    ds_json_key_opt(j, "required_dump_space", h->required_dump_space);
    ds_json_key_hex(j, "mini_dump_fields", h->mini_dump_fields, 8);
    ds_json_key_hex(j, "secondary_data_state", h->secondary_data_state, 8);
    ds_json_key_hex(j, "writer_status", h->writer_status, 8);
    ds_json_key_hex(j, "attributes", h->attributes, 8);
    ds_json_key(j, "attribute_names");
    if (h->attributes.known) {
        ds_json_array(j);
        for (unsigned bit = 0; bit < 32; bit++)
            if (h->attributes.value >> bit & 1 && ds_header_attribute(bit) != NULL)
                ds_json_string(j, ds_header_attribute(bit));
        ds_json_array_end(j);
    } else {
        ds_json_null(j);
    }
    ds_json_key_opt(j, "boot_id", h->boot_id);
    ds_json_key_opt(j, "pae_enabled", h->pae_enabled);
    ds_json_key_string(j, "comment", h->comment[0] != '\0' ? h->comment : NULL);
    ds_json_key_string(j, "version_user", h->version_user[0] != '\0' ? h->version_user : NULL);
}

static void json_blobs(struct ds_json *j, const struct ds_report_dump *d)
{
    ds_json_key(j, "secondary_blobs");
    ds_json_array(j);
    for (size_t i = 0; i < d->blob_count; i++) {
        ds_json_object(j);
        ds_json_key_string(j, "tag", d->blobs[i].tag);
        ds_json_key_string(j, "name", d->blobs[i].name);
        ds_json_key_string(j, "summary", d->blobs[i].summary);
        ds_json_key_hex(j, "file_offset", ds_opt_known(d->blobs[i].file_offset), 16);
        ds_json_key_unsigned(j, "size", d->blobs[i].size);
        ds_json_key_unsigned(j, "captured", d->blobs[i].captured);
        ds_json_key_string(j, "preview", d->blobs[i].preview);
        ds_json_key_string(j, "preview_text", d->blobs[i].preview_text);
        ds_json_object_end(j);
    }
    ds_json_array_end(j);
}

void ds_json_part_dump(struct ds_json *j, const struct ds_report *r)
{
    const struct ds_report_dump *d = &r->dump;
    ds_json_key(j, "dump");
    ds_json_object(j);
    ds_json_key_string(j, "file", r->file);
    ds_json_key_unsigned(j, "file_size", d->file_size);
    ds_json_key_string(j, "kind", d->kind);
    ds_json_key_string(j, "kind_text", d->kind_text);
    ds_json_key_string(j, "architecture", d->arch);
    ds_json_key_hex(j, "machine", d->machine, 4);
    ds_json_key_bool(j, "is_64bit", d->is64);
    ds_json_key_bool(j, "live", d->live);
    if (d->header != NULL)
        json_header_numbers(j, d->header);
    ds_json_key_opt(j, "physical_pages", d->physical_pages);
    ds_json_key_opt(j, "leftover_bytes", d->leftover_bytes);
    json_blobs(j, d);
    ds_json_object_end(j);
}
