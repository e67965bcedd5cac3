#include "base/arch.h"

static const struct {
    uint16_t machine;
    enum ds_arch arch;
} machines[] = {
    {0x014c, DS_ARCH_X86}, {0x8664, DS_ARCH_X64}, {0x01c4, DS_ARCH_ARM}, {0xaa64, DS_ARCH_ARM64}};

enum ds_arch ds_arch_from_machine(uint32_t machine)
{
    for (unsigned i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i].machine == machine)
            return machines[i].arch;
    return DS_ARCH_UNKNOWN;
}

struct ds_opt ds_arch_machine(enum ds_arch arch)
{
    for (unsigned i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i].arch == arch)
            return ds_opt_known(machines[i].machine);
    return ds_opt_unknown(DS_OK);
}

const char *ds_arch_name(enum ds_arch arch)
{
    switch (arch) {
    case DS_ARCH_X86:
        return "x86";
    case DS_ARCH_X64:
        return "x64";
    case DS_ARCH_ARM:
        return "arm";
    case DS_ARCH_ARM64:
        return "arm64";
    case DS_ARCH_UNKNOWN:
        break;
    }
    return "unknown";
}

unsigned ds_arch_pointer_size(enum ds_arch arch)
{
    switch (arch) {
    case DS_ARCH_X86:
    case DS_ARCH_ARM:
        return 4;
    case DS_ARCH_X64:
    case DS_ARCH_ARM64:
        return 8;
    case DS_ARCH_UNKNOWN:
        break;
    }
    return 0;
}
