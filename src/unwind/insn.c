#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/insn_impl.h"

struct ds_insn_decoder {
    csh handle;
    cs_insn *insn; /* room for one */
    enum ds_arch arch;
};

enum ds_status ds_insn_open(enum ds_arch arch, struct ds_insn_decoder **ret)
{
    bool arm = arch == DS_ARCH_ARM64;
    if (!arm && arch != DS_ARCH_X64 && arch != DS_ARCH_X86)
        return DS_UNSUPPORTED;
    struct ds_insn_decoder *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return DS_NO_MEMORY;
    d->arch = arch;
    cs_err err = cs_open(arm ? CS_ARCH_ARM64 : CS_ARCH_X86,
                         arm                   ? CS_MODE_LITTLE_ENDIAN
                         : arch == DS_ARCH_X64 ? CS_MODE_64
                                               : CS_MODE_32,
                         &d->handle);
    if (err != CS_ERR_OK) {
        free(d);
        return err == CS_ERR_MEM ? DS_NO_MEMORY : DS_UNSUPPORTED;
    }
    if (cs_option(d->handle, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK ||
        (d->insn = cs_malloc(d->handle)) == NULL) {
        ds_insn_close(d);
        return DS_NO_MEMORY;
    }
    *ret = d;
    return DS_OK;
}

void ds_insn_close(struct ds_insn_decoder *d)
{
    if (d == NULL)
        return;
    if (d->insn != NULL)
        cs_free(d->insn, 1);
    (void)cs_close(&d->handle);
    free(d);
}

void ds_insn_add_memory(struct ds_insn *i, const struct ds_insn_memory *m)
{
    if (i->memory_count == DS_INSN_MEMORY) {
        i->other_memory = true;
        return;
    }
    i->memory[i->memory_count++] = *m;
}

const char *ds_insn_reg_name(csh handle, unsigned reg)
{
    const char *name = reg != 0 ? cs_reg_name(handle, reg) : NULL;
    return name != NULL ? name : "";
}

enum ds_status ds_insn_decode(struct ds_insn_decoder *d, uint64_t va, const uint8_t *bytes,
                              size_t len, struct ds_insn *ret)
{
    bool arm = d->arch == DS_ARCH_ARM64;
    size_t most = arm ? 4 : DS_INSN_BYTES, left = len < most ? len : most;
    const uint8_t *code = bytes;
    uint64_t at = va;
    if (!cs_disasm_iter(d->handle, &code, &left, &at, d->insn))
        return len < most ? DS_TRUNCATED : DS_INVALID;
    const cs_insn *in = d->insn;
    if (in->size == 0 || in->size > DS_INSN_BYTES || in->detail == NULL)
        return DS_INVALID;
    *ret = (struct ds_insn){
        .arch = d->arch, .va = va, .size = (uint8_t)in->size, .target_register = ""};
    memcpy(ret->bytes, bytes, in->size);
    snprintf(ret->mnemonic, sizeof(ret->mnemonic), "%.31s", in->mnemonic);
    snprintf(ret->text, sizeof(ret->text), "%.31s%s%.158s", in->mnemonic,
             in->op_str[0] != '\0' ? " " : "", in->op_str);
    if (arm)
        ds_insn_fill_arm64(d->handle, in, ret);
    else
        ds_insn_fill_x86(d->handle, in, ret);
    return DS_OK;
}

/* The whole register that a narrower name is part of, and the bits of it; "" when it is none. */
static unsigned whole_register(enum ds_arch arch, const char *name, char out[8])
{
    size_t len = strlen(name);
    out[0] = '\0';
    if (len == 0 || len > 6)
        return 0;
    if (arch == DS_ARCH_ARM64 && name[0] == 'w') {
        snprintf(out, 8, "%s%s", name[1] == 's' ? "" : "x", name + 1); /* wsp is of sp */
        return 32;
    }
    if (arch == DS_ARCH_X64 && name[0] == 'e') {
        snprintf(out, 8, "r%s", name + 1);
        return 32;
    }
    if (arch == DS_ARCH_X64 && name[0] == 'r' && name[len - 1] == 'd') {
        snprintf(out, 8, "%.*s", (int)(len - 1), name);
        return 32;
    }
    if (arch == DS_ARCH_X86 && len == 2) { /* bx, si, .. of 16-bit addressing */
        snprintf(out, 8, "e%s", name);
        return 16;
    }
    return 0;
}

bool ds_insn_register(const struct ds_context *c, const char *name, uint64_t *ret)
{
    char whole[8];
    uint64_t value;
    if (strcmp(name, "xzr") == 0 || strcmp(name, "wzr") == 0 || strcmp(name, "riz") == 0 ||
        strcmp(name, "eiz") == 0) {
        *ret = 0;
        return true;
    }
    if (ds_context_register(c, name, ret))
        return true;
    unsigned bits = whole_register(c->arch, name, whole);
    if (bits == 0 || !ds_context_register(c, whole, &value))
        return false;
    *ret = value & (((uint64_t)1 << bits) - 1);
    return true;
}

struct ds_opt ds_insn_address(const struct ds_insn *i, const struct ds_insn_memory *m,
                              const struct ds_context *c)
{
    uint64_t sum = (uint64_t)m->displacement, value;
    if (strcmp(m->segment, "fs") == 0 || strcmp(m->segment, "gs") == 0)
        return ds_opt_unknown(DS_NOT_FOUND);
    if (strcmp(m->base, "rip") == 0 || strcmp(m->base, "eip") == 0) {
        sum += i->va + i->size;
    } else if (m->base[0] != '\0') {
        if (!ds_insn_register(c, m->base, &value))
            return ds_opt_unknown(DS_NOT_FOUND);
        sum += value;
    }
    if (m->index[0] != '\0') {
        if (!ds_insn_register(c, m->index, &value))
            return ds_opt_unknown(DS_NOT_FOUND);
        if (m->signed_index && (value & 0x80000000u) != 0)
            value |= UINT64_C(0xffffffff00000000);
        sum += (value << m->shift) * m->scale;
    }
    if (m->addressbits < 64)
        sum &= ((uint64_t)1 << m->addressbits) - 1;
    return ds_opt_known(sum);
}

const char *ds_insn_access_name(unsigned access)
{
    switch (access) {
    case DS_INSN_READ:
        return "read";
    case DS_INSN_WRITE:
        return "write";
    case DS_INSN_READ | DS_INSN_WRITE:
        return "read and write";
    default:
        return NULL;
    }
}
