#include "dump_image.h"

static void a_sound_minidump_has_no_notes(void)
{
    struct image m = image_triage64();
    struct ds_dump *d = image_open(&m);
    CHECK(d != NULL);
    if (d != NULL) {
        CHECK_U64(ds_dump_kind(d), DS_DUMP_TRIAGE);
        CHECK_U64(ds_dump_integrity(d)->count, 0);
        image_print_notes(d);
    }
    ds_dump_close(d);
    free(m.p);
}

static void lists_are_read(void)
{
    struct image m = image_triage64();
    struct ds_dump *d = image_open(&m);
    const struct ds_triage *t = ds_dump_triage(d);
    CHECK_U64(t->driver_count, 2);
    CHECK_STR(t->drivers[0].name, "ntoskrnl.exe");
    CHECK_U64(t->drivers[0].base, KERNEL);
    CHECK_U64(t->drivers[0].size, 0x1046000);
    CHECK_U64(t->drivers[0].checksum, 0xa5938c);
    CHECK_U64(t->drivers[0].timestamp, 0xd8333e6);
    CHECK_STR(t->drivers[1].name, "hal.dll");
    CHECK_U64(t->drivers[1].file_offset, T_DRIVERS + 0x90);
    CHECK_U64(t->unloaded_count, 1);
    CHECK_STR(t->unloaded[0].name, "dump_storpor");
    CHECK_U64(t->unloaded[0].end - t->unloaded[0].start, 0xc000);
    CHECK(!t->triage_options.known);
    CHECK(t->valid_marker);
    ds_dump_close(d);
    free(m.p);
}

static void records_are_placed_by_their_pointers(void)
{
    struct image m = image_triage64();
    struct ds_dump *d = image_open(&m);
    const struct ds_triage *t = ds_dump_triage(d);
    CHECK_U64(t->prcb.va.value, PRCB_VA);
    CHECK_U64(t->thread.va.value, THREAD_VA);
    CHECK_U64(t->process.va.value, PROCESS_VA);
    CHECK_U64(t->process.size, 0x80);
    uint8_t b[8];
    CHECK(ds_dump_read_virt(d, PROCESS_VA + 0x28, b, 8, NULL) == DS_OK);
    CHECK_U64(ds_le64(b), 0x1ad000);
    CHECK(ds_dump_read_virt(d, KDBG_VA + 0x10, b, 4, NULL) == DS_OK);
    CHECK(memcmp(b, "KDBG", 4) == 0);
    CHECK(ds_dump_read_virt(d, STACK_VA + 0x28, b, 8, NULL) == DS_OK);
    CHECK_U64(ds_le64(b), 0x4444444444);
    ds_dump_close(d);
    free(m.p);
}

static void a_thread_is_placed_by_its_own_wait_list(void)
{
    struct image m = image_triage64();
    put64(&m, T_PRCB + 8, 0);
    struct ds_dump *d = image_open(&m);
    CHECK(ds_dump_triage(d)->thread.va.known);
    CHECK_U64(ds_dump_triage(d)->thread.va.value, THREAD_VA);
    ds_dump_close(d);
    free(m.p);
}

static void reads_say_where_and_why_they_stop(void)
{
    struct image m = image_triage64();
    put32(&m, T_BLOCKS + 3 * 16 + 12, 0x100000); /* the block of 'x' now reaches past the end */
    struct ds_dump *d = image_open(&m);
    uint8_t b[64];
    uint64_t fault = 0;
    CHECK(ds_dump_read_virt(d, X_VA + 0x10, b, 4, &fault) == DS_OK && b[0] == 'x');
    uint64_t cut = X_VA + (T_END - (T_DATA + 0x4f8));
    CHECK_U64(ds_dump_read_virt(d, cut - 4, b, 8, &fault), DS_TRUNCATED);
    CHECK_U64(fault, cut);
    CHECK_U64(ds_dump_read_virt(d, X_VA - 4, b, 8, &fault), DS_NOT_IN_DUMP);
    CHECK_U64(fault, X_VA - 4);
    CHECK_U64(ds_dump_read_virt(d, UINT64_MAX - 2, b, 8, &fault), DS_NOT_IN_DUMP);
    CHECK(image_note(d, "triage.block_outside") != NULL);
    ds_dump_close(d);
    free(m.p);
}

static void ranges_can_be_added_later(void)
{
    struct image m = image_triage64();
    struct ds_dump *d = image_open(&m);
    uint8_t b[4];
    CHECK(ds_dump_read_virt(d, 0xffffbbbb00000000u, b, 4, NULL) == DS_NOT_IN_DUMP);
    CHECK(ds_dump_virt_range_add(d, 0xffffbbbb00000000u, T_DATA + 0x4f8, 0x10, "late") == DS_OK);
    CHECK(ds_dump_read_virt(d, 0xffffbbbb00000000u, b, 4, NULL) == DS_OK);
    CHECK(memcmp(b, "xxxx", 4) == 0);
    size_t n = ds_dump_virt_range_count(d);
    CHECK_STR(ds_dump_virt_range(d, n - 1)->origin, "late");
    CHECK(ds_dump_virt_range(d, n) == NULL);
    ds_dump_close(d);
    free(m.p);
}

