/* Instructions taken apart. Bytes and meanings: Intel SDM volume 2 and the Arm Architecture
 * Reference Manual, assembled by hand. */
#include "test.h"
#include "unwind/insn.h"

static enum ds_status decode(enum ds_arch arch, const char *hex, struct ds_insn *ret)
{
    struct ds_insn_decoder *d;
    uint8_t bytes[32];
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[i * 2], hex[i * 2 + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    enum ds_status status = ds_insn_open(arch, &d);
    if (status == DS_OK)
        status = ds_insn_decode(d, 0xfffff80112340000, bytes, n, ret);
    if (status != DS_UNSUPPORTED)
        ds_insn_close(d);
    return status;
}

static struct ds_context x64_context(void)
{
    struct ds_context c = {.arch = DS_ARCH_X64};
    ds_context_add(&c, "rcx", 0xffffa00000001000, 8);
    ds_context_add(&c, "rdx", 0xfffffffffffffff8, 8);
    ds_context_add(&c, "r9", 0x40, 8);
    ds_context_add(&c, "rsp", 0xffff800000002000, 8);
    return c;
}

static uint64_t address(const struct ds_insn *i, size_t which, const struct ds_context *c)
{
    struct ds_opt a = ds_insn_address(i, &i->memory[which], c);
    CHECK(which < i->memory_count);
    CHECK(a.known);
    return a.known ? a.value : 0;
}

static void a_load_names_its_address(void)
{
    struct ds_insn i;
    struct ds_context c = x64_context();
    CHECK(decode(DS_ARCH_X64, "8b4128", &i) == DS_OK);
    CHECK_STR(i.text, "mov eax, dword ptr [rcx + 0x28]");
    CHECK_U64(i.size, 3);
    CHECK_U64(i.memory_count, 1);
    CHECK_U64(i.memory[0].access, DS_INSN_READ);
    CHECK_U64(i.memory[0].size, 4);
    CHECK_U64(address(&i, 0, &c), 0xffffa00000001028);
    CHECK((i.kind & DS_INSN_PLAIN) != 0);
    CHECK(decode(DS_ARCH_X64, "488944d1f8", &i) == DS_OK); /* mov [rcx+rdx*8-8],rax */
    CHECK_U64(i.memory[0].access, DS_INSN_WRITE);
    CHECK_U64(address(&i, 0, &c), 0xffffa00000001000 - 64 - 8);
    CHECK(decode(DS_ARCH_X64, "8b0510000000", &i) == DS_OK); /* mov eax,[rip+10h] */
    CHECK_U64(address(&i, 0, &c), 0xfffff80112340016);
    CHECK(decode(DS_ARCH_X64, "67418b01", &i) == DS_OK); /* mov eax,[r9d] */
    CHECK_U64(address(&i, 0, &c), 0x40);
}

static void a_register_that_is_not_there_leaves_the_address_unknown(void)
{
    struct ds_insn i;
    struct ds_context c = x64_context();
    CHECK(decode(DS_ARCH_X64, "8b4328", &i) == DS_OK); /* [rbx+28h] */
    CHECK(!ds_insn_address(&i, &i.memory[0], &c).known);
    CHECK(decode(DS_ARCH_X64, "65488b042588010000", &i) == DS_OK); /* gs:[188h] */
    CHECK(!ds_insn_address(&i, &i.memory[0], &c).known);
}

static void the_stack_of_a_call_counts(void)
{
    struct ds_insn i;
    struct ds_context c = x64_context();
    CHECK(decode(DS_ARCH_X64, "ff11", &i) == DS_OK); /* call [rcx] */
    CHECK_U64(i.memory_count, 2);
    CHECK(i.memory[1].implicit);
    CHECK_U64(address(&i, 1, &c), 0xffff800000001ff8);
    CHECK((i.kind & DS_INSN_CALL) != 0);
    CHECK_U64(i.target, 0);
    CHECK(decode(DS_ARCH_X64, "e8fb0f0000", &i) == DS_OK);
    CHECK_U64(i.target, 0xfffff80112341000);
    CHECK(decode(DS_ARCH_X64, "c3", &i) == DS_OK);
    CHECK_U64(address(&i, 0, &c), 0xffff800000002000);
    CHECK_U64(i.memory[0].access, DS_INSN_READ);
}

static void addresses_that_are_only_named_do_not_count(void)
{
    struct ds_insn i;
    CHECK(decode(DS_ARCH_X64, "488d4128", &i) == DS_OK); /* lea */
    CHECK_U64(i.memory_count, 0);
    CHECK(decode(DS_ARCH_X64, "0f1f4000", &i) == DS_OK); /* nop [rax] */
    CHECK_U64(i.memory_count, 0);
    CHECK(!i.other_memory);
    CHECK(decode(DS_ARCH_X64, "0fa301", &i) == DS_OK); /* bt [rcx],eax: reaches anywhere */
    CHECK_U64(i.memory_count, 0);
    CHECK(i.other_memory);
    CHECK(decode(DS_ARCH_X64, "8ed8", &i) == DS_OK); /* mov ds,ax: reads the GDT */
    CHECK(i.other_memory);
}

static const struct ds_cpu_feature *feature(const char *hex)
{
    static struct ds_insn i;
    if (decode(DS_ARCH_X64, hex, &i) != DS_OK || i.feature_count == 0)
        return NULL;
    return i.features[0];
}

static void features_that_the_processor_must_have(void)
{
    const struct ds_cpu_feature *f = feature("f30fb8c1"); /* popcnt */
    CHECK(f != NULL && strcmp(f->name, "POPCNT") == 0);
    CHECK(f != NULL && f->leaf == 1 && f->reg == 2 && f->bit == 23);
    f = feature("c5fd6f01"); /* vmovdqa ymm0,[rcx] */
    CHECK(f != NULL && strcmp(f->name, "AVX") == 0);
    CHECK(feature("8b4128") == NULL);
    CHECK(feature("f30fbdc1") == NULL); /* lzcnt: older processors run it as bsr */
}

static void what_is_no_instruction_is_told_apart_from_too_few_bytes(void)
{
    struct ds_insn i;
    CHECK(decode(DS_ARCH_X64, "06060606060606060606060606060606", &i) == DS_INVALID);
    CHECK(decode(DS_ARCH_X64, "8b", &i) == DS_TRUNCATED);
    CHECK(decode(DS_ARCH_X64, "", &i) == DS_TRUNCATED);
    CHECK(decode(DS_ARCH_ARM64, "ffffffff", &i) == DS_INVALID);
    CHECK(decode(DS_ARCH_ARM, "00000000", &i) == DS_UNSUPPORTED);
    CHECK(decode(DS_ARCH_X64, "0f0b", &i) == DS_OK);
    CHECK((i.kind & DS_INSN_UNDEFINED) != 0);
    CHECK(decode(DS_ARCH_X64, "48f7f1", &i) == DS_OK);
    CHECK((i.kind & DS_INSN_DIVIDE) != 0);
}

static void arm64_loads_and_stores(void)
{
    struct ds_insn i;
    struct ds_context c = {.arch = DS_ARCH_ARM64};
    ds_context_add(&c, "x1", 0xffff800000001000, 8);
    ds_context_add(&c, "x2", 0xfffffffe, 8);
    ds_context_add(&c, "sp", 0xffff800000004000, 8);
    ds_context_add(&c, "fp", 0xffff800000004100, 8);
    CHECK(decode(DS_ARCH_ARM64, "210840f9", &i) == DS_OK); /* ldr x1,[x1,#10h] */
    CHECK_U64(address(&i, 0, &c), 0xffff800000001010);
    CHECK_U64(i.memory[0].access, DS_INSN_READ);
    CHECK_U64(i.memory[0].size, 8);
    CHECK(decode(DS_ARCH_ARM64, "238440f8", &i) == DS_OK); /* ldr x3,[x1],#8 */
    CHECK_U64(address(&i, 0, &c), 0xffff800000001000);
    CHECK(decode(DS_ARCH_ARM64, "e80f1ff8", &i) == DS_OK); /* str x8,[sp,#-10h]! */
    CHECK_U64(address(&i, 0, &c), 0xffff800000003ff0);
    CHECK_U64(i.memory[0].access, DS_INSN_WRITE);
    CHECK(decode(DS_ARCH_ARM64, "23d862b8", &i) == DS_OK); /* ldr w3,[x1,w2,sxtw #2] */
    CHECK_U64(address(&i, 0, &c), 0xffff800000001000 - 8);
    CHECK_U64(i.memory[0].size, 4);
    CHECK(decode(DS_ARCH_ARM64, "a30b40a9", &i) == DS_OK); /* ldp x3,x2,[x29] */
    CHECK_U64(address(&i, 0, &c), 0xffff800000004100);
    CHECK_U64(i.memory[0].size, 16);
    CHECK(decode(DS_ARCH_ARM64, "417c0288", &i) == DS_OK); /* stxr w2,w1,[x2] */
    CHECK_U64(i.memory[0].size, 4);
    CHECK(decode(DS_ARCH_ARM64, "41000058", &i) == DS_OK); /* ldr x1,pc+8 */
    CHECK_U64(address(&i, 0, &c), 0xfffff80112340008);
}

static void x86_addresses_have_32_bits(void)
{
    struct ds_insn i;
    struct ds_context c = {.arch = DS_ARCH_X86};
    ds_context_add(&c, "ecx", 0xfffffff0, 4);
    CHECK(decode(DS_ARCH_X86, "8b4128", &i) == DS_OK);
    CHECK_U64(address(&i, 0, &c), 0x18);
}

TEST_MAIN(TEST(a_load_names_its_address),
          TEST(a_register_that_is_not_there_leaves_the_address_unknown),
          TEST(the_stack_of_a_call_counts), TEST(addresses_that_are_only_named_do_not_count),
          TEST(features_that_the_processor_must_have),
          TEST(what_is_no_instruction_is_told_apart_from_too_few_bytes),
          TEST(arm64_loads_and_stores), TEST(x86_addresses_have_32_bits))
