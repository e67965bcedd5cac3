/* The published minidumps in the reference material beside the checkout, against values that an
 * independent script read from them. */
#include "dump_image.h"

#include "dump/cpuid.h"
#include "dump/smbios.h"

#define REAL "../shared/real/"

static struct ds_dump *open_real(const char *path)
{
    struct ds_source *src;
    struct ds_dump *d;
    struct ds_err err;
    if (ds_source_file_open(path, &src, &err) != DS_OK)
        return NULL;
    if (ds_dump_open(src, &d, &err) != DS_OK) {
        printf("    %s\n", err.text);
        CHECK(!"opens");
        ds_source_close(src);
        return NULL;
    }
    return d;
}

#define OPEN(d, name)                                                                              \
    struct ds_dump *d = open_real(REAL name);                                                      \
    if (d == NULL)                                                                                 \
    SKIP("no " REAL name " beside the checkout")

#define FNV_START UINT64_C(0xcbf29ce484222325)

static uint64_t fnv(uint64_t h, const void *data, size_t len)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

static uint64_t fnv64(uint64_t h, uint64_t v)
{
    uint8_t b[8];
    ds_put_le64(b, v);
    return fnv(h, b, 8);
}

static void x64_header(void)
{
    OPEN(d, "triage_x64_19041.dmp");
    const struct ds_dump_header *h = ds_dump_header(d);
    CHECK(h->is64);
    CHECK_U64(h->arch, DS_ARCH_X64);
    CHECK_U64(h->minor_version.value, 19041);
    CHECK_U64(h->dtb.value, 0x1ad000);
    CHECK_U64(h->ps_loaded_module_list.value, 0xfffff8047c62a390);
    CHECK_U64(h->processor_count.value, 16);
    CHECK_U64(h->bugcheck_code.value, 0x1000007e);
    CHECK_U64(h->bugcheck_parameter[1].value, 0xfffff8048b58334c);
    CHECK_U64(h->bugcheck_parameter[3].value, 0xffff850429891720);
    CHECK_U64(h->kd_debugger_data_block.value, 0xfffff8047c600b20);
    CHECK_U64(h->required_dump_space.value, 0x197915);
    CHECK_U64(h->system_time.value, 0x1d707f23dbb3399);
    CHECK_U64(h->system_up_time.value, 37470697);
    CHECK_U64(h->mini_dump_fields.value, 0xcff);
    CHECK_U64(h->product_type.value, 1);
    CHECK_U64(h->suite_mask.value, 0x110);
    CHECK(h->writer_status.known && h->writer_status.value == 0);
    CHECK(!h->attributes.known && !h->boot_id.known && !h->secondary_data_state.known);
    CHECK_STR(h->comment, "");
    CHECK_STR(h->version_user, "");
    ds_dump_close(d);
}

static void x64_drivers(void)
{
    OPEN(d, "triage_x64_19041.dmp");
    const struct ds_triage *t = ds_dump_triage(d);
    CHECK_U64(t->driver_count, 151);
    CHECK_STR(t->drivers[74].name, "\\SystemRoot\\System32\\Drivers\\dump_dumpfve.sys");
    uint64_t h = FNV_START;
    for (size_t i = 0; i < t->driver_count; i++) {
        const struct ds_triage_driver *x = &t->drivers[i];
        CHECK(x->name != NULL);
        h = fnv(h, x->name ? x->name : "", x->name ? strlen(x->name) : 0);
        h = fnv64(fnv64(fnv64(fnv64(h, x->base), x->size), x->checksum), x->timestamp);
    }
    CHECK_U64(h, 0x4f6692c28e287797);
    CHECK_U64(t->unloaded_count, 4);
    CHECK_STR(t->unloaded[2].name, "hwpolicy.sys");
    CHECK(!t->unloaded[2].name_cut);
    CHECK_U64(t->unloaded[3].start, 0xfffff804793e0000);
    CHECK_U64(t->unloaded[3].end, 0xfffff80479409000);
    ds_dump_close(d);
}

static void x64_records_and_memory(void)
{
    OPEN(d, "triage_x64_19041.dmp");
    const struct ds_triage *t = ds_dump_triage(d);
    CHECK_U64(t->thread.va.value, 0xffffc08bde9e1640);
    CHECK_U64(t->thread.size, 0x898);
    CHECK_U64(t->process.va.value, 0xffffc08bdce94180);
    CHECK_U64(t->prcb.va.value, 0xfffff804782d4180);
    CHECK_U64(t->top_of_stack.value, 0xffff850429890ee8);
    CHECK_U64(t->call_stack.size, 0x2118);
    CHECK_U64(t->block_count_stated, 1831);
    uint64_t h = FNV_START;
    size_t blocks = 0;
    for (size_t i = 0; i < ds_dump_virt_range_count(d); i++) {
        const struct ds_virt_range *r = ds_dump_virt_range(d, i);
        if (strcmp(r->origin, "data block") != 0)
            continue;
        blocks++;
        h = fnv64(fnv64(fnv64(h, r->va), r->file_offset), r->size);
    }
    CHECK_U64(blocks, 1831);
    CHECK_U64(h, 0x47c3c0c00b4fc248);
    uint8_t b[16];
    CHECK(ds_dump_read_virt(d, 0xffff850429891720 + 0xf8, b, 8, NULL) == DS_OK);
    CHECK_U64(ds_le64(b), 0xfffff8048b58334c); /* the faulting context's rip */
    CHECK(ds_dump_read_virt(d, 0xfffff8047c600b30, b, 4, NULL) == DS_OK);
    CHECK(memcmp(b, "KDBG", 4) == 0);
    CHECK(ds_dump_read_virt(d, 0xffffc08bdce94180 + 0x5a8, b, 7, NULL) == DS_OK);
    CHECK_STR((const char *)b, "System");
    ds_dump_close(d);
}