/* One changed field, and the note that must name it. */
struct flip {
    uint32_t at;
    uint32_t value;
    const char *check;
    enum ds_integrity_level level;
};

#define DAMAGE DS_INTEGRITY_DAMAGE
#define NOTE DS_INTEGRITY_NOTE

static const struct flip flips[] = {
    {0x00, 0x45474151, "header.signature", DAMAGE},
    {0x04, 0x34365545, "header.signature", DAMAGE},
    {0x0c, 19042, "header.minor_version", DAMAGE},
    {0x0c, 7, "header.minor_version", DAMAGE},
    {0x10, 0x1ae000, "header.dtb", NOTE},
    {0x20, 0x00000398, "header.ps_loaded_module_list", DAMAGE},
    {0x2c, 0x00fff800, "header.ps_active_process_head", DAMAGE},
    {0x30, 0x8665, "header.machine", DAMAGE},
    {0x30, 0xaa64, "header.machine", DAMAGE},
    {0x34, 0, "header.processor_count", DAMAGE},
    {0x34, 3, "header.processor_count", DAMAGE},
    {0x34, 5000, "header.processor_count", DAMAGE},
    {0x38, 0xd2, "header.bugcheck", DAMAGE},
    {0x48, 1, "header.bugcheck", DAMAGE},
    {0x58, 1, "header.bugcheck", NOTE},
    {0x84, 0xfffff900, "triage.kernel_entry", DAMAGE},
    {0x378, 0x20000f, "context.flags", DAMAGE},
    {0x348 + 0xf8, 0x4001, "context.differs", DAMAGE},
    {0xf00, 0x80000004, "exception.record", NOTE},
    {0xf10, 0x123, "exception.record", NOTE},
    {0xf98, 5, "header.dump_type", DAMAGE},
    {0xf98, 0x45474150, "header.dump_type", DAMAGE},
    {0xfac, 0x7fffffff, "header.system_time", NOTE},
    {0x1034, 0x7fffffff, "header.system_up_time", NOTE},
    {0x1048, 0xc000009a, "header.writer_status", DAMAGE},
    {0x1050, 0x4, "header.insufficient_dump_file", DAMAGE},
    {0x1050, 0x100, "header.encrypted", DS_INTEGRITY_FATAL},
    {0x1050, 0x45474151, "header.filler", NOTE},
    {0x2000, 1, "triage.service_pack_build", NOTE},
    {0x2004, 0x9999, "triage.size_of_dump", DAMAGE},
    {0x2004, 0x9999, "file.truncated", DAMAGE},
    {0x2008, 0x2000, "triage.valid_marker", DAMAGE},
    {0x200c, 0x349, "triage.context_offset", DAMAGE},
    {0x2010, 0xf01, "triage.exception_offset", DAMAGE},
    {0x2014, 0x20a0, "triage.record_gap", NOTE},
    {0x2018, 0x2400, "triage.record_overlap", DAMAGE},
    {0x201c, 0x9900, "triage.record_outside", DAMAGE},
    {0x201c, 0, "triage.record_absent", NOTE},
    {0x2028, 0x2330, "triage.record_gap", NOTE},
    {0x202c, 0x300, "triage.record_overlap", DAMAGE},
    {0x2030, 0x2898, "triage.driver_stride", DAMAGE},
    {0x2034, 0, "triage.driver_count", DAMAGE},
    {0x2034, 3, "triage.driver_stride", DAMAGE},
    {0x2034, 0x40000000, "triage.driver_count", DAMAGE},
    {0x2038, 0x29d0, "triage.driver_name", DAMAGE},
    {0x203c, 0x10, "triage.driver_name", DAMAGE},
    {0x2040, 0x77, "triage.broken_driver_offset", NOTE},
    {0x2044, 0x141, "triage.overflow", NOTE},
    {0x2048, 0x00001e01, "triage.top_of_stack", DAMAGE},
    {0x2048, 0x00002e00, "triage.top_of_stack", NOTE},
    {0x206c, 0x100, "triage.data_page", NOTE},
    {0x2070, 0x2518, "debugger_data.tag", DAMAGE},
    {0x2074, 0x388, "debugger_data.size", DAMAGE},
    {0x2078, 0x2a00, "triage.record_gap", NOTE},
    {0x207c, 0x40000000, "triage.block_limit", DAMAGE},
    {T_UNLOADED, 51, "triage.unloaded_count", DAMAGE},
    {T_UNLOADED + 8, 0x00180010, "triage.unloaded_entry", NOTE},
    {T_PRCB + 0x24, 9, "header.processor_count", DAMAGE},
    {T_KDBG + 0x10, 0x4742444c, "debugger_data.tag", DAMAGE},
    {T_KDBG + 0x18, 0x10000, "debugger_data.kern_base", DAMAGE},
    {T_KDBG + 0x48, 0x398, "header.ps_loaded_module_list", DAMAGE},
    {T_KDBG + 0xc0, 0x508, "header.pfn_database", NOTE},
    {T_KDBG + 0x214, 0xfffff900, "debugger_data.pointer", NOTE},
    {T_DRIVERS, 0x10, "triage.driver_name", DAMAGE},
    {T_DRIVERS + 0x38, 0x10, "triage.driver_entry", DAMAGE},
    {T_DRIVERS + 0x48, 0x100, "triage.kernel_entry", DAMAGE},
    {T_DRIVERS + 0x48, 0x3000000, "triage.driver_overlap", DAMAGE},
    {T_DRIVERS + 0x90 + 0x48, 0, "triage.driver_entry", DAMAGE},
    {T_POOL, 13, "triage.driver_name", DAMAGE},
    {T_POOL, 11, "triage.driver_name_end", NOTE},
    {T_BLOCKS + 8, 0x100, "triage.block_misplaced", DAMAGE},
    {T_BLOCKS + 16 + 8, T_DATA + 0x30, "triage.block_order", NOTE},
    {T_BLOCKS + 4, 0x12345678, "triage.block_address", NOTE},
    {T_BLOCKS + 3 * 16 + 12, 0, "triage.block_empty", NOTE},
    {T_BLOCKS + 3 * 16 + 12, 0xfffffff0, "triage.block_outside", DAMAGE},
    {T_VALID, 0, "triage.valid_marker", DAMAGE},
    {T_BLOB, 0, "file.leftover_tail", NOTE},
    {T_BLOB + 8, 17, "blob.file_header", DAMAGE},
    {T_BLOB + 12, 0xf0000001, "blob.build", DAMAGE},
    {T_BLOB + 16, 33, "file.leftover_tail", NOTE},
    {T_BLOB + 16 + 20, 0x1000, "blob.past_end", DAMAGE},
};

