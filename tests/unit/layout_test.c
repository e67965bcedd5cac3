/* Built-in profiles, versions, globals and the KDDEBUGGER_DATA64 members. */
#include "symbols/globals.h"
#include "symbols/kdbg_layout.h"
#include "symbols/layout.h"
#include "symbols/tables.h"
#include "symbols/version.h"
#include "test.h"

static struct ds_layout *open_layout(enum ds_arch arch, uint32_t build, uint32_t revision,
                                     const char *pdb)
{
    struct ds_kernel_id id = {.arch = arch, .build = build, .revision = revision};
    struct ds_layout *l = NULL;
    (void)snprintf(id.pdb, sizeof id.pdb, "%s", pdb);
    if (ds_layout_open_builtin(&id, &l, NULL) != DS_OK)
        return NULL;
    return l;
}

static uint32_t offset_of(const struct ds_layout *l, const char *type, const char *path)
{
    struct ds_field f;
    return ds_layout_field(l, type, path, &f) == DS_OK ? f.offset : UINT32_MAX;
}

static void choice_by_pdb(void)
{
    struct ds_layout *l = open_layout(DS_ARCH_X64, 0, 0, "5278aff86c341677d7d7835c85b7b844-1");
    CHECK(ds_layout_trust(l) == DS_TRUST_PROFILE);
    CHECK_STR(ds_layout_source(l), "profile 10.0.19041.685-x64");
    ds_layout_close(l);
}

