#include "unwind/frame.h"

#include "base/bytes.h"

#define CALL_MAX 7u /* longest call without prefixes: FF /2 with SIB and disp32 */

const char *ds_frame_trust_name(enum ds_frame_trust trust)
{
    switch (trust) {
    case DS_FRAME_CONTEXT:
        return "context";
    case DS_FRAME_SWITCH:
        return "switch_frame";
    case DS_FRAME_UNWIND:
        return "unwind";
    case DS_FRAME_FP:
        return "frame_pointer";
    case DS_FRAME_LINK:
        return "link_register";
    case DS_FRAME_SCAN:
        break;
    }
    return "scan";
}

/* Length of the indirect call FF /2 at p, of which `len` bytes are there; 0 when it is none.
 * Source: Intel SDM volume 2A, ModR/M and SIB encoding. */
static size_t indirect_call_length(const uint8_t *p, size_t len)
{
    if (len < 2 || p[0] != 0xff || (p[1] >> 3 & 7) != 2) {
        return 0;
    }
    unsigned mod = p[1] >> 6, rm = p[1] & 7;
    size_t sib = mod != 3 && rm == 4 ? 1 : 0;
    if (mod == 3) {
        return 2;
    }
    if (mod == 1) {
        return 3 + sib;
    }
    if (mod == 2 || rm == 5) {
        return 6 + sib;
    }
    if (sib == 1 && len > 2 && (p[2] & 7) == 5) { /* no base: a disp32 follows */
        return 7;
    }
    return 2 + sib;
}

/* Whether the `len` bytes before an address end in a call. */
static bool ends_in_call(const uint8_t *p, size_t len)
{
    if (len >= 5 && p[len - 5] == 0xe8) {
        return true;
    }
    for (size_t n = 2; n <= len; n++) {
        if (indirect_call_length(p + len - n, n) == n) {
            return true;
        }
    }
    return false;
}

static struct ds_opt after_call_x86(struct ds_space *space, uint64_t va)
{
    uint8_t code[CALL_MAX];
    struct ds_fault fault = {.status = DS_NOT_MAPPED};
    size_t len = CALL_MAX;
    /* The call may begin right where captured bytes begin. */
    while (len >= 2 && (va < len || ds_space_read(space, va - len, code, len, &fault) != DS_OK)) {
        len--;
    }
    if (len < 2) {
        return ds_opt_unknown(fault.status);
    }
    if (ends_in_call(code, len)) {
        return ds_opt_known(1);
    }
    return len == CALL_MAX ? ds_opt_known(0) : ds_opt_unknown(fault.status);
}

/* Source: Arm Architecture Reference Manual, C6.2: BL, BLR, and BLRA* of FEAT_PAuth. */
static struct ds_opt after_call_arm64(struct ds_space *space, uint64_t va)
{
    uint64_t code;
    struct ds_fault fault;
    if ((va & 3) != 0) {
        return ds_opt_known(0);
    }
    if (ds_space_read_uint(space, va - 4, 4, &code, &fault) != DS_OK) {
        return ds_opt_unknown(fault.status);
    }
    bool call = (code & 0xfc000000u) == 0x94000000u || (code & 0xfffffc1fu) == 0xd63f0000u ||
                (code & 0xfefff800u) == 0xd63f0800u;
    return ds_opt_known(call ? 1 : 0);
}

struct ds_opt ds_code_after_call(struct ds_space *space, enum ds_arch arch, uint64_t va)
{
    switch (arch) {
    case DS_ARCH_X64:
    case DS_ARCH_X86:
        return after_call_x86(space, va);
    case DS_ARCH_ARM64:
        return after_call_arm64(space, va);
    case DS_ARCH_ARM:
    case DS_ARCH_UNKNOWN:
        break;
    }
    return ds_opt_unknown(DS_UNSUPPORTED);
}

struct ds_opt ds_code_call_target(struct ds_space *space, enum ds_arch arch, uint64_t va)
{
    uint8_t code[5];
    struct ds_fault fault;
    if ((arch != DS_ARCH_X64 && arch != DS_ARCH_X86) || va < sizeof(code)) {
        return ds_opt_unknown(DS_UNSUPPORTED);
    }
    if (ds_space_read(space, va - sizeof(code), code, sizeof(code), &fault) != DS_OK) {
        return ds_opt_unknown(fault.status);
    }
    if (code[0] != 0xe8) {
        return ds_opt_unknown(DS_NOT_FOUND);
    }
    uint64_t target = va + (uint64_t)(int64_t)(int32_t)ds_le32(code + 1);
    return ds_opt_known(arch == DS_ARCH_X86 ? target & UINT32_MAX : target);
}