static void every_changed_field_is_named(void)
{
    for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
        struct image m = image_triage64();
        put32(&m, flips[i].at, flips[i].value);
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        if (d == NULL)
            continue;
        const struct ds_integrity *in = ds_dump_integrity(d);
        bool found = false;
        for (size_t k = 0; k < in->count; k++)
            found = found || (strcmp(in->notes[k].check, flips[i].check) == 0 &&
                              in->notes[k].level == flips[i].level && in->notes[k].found[0] &&
                              in->notes[k].expected[0] && in->notes[k].lost[0]);
        if (!found) {
            printf("    0x%x = 0x%x is not named %s\n", flips[i].at, flips[i].value,
                   flips[i].check);
            image_print_notes(d);
        }
        CHECK(found);
        ds_dump_close(d);
        free(m.p);
    }
}

static void every_truncation_is_named(void)
{
    struct image m = image_triage64();
    size_t whole = m.size;
    for (m.size = 8; m.size < whole; m.size += 4) {
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        if (d == NULL)
            break;
        /* Only the blobs' own boundaries look complete. */
        bool boundary =
            m.size == T_BLOB + 16 || m.size == T_BLOB + 16 + 32 + 0x40 || m.size == T_BLOB;
        if (!boundary && ds_integrity_worst(ds_dump_integrity(d)) < DAMAGE) {
            printf("    cut at 0x%zx\n", m.size);
            CHECK(!"unnamed");
        }
        ds_dump_close(d);
    }
    free(m.p);
}

static void a_zeroed_tail_and_a_hole_are_named(void)
{
    struct image m = image_header64(4, 0x60000);
    struct image t = image_triage64();
    memcpy(m.p, t.p, T_VALID);
    free(t.p);
    put32(&m, 0x2004, 0x50004);
    put32(&m, 0x2008, 0x50000);
    memset(m.p + T_VALID, 'y', 0x50000 - T_VALID);
    memcpy(m.p + 0x50000, "TRGD", 4);
    memset(m.p + 0x18000, 0, 0x10000);
    struct ds_dump *d = image_open(&m);
    const struct ds_integrity_note *n = image_note(d, "file.zeroed_block");
    CHECK(n != NULL);
    if (n != NULL)
        CHECK_U64(n->offset, 0x18000);
    CHECK(image_note(d, "file.zeroed_tail") == NULL);
    ds_dump_close(d);
    memset(m.p + 0x30000, 0, m.size - 0x30000);
    d = image_open(&m);
    n = image_note(d, "file.zeroed_tail");
    CHECK(n != NULL);
    if (n != NULL)
        CHECK_U64(n->offset, 0x30000);
    ds_dump_close(d);
    free(m.p);
}