static void choice_by_version(void)
{
    static const struct {
        enum ds_arch arch;
        uint32_t build, revision;
        enum ds_trust trust;
        const char *source;
    } cases[] = {
        {DS_ARCH_X64, 19041, 804, DS_TRUST_PROFILE, "profile 10.0.19041.685-x64"},
        {DS_ARCH_X64, 19045, 804, DS_TRUST_PROFILE, "profile 10.0.19041.685-x64"},
        {DS_ARCH_X64, 19041, 600, DS_TRUST_NEAREST, "profile 10.0.19041.572-x64"},
        {DS_ARCH_X64, 19041, 1, DS_TRUST_NEAREST, "profile 10.0.19041.329-x64"},
        {DS_ARCH_X64, 19041, 9999, DS_TRUST_NEAREST, "profile 10.0.19041.3324-x64"},
        {DS_ARCH_X64, 19041, 0, DS_TRUST_NEAREST, "profile 10.0.19041.3324-x64"},
        {DS_ARCH_X64, 27000, 5, DS_TRUST_GUESS, "profile 10.0.26100.0-x64"},
        {DS_ARCH_X64, 17000, 5, DS_TRUST_GUESS, "profile 10.0.17134.1-x64"},
        {DS_ARCH_X86, 3790, 3959, DS_TRUST_PROFILE, "profile 5.2.3790.3959-x86"},
        {DS_ARCH_X86, 3790, 4000, DS_TRUST_NEAREST, "profile 5.2.3790.3959-x86"},
        {DS_ARCH_X86, 6002, 18005, DS_TRUST_NEAREST, "profile 6.0.6001.18000-x86"},
        {DS_ARCH_ARM64, 22000, 318, DS_TRUST_PROFILE, "profile 10.0.22000.318-arm64"},
        {DS_ARCH_ARM64, 17134, 1, DS_TRUST_GUESS, "profile 10.0.19041.1288-arm64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ds_layout *l = open_layout(cases[i].arch, cases[i].build, cases[i].revision, "");
        CHECK(l != NULL);
        CHECK_U64(ds_layout_trust(l), cases[i].trust);
        CHECK_STR(ds_layout_source(l), cases[i].source);
        ds_layout_close(l);
    }
    CHECK(open_layout(DS_ARCH_ARM, 17134, 1, "") == NULL);
    CHECK(open_layout(DS_ARCH_X64, 0, 0, "") == NULL);
}

/* The kernel for 5-level paging has the version of the other one, but is another file. */
static void la57_is_not_exact(void)
{
    struct ds_kernel_id id = {.arch = DS_ARCH_X64, .build = 22000, .revision = 318, .la57 = true};
    struct ds_layout *l = NULL;
    uint32_t rva;
    CHECK(ds_layout_open_builtin(&id, &l, NULL) == DS_OK);
    CHECK(ds_layout_trust(l) == DS_TRUST_NEAREST);
    ds_layout_close(l);
    CHECK(ds_globals_find(&id, "PspCidTable", &rva) == DS_NO_SYMBOL);
    CHECK(ds_globals_pdb(&id) == NULL);
    id.la57 = false;
    CHECK(ds_globals_find(&id, "PspCidTable", &rva) == DS_OK);
}

/* The version is that of another kernel file of the same revision: not the very one. */
static void wrong_pdb_is_not_exact(void)
{
    struct ds_layout *l =
        open_layout(DS_ARCH_X64, 19041, 804, "00000000000000000000000000000000-1");
    CHECK(ds_layout_trust(l) == DS_TRUST_NEAREST);
    CHECK_STR(ds_layout_source(l), "profile 10.0.19041.685-x64");
    ds_layout_close(l);
}

static void members(void)
{
    struct ds_layout *l = open_layout(DS_ARCH_X64, 19041, 804, "");
    struct ds_field f;
    uint32_t size = 0;
    /* As in the kernel's public PDB. */
    CHECK_U64(offset_of(l, "_KTHREAD", "State"), 0x184);
    CHECK_U64(offset_of(l, "_ETHREAD", "Tcb.State"), 0x184);
    CHECK_U64(offset_of(l, "_EPROCESS", "ImageFileName"), 0x5a8);
    CHECK_U64(offset_of(l, "_EPROCESS", "Pcb.DirectoryTableBase"), 0x28);
    CHECK(ds_layout_size(l, "_KTHREAD", &size) == DS_OK);
    CHECK_U64(size, 0x430);
    CHECK(ds_layout_field(l, "_EPROCESS", "ImageFileName", &f) == DS_OK);
    CHECK_U64(f.size, 15);
    CHECK(ds_layout_field(l, "_EPROCESS", "ActiveProcessLinks", &f) == DS_OK);
    CHECK_U64(f.size, 16);
    CHECK(ds_layout_field(l, "_EPROCESS", "ActiveProcessLinks.Flink", &f) == DS_OK);
    CHECK_U64(f.size, 8);
    CHECK_U64(f.offset, 0x448);
    CHECK(ds_layout_field(l, "_KTHREAD", "Header.Lock", &f) == DS_OK);
    CHECK(f.is_signed && f.size == 4 && f.offset == 0 && !f.unverified);
    CHECK(ds_layout_field(l, "_MMPFN", "u4.PteFrame", &f) == DS_OK);
    CHECK(f.bit_pos == 0 && f.bit_len == 36 && f.size == 8);
    ds_layout_close(l);
}

static void members_that_are_not(void)
{
    static const char *const paths[] = {"",       "NoSuch",       "Tcb.",        ".Tcb",
                                        "Tcb..X", "Tcb.NoSuch.X", "Tcb.State.X", "Tcb[0].State"};
    struct ds_layout *l = open_layout(DS_ARCH_X64, 19041, 804, "");
    struct ds_field f;
    uint32_t size;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        CHECK(ds_layout_field(l, "_ETHREAD", paths[i], &f) == DS_NO_FIELD);
    CHECK(ds_layout_field(l, "_NOSUCH", "State", &f) == DS_NO_FIELD);
    CHECK(ds_layout_field(l, "", "State", &f) == DS_NO_FIELD);
    CHECK(ds_layout_field(NULL, "_KTHREAD", "State", &f) == DS_NO_FIELD);
    CHECK(ds_layout_size(l, "_NOSUCH", &size) == DS_NO_FIELD);
    /* A pointer is not followed. */
    CHECK(ds_layout_field(l, "_KTHREAD", "Process.DirectoryTableBase", &f) == DS_NO_FIELD);
    ds_layout_close(l);
}

static void members_x86(void)
{
    struct ds_layout *l = open_layout(DS_ARCH_X86, 3790, 3959, "");
    struct ds_field f;
    CHECK_U64(offset_of(l, "_KTHREAD", "SuspendCount"), 0x150);
    CHECK_U64(offset_of(l, "_KTHREAD", "FreezeCount"), 0x14f);
    CHECK_U64(offset_of(l, "_KTHREAD", "SuspendSemaphore"), 0x190);
    CHECK(ds_layout_field(l, "_EPROCESS", "Peb", &f) == DS_OK);
    CHECK_U64(f.size, 4);
    ds_layout_close(l);
}

static void carried_over_is_marked(void)
{
    struct ds_layout *l = open_layout(DS_ARCH_X64, 26100, 1742, "");
    struct ds_field f;
    CHECK(ds_layout_field(l, "_ALPC_PORT", "OwnerProcess", &f) == DS_OK);
    CHECK(f.unverified);
    CHECK(ds_layout_field(l, "_EPROCESS", "UniqueProcessId", &f) == DS_OK);
    CHECK(!f.unverified);
    ds_layout_close(l);
}

static void profiles_listed(void)
{
    struct ds_profile p;
    struct ds_layout *l = NULL;
    CHECK(ds_profile_count() >= 63);
    for (uint32_t i = 0; i < ds_profile_count(); i++) {
        uint32_t process = 0, thread = 0;
        CHECK(ds_profile_get(i, &p));
        CHECK(p.build_min <= p.build_max && p.build_min >= 2600);
        CHECK(ds_layout_open_profile(i, &l, NULL) == DS_OK);
        /* Sizes are not known of every ARM64 kernel. */
        if (ds_layout_size(l, "_EPROCESS", &process) != DS_OK)
            process = p.arch == DS_ARCH_ARM64 ? 0x1000 : 0;
        CHECK(ds_layout_size(l, "_KTHREAD", &thread) == DS_OK);
        CHECK(process > 0x200 && thread > 0x150);
        CHECK(offset_of(l, "_EPROCESS", "UniqueProcessId") < process);
        ds_layout_close(l);
    }
    CHECK(!ds_profile_get(ds_profile_count(), &p));
    CHECK(ds_layout_open_profile(ds_profile_count(), &l, NULL) == DS_NOT_FOUND);
}

static void enums(void)
{
    CHECK_STR(ds_enum_name("_KTHREAD_STATE", 19041, 5), "Waiting");
    CHECK_STR(ds_enum_name("_KTHREAD_STATE", 3790, 2), "Running");
    CHECK_STR(ds_enum_name("_KWAIT_REASON", 22631, 5), "Suspended");
    CHECK(ds_enum_name("_KWAIT_REASON", 22631, 999) == NULL);
    CHECK(ds_enum_name("_NOSUCH", 22631, 0) == NULL);
}

static void versions(void)
{
    struct ds_version v;
    /* First, last and one in the middle of the list, by architecture. */
    CHECK(ds_version_find(DS_ARCH_X64, 0x553ad80a, 0x842000, &v));
    CHECK(v.major == 10 && v.minor == 0 && v.build == 10074 && v.revision == 0);
    CHECK_STR(v.file, "ntoskrnl.exe");
    CHECK(!ds_version_find(DS_ARCH_ARM64, 0x553ad80a, 0x842000, &v));
    CHECK(!ds_version_find(DS_ARCH_X64, 0x553ad80a, 0x842001, &v));
    CHECK(!ds_version_find(DS_ARCH_X86, 0x553ad80a, 0x842000, &v));
    CHECK(!ds_version_find(DS_ARCH_X64, 0, 0, &v));
    CHECK(ds_version_find(DS_ARCH_ARM64, 0x00587f24, 0x124a000, &v));
    CHECK(v.build == 26100 && v.revision == 9168);
    uint32_t found = 0;
    for (uint32_t i = 0; i < ds_table_version_count; i++) {
        const struct ds_table_version *row = &ds_table_versions[i];
        found += ds_version_find(row->arch, row->timestamp, row->size_of_image, &v) &&
                 v.build == row->build && v.revision == row->revision;
    }
    CHECK_U64(found, ds_table_version_count);
    CHECK_STR(ds_version_name(19041, false), "Windows 10 2004");
    CHECK_STR(ds_version_name(20348, true), "Windows Server 2022");
    CHECK_STR(ds_version_name(7601, false), "Windows 7 SP1");
    CHECK_STR(ds_version_name(3790, true), "Windows Server 2003");
    CHECK_STR(ds_version_service_pack(3790, 3959), "SP2");
    CHECK(ds_version_service_pack(3790, 0) == NULL);
    CHECK(ds_version_name(12345, false) == NULL);
}

static void globals(void)
{
    struct ds_kernel_id id = {.arch = DS_ARCH_X64, .build = 7601, .revision = 24540};
    uint32_t rva = 0;
    CHECK(ds_globals_find(&id, "PsActiveProcessHead", &rva) == DS_OK);
    CHECK_U64(rva, 2210112);
    CHECK(ds_globals_find(&id, "NoSuch", &rva) == DS_NO_SYMBOL);
    id.revision = 24541;
    CHECK(ds_globals_find(&id, "PsActiveProcessHead", &rva) == DS_NO_SYMBOL);
    (void)snprintf(id.pdb, sizeof id.pdb, "339E74133576439CBCDF7E0229DA3773-1");
    CHECK(ds_globals_find(&id, "KiIdleLoop", &rva) == DS_OK);
    CHECK_U64(rva, 0x973d0);
    id.arch = DS_ARCH_X86;
    CHECK(ds_globals_find(&id, "KiIdleLoop", &rva) == DS_NO_SYMBOL);
    id = (struct ds_kernel_id){.arch = DS_ARCH_X64, .build = 19041, .revision = 804};
    CHECK_STR(ds_globals_pdb(&id), "5278AFF86C341677D7D7835C85B7B844-1");
}

static void kdbg(void)
{
    struct ds_field f;
    const char *name = NULL, *last = "";
    uint32_t end = 0;
    CHECK(ds_kdbg_field("PsLoadedModuleList", &f) && f.offset == 0x48 && f.size == 8);
    CHECK(ds_kdbg_field("Header.Size", &f) && f.offset == 0x14 && f.size == 4);
    CHECK(ds_kdbg_field("PaeEnabled", &f) && f.bit_len == 1 && f.size == 2);
    CHECK(ds_kdbg_field("PteBase", &f) && f.offset == 0x360);
    CHECK(!ds_kdbg_field("NoSuch", &f));
    for (uint32_t i = 0; ds_kdbg_field_at(i, &name, &f); i++) {
        CHECK(strcmp(last, name) < 0);
        last = name;
        if (f.offset + f.size > end)
            end = f.offset + f.size;
    }
    CHECK_U64(end, DS_KDBG_MAX);
}

TEST_MAIN(TEST(choice_by_pdb), TEST(choice_by_version), TEST(wrong_pdb_is_not_exact),
          TEST(la57_is_not_exact), TEST(members), TEST(members_that_are_not), TEST(members_x86),
          TEST(carried_over_is_marked), TEST(profiles_listed), TEST(enums), TEST(versions),
          TEST(globals), TEST(kdbg))
