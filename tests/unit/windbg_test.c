/* The debugger's names: published pairs of bucket and hash, and the grammar of buckets. */
#include <string.h>

#include "facts/windbg.h"

#include "test.h"

/* As printed by the debugger in public texts. */
static const struct {
    const char *bucket, *hash;
} published[] = {
    {"AV_nt!MiUserFault", "{ebaa4318-8301-ca38-45f3-29102df77128}"},
    {"AV_myfault!unknown_function", "{9745090a-9bce-ccba-c096-ca6e9ca04c64}"},
    {"AV_o2micro_sdhost!unknown_function", "{675c0c01-465e-ed53-efc7-4c82b345b89c}"},
    {"AV_EvilDriver!unknown_function", "{0a02cf11-80e3-568b-892e-59d7b590ecbf}"},
    {"AV_W_(null)_Driver!unknown_function", "{2f4cb3f6-118f-01c9-d978-7b6c7a9a1257}"},
    {"AV_R_(null)_win32kbase!WmsgpConnect", "{ece26be9-101a-e2cf-72a9-a92359219248}"},
    {"0xE3_TestDriver!FileCreationThread", "{b41d0cd9-1763-8d45-8d0a-0e6a6af02301}"},
    {"0xCA_13_nt!PiDmaGuardProcessPreStart", "{b367b2d8-0cc5-f3e0-e733-3787841dcdd2}"},
    {"0x13a_12_Driver!CreateRandomFile", "{ea91b8db-b8d2-b485-3fb8-7116e18cbc08}"},
    {"0x116_IMAGE_nvlddmkm.sys", "{c89bfe8c-ed39-f658-ef27-f2898997fdbd}"},
    {"0x9F_3_RtsPer_IMAGE_pci.sys", "{ce555a86-e2a6-4bdd-cc96-f64b1a03e85a}"},
    {"0x13C_nt!PspThreadDelete", "{6fe88179-1572-f8e2-aeff-cd9c600ecf3a}"},
    {"0x133_DPC_nvlddmkm!unknown_function", "{15c3af0e-5564-7a80-2e26-65b5115ecc4d}"},
    {"0x139_3_CORRUPT_LIST_ENTRY_PROCMON24!unknown_function",
     "{5dbfd5b7-3954-0a5c-1c1a-36b5712f0de8}"},
    {"AV_NETIO!StreamInvokeCalloutAndNormalizeAction", "{c2ca2d1f-cfdc-88d5-c7bc-7693b8f0de04}"},
    {"AV_rassstp!RetrieveSendPackets", "{cc96ef30-062c-2493-447f-a365f71c1c23}"},
    {"AV_OVSExt!OvsWaitEventIoctl", "{07550bfb-c3b5-0412-b95d-f89a5c4671a9}"},
    {"AV_CODE_AV_PAGED_IP_TestDriver!AccessPageableMemory",
     "{2463ca34-5d68-cb7c-6807-dd2087a41e36}"},
    {"0x20_NULLAPC_KAPC_NEGATIVE_nt!PspExitThread", "{fcbbc787-b7cc-0ca4-c274-c788b86a9951}"},
    {"AV_tunnel!TeredoWfpRemoveHashEntry", "{ed81a04d-9dd2-aa51-bc2a-d6f45f90b7a5}"},
    {"AV_fileinfo!FIPfFileFSOpPostCreate", "{b4048e5d-9388-9a34-9958-ec36d87bbe12}"},
    {"LKD_0x1cc_EXRESOURCE_TIMEOUT_OWNERTHREAD_nt!KiSwapContext",
     "{ba09c374-1e32-1908-d12a-b95209a3dc5b}"},
    {"0x139_3_CORRUPT_LIST_ENTRY_KTIMER_LIST_CORRUPTION_nt!KiProcessExpiredTimerList",
     "{9db7945b-255d-24a1-9f2c-82344e883ab8}"},
    {"0x139_3_CORRUPT_LIST_ENTRY_nt!KiFastFailDispatch", "{3aede96a-54dd-40d6-d4cb-2a161a843851}"},
};

static void published_pairs_agree(void)
{
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        char hash[DS_WINDBG_HASH];
        ds_windbg_hash(published[i].bucket, hash);
        CHECK_STR(hash, published[i].hash);
    }
}