static void blobs_are_listed_with_their_pads(void)
{
    struct image m = image_triage64();
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_blob_count(d), 2);
    CHECK_STR(ds_dump_blob(d, 0)->tag, "bc5c008f-0000-0000-0000-000000000000");
    CHECK_U64(ds_dump_blob(d, 0)->file_offset, T_BLOB + 48);
    CHECK_U64(ds_dump_blob(d, 1)->size, 6);
    CHECK_U64(ds_dump_blob(d, 1)->file_offset, T_BLOB + 48 + 0x40 + 32 + 2);
    CHECK(ds_dump_blob(d, 2) == NULL);
    uint8_t *p = NULL;
    size_t n = 0;
    CHECK(ds_dump_blob_load(d, "nothing", &p, &n) == DS_NOT_FOUND);
    CHECK(ds_dump_blob_load(d, ds_dump_blob(d, 0)->tag, &p, &n) == DS_OK && n == 0x40);
    free(p);
    ds_dump_close(d);
    free(m.p);
}

static void leftovers_behind_the_blobs_are_counted(void)
{
    struct image m = image_triage64();
    m.p = realloc(m.p, m.size + 100);
    memset(m.p + m.size, 'j', 100);
    m.size += 100;
    put64(&m, 0xfa0, m.size);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_leftover_bytes(d), 100);
    CHECK(image_note(d, "file.leftover_tail") != NULL);
    CHECK_U64(ds_integrity_worst(ds_dump_integrity(d)), NOTE);
    ds_dump_close(d);
    free(m.p);
}

static void a_long_tail_is_zero_only_as_far_as_it_was_read(void)
{
    const size_t tail = (2u << 20) + 7;
    struct image m = image_triage64();
    m.p = realloc(m.p, m.size + tail);
    memset(m.p + m.size, 0, tail);
    m.size += tail;
    m.p[m.size - 1] = 's'; /* as private as any other byte, behind all that is looked at */
    put64(&m, 0xfa0, m.size);
    struct ds_dump *d = image_open(&m);
    CHECK_U64(ds_dump_leftover_bytes(d), tail);
    CHECK(strstr(image_note(d, "file.leftover_tail")->found, "not looked at") != NULL);
    ds_dump_close(d);
    m.size -= tail - 5000; /* short enough to be read whole */
    put64(&m, 0xfa0, m.size);
    d = image_open(&m);
    CHECK_U64(ds_dump_leftover_bytes(d), 0);
    CHECK(strstr(image_note(d, "file.leftover_tail")->found, "all zero") != NULL);
    ds_dump_close(d);
    free(m.p);
}

static void many_overlapping_blocks_stay_quick(void)
{
    const uint32_t count = 262144, table = 0x4000;
    struct image t = image_triage64(), m = {calloc(1, table + 16 * count), table + 16 * count};
    memcpy(m.p, t.p, t.size);
    free(t.p);
    put32(&m, 0x2078, table);
    put32(&m, 0x207c, count);
    for (uint32_t i = 0; i < count; i++) {
        put64(&m, table + 16 * i, X_VA + (uint64_t)(i * 2654435761u % 1048576));
        put32(&m, table + 16 * i + 8, 0x2000 + i % 4096);
        put32(&m, table + 16 * i + 12, 1 + i * 40503u % 0x100000);
    }
    struct ds_dump *d = image_open(&m);
    CHECK(d != NULL);
    uint8_t b[16];
    size_t ok = 0;
    for (uint32_t i = 0; d != NULL && i < 200000; i++)
        ok += ds_dump_read_virt(d, X_VA + i * 5, b, 1, NULL) == DS_OK;
    CHECK(ok > 100000);
    ds_dump_close(d);
    free(m.p);
}

TEST_MAIN(TEST(a_sound_minidump_has_no_notes), TEST(lists_are_read),
          TEST(records_are_placed_by_their_pointers), TEST(a_thread_is_placed_by_its_own_wait_list),
          TEST(reads_say_where_and_why_they_stop), TEST(ranges_can_be_added_later),
          TEST(every_changed_field_is_named), TEST(every_truncation_is_named),
          TEST(a_zeroed_tail_and_a_hole_are_named), TEST(blobs_are_listed_with_their_pads),
          TEST(leftovers_behind_the_blobs_are_counted),
          TEST(a_long_tail_is_zero_only_as_far_as_it_was_read),
          TEST(many_overlapping_blocks_stay_quick))
