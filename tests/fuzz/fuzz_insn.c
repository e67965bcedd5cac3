/* Any bytes as instructions: the first byte chooses the architecture, eight more a register.
 * Corpus: none */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "unwind/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ds_insn *i, const struct ds_context *c)
{
    if (i->size == 0 || i->size > DS_INSN_BYTES || i->memory_count > DS_INSN_MEMORY ||
        i->feature_count > DS_INSN_FEATURES || strlen(i->text) == 0)
        __builtin_trap();
    for (size_t k = 0; k < i->memory_count; k++) {
        struct ds_opt a = ds_insn_address(i, &i->memory[k], c);
        if (a.known && i->arch == DS_ARCH_X86 && a.value > UINT32_MAX)
            __builtin_trap();
        (void)ds_insn_access_name(i->memory[k].access);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum ds_arch archs[] = {DS_ARCH_X64, DS_ARCH_X86, DS_ARCH_ARM64, DS_ARCH_ARM};
    static const char *const names[] = {"rcx", "rsp", "x1", "sp", "esi", "r9"};
    struct ds_insn_decoder *d;
    if (size < 9 || ds_insn_open(archs[data[0] & 3], &d) != DS_OK)
        return 0;
    struct ds_context c = {.arch = archs[data[0] & 3]};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ds_context_add(&c, names[i], ds_le64(data + 1), 8);
    size_t count = 0;
    for (size_t at = 9; at < size && count < 4096; count++) {
        struct ds_insn insn;
        enum ds_status s = ds_insn_decode(d, at, data + at, size - at, &insn);
        if (s == DS_OK)
            check(&insn, &c);
        at += s == DS_OK ? insn.size : 1;
    }
    ds_insn_close(d);
    return 0;
}