/* The crashes behind some of these, as far as their texts tell, lead to the same bucket. */
static const struct {
    struct ds_windbg_crash crash;
    struct ds_windbg_blame blame;
    const char *bucket, *confidence;
} crashes[] = {
    {{0xd1, {0xffff8001acdc6010u, 2, 0, 0xfffff805736312d0u}, 0, false, NULL},
     {"myfault", "myfault.sys", NULL, false, true},
     "AV_myfault!unknown_function",
     "high"},
    {{0x7e, {0xffffffffc0000005u, 0, 0, 0}, 0xc0000005u, false, NULL},
     {"EvilDriver", "EvilDriver.sys", NULL, false, true},
     "AV_EvilDriver!unknown_function",
     "high"},
    {{0x50, {0xffff800000000000u, 2, 0xfffff801197f1d1eu, 0}, 0, false, NULL},
     {"Driver", "Driver.sys", NULL, false, true},
     "AV_W_(null)_Driver!unknown_function",
     "low"},
    {{0x50, {0xffff800000000000u, 0, 0xfffff80528f293cbu, 2}, 0, false, NULL},
     {"win32kbase", "win32kbase.sys", "WmsgpConnect", true, true},
     "AV_R_(null)_win32kbase!WmsgpConnect",
     "low"},
    {{0xe3, {0xffffb587def9dc80u, 0xffffb587dea4e040u, 0, 2}, 0, false, NULL},
     {"TestDriver", "TestDriver.sys", "FileCreationThread", false, false},
     "0xE3_TestDriver!FileCreationThread",
     "medium"},
    {{0x116, {0xffff848e52156290u, 0xfffff804777f54c0u, 0xffffffffc000009au, 4}, 0, false, NULL},
     {"nvlddmkm", "nvlddmkm.sys", NULL, false, true},
     "0x116_IMAGE_nvlddmkm.sys",
     "high"},
    {{0x141, {1, 2, 3, 4}, 0, true, NULL},
     {"nvlddmkm", "nvlddmkm.sys", NULL, false, true},
     "LKD_0x141_IMAGE_nvlddmkm.sys",
     "high"},
    {{0x9f, {3, 0xffffad8f6b1d5060u, 0, 0}, 0, false, "pci.sys"},
     {"RtsPer", "RtsPer.sys", NULL, false, true},
     "0x9F_3_RtsPer_IMAGE_pci.sys",
     "low"},
    {{0x133, {0, 0x501, 0x500, 0}, 0, false, NULL},
     {"nvlddmkm", "nvlddmkm.sys", NULL, false, false},
     "0x133_DPC_nvlddmkm!unknown_function",
     "medium"},
    {{0x139, {3, 0, 0, 0}, 0xc0000409u, false, NULL},
     {"PROCMON24", "PROCMON24.SYS", NULL, false, true},
     "0x139_3_CORRUPT_LIST_ENTRY_PROCMON24!unknown_function",
     "high"},
    {{0xa, {0x28, 2, 0, 0}, 0, false, NULL}, /* public symbols would tell the function */
     {"tcpip", "tcpip.sys", NULL, true, true},
     "AV_tcpip!unknown_function",
     "low"},
};

static void published_crashes_lead_to_their_buckets(void)
{
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        struct ds_buf b;
        const char *confidence, *reason;
        ds_buf_init(&b, 512);
        CHECK(ds_windbg_bucket(&crashes[i].crash, &crashes[i].blame, &b, &confidence, &reason));
        CHECK_STR(ds_buf_text(&b), crashes[i].bucket);
        CHECK_STR(confidence, crashes[i].confidence);
        CHECK(reason != NULL && *reason != '\0');
        ds_buf_deinit(&b);
    }
}

static void check_none(struct ds_windbg_crash crash, struct ds_windbg_blame blame)
{
    struct ds_buf b;
    const char *confidence = "", *reason = NULL;
    ds_buf_init(&b, 512);
    CHECK(!ds_windbg_bucket(&crash, &blame, &b, &confidence, &reason));
    CHECK(b.len == 0 && confidence == NULL && reason != NULL);
    ds_buf_deinit(&b);
}

static void what_cannot_be_spelt_has_no_bucket(void)
{
    struct ds_windbg_blame driver = {"fabnic", "fabnic.sys", NULL, false, true};
    check_none((struct ds_windbg_crash){.code = 0xef}, driver); /* a grammar that was never seen */
    check_none((struct ds_windbg_crash){.code = 0xd1, .p = {0, 2, 8, 0}}, driver);
    check_none((struct ds_windbg_crash){.code = 0x7e}, driver);
    check_none((struct ds_windbg_crash){.code = 0x133, .p = {2, 0, 0, 0}}, driver);
    check_none((struct ds_windbg_crash){.code = 0x139, .p = {0xfffff, 0, 0, 0}}, driver);
    check_none((struct ds_windbg_crash){.code = 0x9f, .p = {3, 0, 0, 0}}, driver);
    check_none((struct ds_windbg_crash){.code = 0xd1}, (struct ds_windbg_blame){0});
}

TEST_MAIN(TEST(published_pairs_agree), TEST(published_crashes_lead_to_their_buckets),
          TEST(what_cannot_be_spelt_has_no_bucket))