static void x64_blobs(void)
{
    OPEN(d, "triage_x64_19041.dmp");
    CHECK_U64(ds_dump_blob_count(d), 20);
    CHECK_U64(ds_dump_leftover_bytes(d), 0);
    uint64_t h = FNV_START;
    for (size_t i = 0; i < ds_dump_blob_count(d); i++) {
        const struct ds_blob *b = ds_dump_blob(d, i);
        h = fnv64(fnv64(fnv(h, b->tag, strlen(b->tag)), b->file_offset), b->size);
        CHECK_U64(b->captured, b->size);
    }
    CHECK_U64(h, 0xebd9ee288fed758d);
    uint8_t *p = NULL;
    size_t n = 0;
    struct ds_cpuid c;
    CHECK(ds_dump_blob_load(d, DS_CPUID_TAG, &p, &n) == DS_OK);
    CHECK_U64(ds_cpuid_count(n), 45);
    CHECK(ds_cpuid_decode(p, n, &c) == DS_OK);
    CHECK_STR(c.vendor, "AuthenticAMD");
    CHECK_STR(c.brand, "AMD Ryzen 7 3700X 8-Core Processor");
    CHECK_U64(c.family.value, 23);
    CHECK_U64(c.model.value, 113);
    CHECK_U64(c.stepping.value, 0);
    free(p);
    CHECK(ds_dump_blob_load(d, DS_CPU_REGISTRY_TAG, &p, &n) == DS_OK);
    size_t pos = 0;
    struct ds_cpu_value v;
    CHECK(ds_cpu_value_next(p, n, &pos, &v) == DS_OK);
    CHECK_STR(v.name, "~MHz");
    CHECK_U64(v.number.value, 3593);
    bool name = false;
    while (ds_cpu_value_next(p, n, &pos, &v) == DS_OK)
        name = name || (strcmp(v.name, "ProcessorNameString") == 0 &&
                        strcmp(v.text, "AMD Ryzen 7 3700X 8-Core Processor") == 0);
    CHECK(name);
    CHECK_U64(pos, n);
    free(p);
    ds_dump_close(d);
}

static void arm64_minidump(void)
{
    OPEN(d, "triage_arm64_17134.dmp");
    const struct ds_dump_header *h = ds_dump_header(d);
    const struct ds_triage *t = ds_dump_triage(d);
    CHECK_U64(h->arch, DS_ARCH_ARM64);
    CHECK_U64(h->minor_version.value, 17134);
    CHECK_U64(h->processor_count.value, 8);
    CHECK_U64(h->bugcheck_code.value, 0xe2);
    CHECK_U64(h->system_up_time.value, 0x4792838b);
    CHECK_U64(t->driver_count, 228);
    CHECK_U64(t->drivers[0].base, 0xfffff801bcb30000);
    CHECK_U64(t->drivers[227].timestamp, 0x27e3c8fb);
    CHECK_U64(t->unloaded_count, 9);
    CHECK_STR(t->unloaded[1].name, "dump_storpor");
    CHECK_U64(t->thread.va.value, 0xfffff801bcf53b80);
    CHECK_U64(ds_dump_blob_count(d), 38);
    uint8_t *p = NULL;
    size_t n = 0;
    struct ds_smbios s;
    CHECK(ds_dump_blob_load(d, DS_SMBIOS_TAG, &p, &n) == DS_OK);
    CHECK(ds_smbios_decode(p, n, &s) == DS_OK);
    CHECK_STR(s.bios_vendor, "Qualcomm Inc.");
    CHECK_STR(s.bios_version, "TP370QL.259");
    CHECK_STR(s.bios_release_date, "06/08/2018");
    CHECK_STR(s.system_manufacturer, "ASUSTeK COMPUTER INC.");
    CHECK_STR(s.system_product, "NovaGo TP370QL");
    CHECK_STR(s.board_product, "NovaGo TP370QL");
    CHECK_STR(s.processor_version, "Snapdragon(TM) 835");
    CHECK_STR(s.processor_socket, "Qualcomm");
    free(p);
    ds_dump_close(d);
}

