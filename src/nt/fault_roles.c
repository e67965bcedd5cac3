/*
 * Which parameter of a bugcheck is what to the fault. Source: the pages bug-check-0x*.md of
 * MicrosoftDocs/windows-driver-docs, "Parameters"; each line's page has the code in its name.
 */
#include "nt/impl.h"

#define NO (-1)

/* exception record, context, trap frame, fault address, access, code address, exception code */
static const struct ds_fault_roles roles[] = {
    {0x0a, NO, NO, NO, 0, 2, 3, NO},   {0x1e, NO, NO, NO, NO, NO, 1, 0},
    {0x3b, NO, 2, NO, NO, NO, 1, 0},   {0x50, NO, NO, NO, 0, 1, 2, NO},
    {0x7e, 2, 3, NO, NO, NO, 1, 0},    {0x8e, NO, NO, 2, NO, NO, 1, 0},
    {0xbe, NO, NO, NO, 0, NO, NO, NO}, {0xc5, NO, NO, NO, 0, 2, 3, NO},
    {0xcc, NO, NO, NO, 0, 1, 2, NO},   {0xcd, NO, NO, NO, 0, 1, 2, NO},
    {0xce, NO, NO, NO, 0, 1, 2, NO},   {0xd0, NO, NO, NO, 0, 2, 3, NO},
    {0xd1, NO, NO, NO, 0, 2, 3, NO},   {0xd3, NO, NO, NO, 0, 2, 3, NO},
    {0xd4, NO, NO, NO, 0, 2, 3, NO},   {0xd5, NO, NO, NO, 0, 1, 2, NO},
    {0xd6, NO, NO, NO, 0, 1, 2, NO},   {0xfc, NO, NO, NO, 0, NO, NO, NO},
    {0x139, 2, NO, 1, NO, NO, NO, NO},
};

const struct ds_fault_roles *ds_fault_roles_find(uint32_t code)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (roles[i].code == code) {
            return &roles[i];
        }
    }
    return NULL;
}

const char *ds_fault_access_name(uint32_t code, uint64_t value)
{
    if (code == 0xbe) {
        return "write";
    }
    if (code == 0xfc) {
        return "execute";
    }
    if (code == 0x0a) { /* a bit field: bit 0 write, bit 3 execute */
        return value > 0xf        ? NULL
               : (value & 8) != 0 ? "execute"
               : (value & 1) != 0 ? "write"
                                  : "read";
    }
    switch (value) {
    case 0:
        return "read";
    case 1:
        return "write";
    case 2: /* 0x50 since Windows 10 writes 2 for a write; 0xD1 2 for an execute */
        return code == 0x50 ? "write" : "execute";
    case 8:
    case 0x10:
        return "execute";
    default:
        return NULL;
    }
}
