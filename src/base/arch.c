#include "base/arch.h"

enum ds_arch ds_arch_from_machine(uint32_t machine)
{
    switch (machine) {
    case 0x014c:
        return DS_ARCH_X86;
    case 0x8664:
        return DS_ARCH_X64;
    case 0x01c4:
        return DS_ARCH_ARM;
    case 0xaa64:
        return DS_ARCH_ARM64;
    default:
        return DS_ARCH_UNKNOWN;
    }
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