static void arm32_minidump(void)
{
    OPEN(d, "triage_arm32_17134.dmp");
    const struct ds_dump_header *h = ds_dump_header(d);
    const struct ds_triage *t = ds_dump_triage(d);
    CHECK(!h->is64);
    CHECK_U64(h->arch, DS_ARCH_ARM);
    CHECK_U64(h->machine.value, 0x1c4);
    CHECK_U64(h->attributes.value, 0x10);
    CHECK(h->bugcheck_code.known && h->bugcheck_code.value == 0);
    CHECK_U64(h->system_time.value, 0x1d41d41b482b936);
    CHECK_U64(h->kd_debugger_data_block.value, 0x80deec58);
    CHECK_U64(t->driver_count, 136);
    CHECK_STR(t->drivers[0].name, "\\SystemRoot\\system32\\ntoskrnl.exe");
    CHECK_U64(t->drivers[0].base, 0x80c06000);
    CHECK_U64(t->drivers[0].size, 0x5b1000);
    CHECK_U64(t->drivers[135].checksum, 0xe4e9);
    CHECK_U64(t->unloaded_count, 3);
    CHECK_STR(t->unloaded[0].name, "ft5406_touch");
    CHECK_U64(t->block_count_stated, 732);
    CHECK_U64(ds_dump_blob_count(d), 0);
    uint8_t b[8];
    CHECK(ds_dump_read_virt(d, 0xffffffff80e28c00, b, 8, NULL) == DS_OK); /* NtBuildLab */
    CHECK(memcmp(b, "17134.1.", 8) == 0);
    CHECK(ds_dump_read_virt(d, 0x80e28c00, b, 8, NULL) == DS_OK);
    ds_dump_close(d);
}

static void sound_dumps_have_no_notes(void)
{
    static const char *const names[] = {REAL "triage_x64_19041.dmp", REAL "triage_arm64_17134.dmp",
                                        REAL "triage_arm32_17134.dmp"};
    for (size_t i = 0; i < 3; i++) {
        struct ds_dump *d = open_real(names[i]);
        if (d == NULL)
            SKIP("no dumps in " REAL " beside the checkout");
        CHECK_U64(ds_dump_integrity(d)->count, 0);
        image_print_notes(d);
        ds_dump_close(d);
    }
}

/* All ranges of a mutated dump, through a bounded buffer. */
static void read_everything(struct ds_dump *d)
{
    uint8_t b[512];
    uint64_t fault;
    for (size_t i = 0; i < ds_dump_virt_range_count(d); i++) {
        const struct ds_virt_range *r = ds_dump_virt_range(d, i);
        size_t n = r->size < sizeof(b) ? (size_t)r->size : sizeof(b);
        (void)!ds_dump_read_virt(d, r->va, b, n, &fault);
    }
    for (size_t i = 0; i < ds_dump_blob_count(d); i++) {
        uint8_t *p = NULL;
        size_t n;
        if (ds_dump_blob_load(d, ds_dump_blob(d, i)->tag, &p, &n) == DS_OK) {
            struct ds_smbios s;
            struct ds_cpuid c;
            (void)ds_smbios_decode(p, n, &s);
            (void)ds_cpuid_decode(p, n, &c);
            free(p);
        }
    }
}

static struct image load(const char *path)
{
    struct image m = {NULL, 0};
    struct ds_source *src;
    if (ds_source_file_open(path, &src, NULL) != DS_OK)
        return m;
    m.size = (size_t)src->size;
    m.p = malloc(m.size);
    if (m.p == NULL || ds_source_read(src, 0, m.p, m.size, NULL) != DS_OK)
        m.size = 0;
    ds_source_close(src);
    return m;
}

static void truncations_are_named_and_flips_are_survived(void)
{
    struct image whole = load(REAL "triage_x64_19041.dmp");
    if (whole.size == 0)
        SKIP("no dumps in " REAL " beside the checkout");
    size_t size = whole.size;
    for (size_t cut = 512; cut < size; cut += 512 * 41) {
        struct image m = {whole.p, cut};
        struct ds_dump *d = image_open(&m);
        CHECK(d != NULL);
        if (d == NULL)
            continue;
        CHECK(ds_integrity_worst(ds_dump_integrity(d)) >= DS_INTEGRITY_DAMAGE);
        ds_dump_close(d);
    }
    for (size_t at = 0; at < 65536; at += 61) {
        whole.p[at] ^= 0xff;
        struct ds_err err;
        struct ds_source *src;
        struct ds_dump *d;
        CHECK(ds_source_memory_open(whole.p, size, &src, &err) == DS_OK);
        if (ds_dump_open(src, &d, &err) == DS_OK) {
            if (at % 7 == 0)
                read_everything(d);
            ds_dump_close(d);
        } else {
            CHECK(err.text[0] != '\0');
            ds_source_close(src);
        }
        whole.p[at] ^= 0xff;
    }
    free(whole.p);
}

TEST_MAIN(TEST(x64_header), TEST(x64_drivers), TEST(x64_records_and_memory), TEST(x64_blobs),
          TEST(arm64_minidump), TEST(arm32_minidump), TEST(sound_dumps_have_no_notes),
          TEST(truncations_are_named_and_flips_are_survived))
