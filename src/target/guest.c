/*
 * What a dump header would say, for containers that have none: from the kernel's own variables.
 * A time of zero was never set.
 * Fields of KUSER_SHARED_DATA: ntddk.h of the Windows Driver Kit. nt!KiBugCheckData: five
 * pointer-sized words, the code and its parameters, zero until a bugcheck.
 */
#include "base/bytes.h"
#include "base/limits.h"
#include "target/impl.h"

#define SHARED_DATA_X86 0xffdf0000u
#define SHARED_DATA_64 UINT64_C(0xfffff78000000000)
#define INTERRUPT_TIME 0x8u
#define SYSTEM_TIME 0x14u
#define PRODUCT_TYPE 0x264u
#define PRODUCT_TYPE_VALID 0x268u
#define SUITE_MASK 0x2d0u
#define ACTIVE_PROCESSORS 0x3c0u /* since Windows 7 */
#define SHARED_SIZE 0x3c4u

/* KSYSTEM_TIME: LowPart, High1Time, High2Time; the two high parts agree unless it is being
 * written. */
static struct ds_opt system_time(const uint8_t *p)
{
    if (ds_le32(p + 4) != ds_le32(p + 8))
        return ds_opt_unknown(DS_CORRUPT);
    uint64_t time = (uint64_t)ds_le32(p + 4) << 32 | ds_le32(p);
    return time != 0 ? ds_opt_known(time) : ds_opt_unknown(DS_OK);
}

static void from_shared_data(const struct ds_target *t, struct ds_dump_header *h)
{
    uint8_t s[SHARED_SIZE];
    uint64_t va = t->pointer_size == 4 ? SHARED_DATA_X86 : SHARED_DATA_64;
    enum ds_status st = ds_space_read(t->kernel, va, s, sizeof(s), NULL);
    if (st != DS_OK) {
        h->system_time = h->system_up_time = h->processor_count = ds_opt_unknown(st);
        return;
    }
    h->system_time = system_time(s + SYSTEM_TIME);
    h->system_up_time = system_time(s + INTERRUPT_TIME);
    if (s[PRODUCT_TYPE_VALID] == 1) {
        h->product_type = ds_opt_known(ds_le32(s + PRODUCT_TYPE));
        h->suite_mask = ds_opt_known(ds_le32(s + SUITE_MASK));
    }
    uint32_t active = ds_le32(s + ACTIVE_PROCESSORS);
    if (active >= 1 && active <= DS_LIMIT_PROCESSORS)
        h->processor_count = ds_opt_known(active);
}

/* Before Windows 7: the slots of KiProcessorBlock in use. */
static void count_processors(struct ds_target *t, struct ds_dump_header *h)
{
    uint64_t va, prcb, count = 0;
    if (h->processor_count.known || ds_target_global(t, "KiProcessorBlock", &va) != DS_OK)
        return;
    while (count < DS_LIMIT_PROCESSORS &&
           ds_space_read_ptr(t->kernel, va + count * t->pointer_size, &prcb, NULL) == DS_OK &&
           ds_target_is_kernel_va(t, prcb))
        count++;
    if (count != 0)
        h->processor_count = ds_opt_known(count);
}

static void from_bugcheck_data(struct ds_target *t, struct ds_dump_header *h)
{
    uint64_t va;
    enum ds_status st = ds_target_global(t, "KiBugCheckData", &va);
    uint64_t words[5];
    for (size_t i = 0; st == DS_OK && i < 5; i++) {
        uint8_t b[8] = {0};
        st = ds_space_read(t->kernel, va + i * t->pointer_size, b, t->pointer_size, NULL);
        words[i] = ds_le64(b);
    }
    if (st != DS_OK) {
        h->bugcheck_code = ds_opt_unknown(st);
        ds_step_add(t, "bugcheck", "nt!KiBugCheckData", st, ds_opt_unknown(st), "",
                    "whether the system crashed is not known");
        return;
    }
    h->bugcheck_code = ds_opt_known(words[0] & UINT32_MAX);
    ds_step_add(t, "bugcheck", "nt!KiBugCheckData", DS_OK, h->bugcheck_code, "verified",
                words[0] != 0 ? "the system has crashed" : "the system has not crashed");
    for (size_t i = 0; i < 4; i++)
        h->bugcheck_parameter[i] = ds_opt_known(words[i + 1]);
}

void ds_boot_guest_header(struct ds_target *t)
{
    struct ds_dump_header *h = ds_dump_header_to_fill(t->dump);
    const char *method;
    if (h == NULL)
        return;
    h->machine = ds_arch_machine(t->arch);
    h->minor_version = t->build;
    h->dtb = t->dtb;
    if (t->kernel == NULL)
        return;
    h->kd_debugger_data_block = t->kdbg;
    h->ps_loaded_module_list = ds_target_list_head(t, "PsLoadedModuleList", &method);
    h->ps_active_process_head = ds_target_list_head(t, "PsActiveProcessHead", &method);
    from_shared_data(t, h);
    count_processors(t, h);
    from_bugcheck_data(t, h);
}
