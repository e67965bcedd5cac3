/*
 * What an instruction needs of its processor, as CPUID tells it. Source: Intel SDM volume 2A,
 * CPUID, tables of leaf 1 and leaf 7; AMD APM volume 3, appendix E, function 0x80000001.
 * Instructions that an older processor runs as another one (lzcnt, tzcnt) or as a no-operation
 * are left out: it does not refuse them.
 */
#include "unwind/insn_impl.h"

enum { EAX, EBX, ECX, EDX };

struct need {
    unsigned what; /* group, or instruction */
    struct ds_cpu_feature feature;
};

static const struct need by_group[] = {
    {X86_GRP_CMOV, {"CMOV", 1, EDX, 15}},
    {X86_GRP_MMX, {"MMX", 1, EDX, 23}},
    {X86_GRP_SSE1, {"SSE", 1, EDX, 25}},
    {X86_GRP_SSE2, {"SSE2", 1, EDX, 26}},
    {X86_GRP_SSE3, {"SSE3", 1, ECX, 0}},
    {X86_GRP_PCLMUL, {"PCLMULQDQ", 1, ECX, 1}},
    {X86_GRP_SSSE3, {"SSSE3", 1, ECX, 9}},
    {X86_GRP_FMA, {"FMA", 1, ECX, 12}},
    {X86_GRP_SSE41, {"SSE4.1", 1, ECX, 19}},
    {X86_GRP_SSE42, {"SSE4.2", 1, ECX, 20}},
    {X86_GRP_AES, {"AES", 1, ECX, 25}},
    {X86_GRP_AVX, {"AVX", 1, ECX, 28}},
    {X86_GRP_F16C, {"F16C", 1, ECX, 29}},
    {X86_GRP_FSGSBASE, {"FSGSBASE", 7, EBX, 0}},
    {X86_GRP_BMI, {"BMI1", 7, EBX, 3}},
    {X86_GRP_AVX2, {"AVX2", 7, EBX, 5}},
    {X86_GRP_BMI2, {"BMI2", 7, EBX, 8}},
    {X86_GRP_RTM, {"RTM", 7, EBX, 11}},
    {X86_GRP_AVX512, {"AVX512F", 7, EBX, 16}},
    {X86_GRP_DQI, {"AVX512DQ", 7, EBX, 17}},
    {X86_GRP_ADX, {"ADX", 7, EBX, 19}},
    {X86_GRP_SMAP, {"SMAP", 7, EBX, 20}},
    {X86_GRP_CDI, {"AVX512CD", 7, EBX, 28}},
    {X86_GRP_SHA, {"SHA", 7, EBX, 29}},
    {X86_GRP_BWI, {"AVX512BW", 7, EBX, 30}},
    {X86_GRP_VLX, {"AVX512VL", 7, EBX, 31}},
    {X86_GRP_SSE4A, {"SSE4A", 0x80000001, ECX, 6}},
    {X86_GRP_XOP, {"XOP", 0x80000001, ECX, 11}},
    {X86_GRP_FMA4, {"FMA4", 0x80000001, ECX, 16}},
    {X86_GRP_TBM, {"TBM", 0x80000001, ECX, 21}},
    {X86_GRP_3DNOW, {"3DNow!", 0x80000001, EDX, 31}},
};

static const struct need by_instruction[] = {
    {X86_INS_POPCNT, {"POPCNT", 1, ECX, 23}},
    {X86_INS_MOVBE, {"MOVBE", 1, ECX, 22}},
    {X86_INS_CMPXCHG16B, {"CMPXCHG16B", 1, ECX, 13}},
    {X86_INS_XSAVE, {"XSAVE", 1, ECX, 26}},
    {X86_INS_XSAVE64, {"XSAVE", 1, ECX, 26}},
    {X86_INS_XRSTOR, {"XSAVE", 1, ECX, 26}},
    {X86_INS_XRSTOR64, {"XSAVE", 1, ECX, 26}},
    {X86_INS_RDRAND, {"RDRAND", 1, ECX, 30}},
    {X86_INS_RDSEED, {"RDSEED", 7, EBX, 18}},
    {X86_INS_CLFLUSHOPT, {"CLFLUSHOPT", 7, EBX, 23}},
    {X86_INS_CLWB, {"CLWB", 7, EBX, 24}},
    {X86_INS_RDTSCP, {"RDTSCP", 0x80000001, EDX, 27}},
};

static void add(struct ds_insn *ret, const struct ds_cpu_feature *f)
{
    if (ret->feature_count < DS_INSN_FEATURES)
        ret->features[ret->feature_count++] = f;
}

void ds_insn_fill_features(csh handle, const cs_insn *in, struct ds_insn *ret)
{
    if (in->id == X86_INS_TZCNT || in->id == X86_INS_LZCNT)
        return;
    for (size_t i = 0; i < sizeof(by_instruction) / sizeof(by_instruction[0]); i++)
        if (by_instruction[i].what == in->id)
            add(ret, &by_instruction[i].feature);
    for (size_t i = 0; i < sizeof(by_group) / sizeof(by_group[0]); i++)
        if (cs_insn_group(handle, in, by_group[i].what))
            add(ret, &by_group[i].feature);
}
