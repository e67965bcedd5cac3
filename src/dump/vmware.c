#include "dump/vmware.h"

#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

#define REGIONS_MAX 256u
#define SEEN_PC 1u
#define SEEN_SP 2u

/* A stretch of guest memory, in pages. */
struct region {
    uint64_t guest, file, count;
    unsigned known; /* bits 0 to 2 */
};

struct machine {
    struct ds_dump *d;
    struct region regions[REGIONS_MAX];
    uint64_t region_count;   /* as stated */
    bool memory, compressed; /* a block with the memory is in the state itself */
    uint64_t memory_at, memory_size;
    struct ds_guest_cpu *cpus; /* arena; DS_LIMIT_PROCESSORS of them, NULL until needed */
    uint8_t seen[DS_LIMIT_PROCESSORS];
    uint32_t cpu_count;
    bool wide; /* an address beyond 32 bits was met: a 64-bit system */
};

/* ---- where memory is ---- */

static void region_value(struct machine *m, const struct ds_vmware_tag *t)
{
    static const char *const names[] = {"regionPPN", "regionPageNum", "regionSize"};
    if (t->index_count == 0 || t->index[0] >= REGIONS_MAX)
        return;
    struct region *r = &m->regions[t->index[0]];
    uint64_t *values[] = {&r->guest, &r->file, &r->count};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(t->name, names[i]) == 0) {
            *values[i] = t->value;
            r->known |= 1u << i;
        }
    }
}

static bool memory_tag(void *arg, const struct ds_vmware_tag *t)
{
    struct machine *m = arg;
    if (t->block && strcmp(t->name, "Memory") == 0 && t->size != 0) {
        m->memory = true;
        m->compressed = t->compressed;
        m->memory_at = t->at;
        m->memory_size = t->size;
    } else if (!t->block && strcmp(t->name, "regionsCount") == 0) {
        m->region_count = t->value;
    } else if (!t->block) {
        region_value(m, t);
    }
    return true;
}

/* ---- registers ---- */

static struct ds_guest_cpu *cpu_of(struct machine *m, const struct ds_vmware_tag *t)
{
    if (t->index_count == 0 || t->index[0] >= DS_LIMIT_PROCESSORS)
        return NULL;
    if (m->cpus == NULL)
        m->cpus = ds_arena_alloc(&m->d->arena, DS_LIMIT_PROCESSORS, sizeof(*m->cpus));
    if (m->cpus == NULL)
        return NULL;
    if (t->index[0] >= m->cpu_count)
        m->cpu_count = t->index[0] + 1;
    return &m->cpus[t->index[0]];
}

static int general_register(const char *name)
{
    static const char *const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    for (int i = 0; i < 16; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static void control_register(struct machine *m, struct ds_guest_cpu *c, uint64_t number,
                             uint64_t value)
{
    if (number == 3)
        c->cpu.cr3 = ds_opt_known(value);
    if (number == 4)
        c->cpu.cr4 = ds_opt_known(value);
    m->wide = m->wide || (number == 2 && value >> 32 != 0);
}

static void register_value(struct machine *m, struct ds_guest_cpu *c, const struct ds_vmware_tag *t)
{
    int general = general_register(t->name);
    uint8_t *seen = &m->seen[t->index[0]];
    if (general >= 0) {
        c->general[general] = t->value;
        *seen |= general == 4 ? SEEN_SP : 0;
        m->wide = m->wide || (general == 4 && t->value >> 32 != 0);
    } else if (strcmp(t->name, "rip") == 0) {
        c->pc = t->value;
        *seen |= SEEN_PC;
        m->wide = m->wide || t->value >> 32 != 0;
    } else if (strcmp(t->name, "eflags") == 0 || strcmp(t->name, "EFLAGS") == 0) {
        c->flags |= t->value;
    } else if (strcmp(t->name, "CR64") == 0 && t->index_count >= 2) {
        control_register(m, c, t->index[1], t->value);
    } else if (strcmp(t->name, "IDTR") == 0 && t->index_count >= 2 &&
               (t->index[1] == 1 || t->index[1] == 2)) { /* the halves of the base */
        uint64_t base = ds_opt_or(c->cpu.idt_base, 0);
        base |= t->index[1] == 1 ? t->value & UINT32_MAX : t->value << 32;
        c->cpu.idt_base = ds_opt_known(base);
        m->wide = m->wide || base >> 32 != 0;
    }
}

static void register_block(struct machine *m, struct ds_guest_cpu *c, const struct ds_vmware_tag *t,
                           struct ds_source *state)
{
    /* The place of each word of "gpregs" in the order of the encoding. */
    static const uint8_t place[16] = {0, 1, 2, 3, 5, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t b[128];
    if (t->compressed || t->size > sizeof(b) ||
        ds_source_read(state, t->at, b, (size_t)t->size, NULL) != DS_OK)
        return;
    if (strcmp(t->name, "gpregs") == 0 && t->size == sizeof(b)) {
        for (size_t i = 0; i < 16; i++)
            c->general[place[i]] = ds_le64(b + i * 8);
        m->seen[t->index[0]] |= SEEN_SP;
        m->wide = m->wide || c->general[4] >> 32 != 0;
    } else if (strcmp(t->name, "CR64") == 0 && t->size >= 40) {
        for (size_t i = 0; i < 5; i++)
            control_register(m, c, i, ds_le64(b + i * 8));
    } else if (strcmp(t->name, "IDTR") == 0 && t->size == 10) { /* limit, base */
        c->cpu.idt_base = ds_opt_known(ds_le64(b + 2));
        m->wide = m->wide || ds_le32(b + 6) != 0;
    }
}

struct cpu_reader {
    struct machine *m;
    struct ds_source *state;
};

static bool cpu_tag(void *arg, const struct ds_vmware_tag *t)
{
    struct cpu_reader *r = arg;
    struct ds_guest_cpu *c = cpu_of(r->m, t);
    if (c != NULL && t->block)
        register_block(r->m, c, t, r->state);
    else if (c != NULL)
        register_value(r->m, c, t);
    return true;
}

static enum ds_status add_cpus(struct machine *m)
{
    for (uint32_t i = 0; i < m->cpu_count; i++) {
        m->cpus[i].has_registers = m->seen[i] == (SEEN_PC | SEEN_SP);
        enum ds_status st = ds_guest_cpu_add(m->d, &m->cpus[i]);
        if (st != DS_OK)
            return st;
    }
    return DS_OK;
}

/* ---- together ---- */

static enum ds_status add_stretch(struct ds_dump *d, uint64_t pa, uint64_t size, uint64_t at,
                                  uint64_t *lost)
{
    uint64_t have = ds_dump_captured(d, at, size);
    enum ds_status st = ds_extents_add(&d->phys_map, pa, have, at, false, DS_LIMIT_RUNS);
    if (st == DS_OK && have < size)
        st = ds_extents_add(&d->phys_map, pa + have, size - have, 0, true, DS_LIMIT_RUNS);
    d->phys_pages += have / DS_PAGE_SIZE;
    *lost += (size - have) / DS_PAGE_SIZE;
    return st;
}

#define PAGES_MAX (UINT64_C(1) << 40) /* 2^52 bytes, what a physical address can be */

static enum ds_status add_regions(struct machine *m, uint64_t base, uint64_t *lost)
{
    uint64_t count = m->region_count < REGIONS_MAX ? m->region_count : REGIONS_MAX;
    enum ds_status st = DS_OK;
    for (uint64_t i = 0; st == DS_OK && i < count; i++) {
        const struct region *r = &m->regions[i];
        if (r->known != 7 || r->guest > PAGES_MAX || r->file > PAGES_MAX || r->count > PAGES_MAX) {
            ds_dump_say(m->d, DS_INTEGRITY_DAMAGE, "vmware.region", DS_NO_OFFSET,
                        "the memory of this region", "place, page and size of each region",
                        "region %llu without, or beyond all memory", (unsigned long long)i);
            continue;
        }
        st = add_stretch(m->d, r->guest * DS_PAGE_SIZE, r->count * DS_PAGE_SIZE,
                         base + r->file * DS_PAGE_SIZE, lost);
    }
    if (m->region_count > REGIONS_MAX)
        ds_dump_say(m->d, DS_INTEGRITY_DAMAGE, "vmware.region_count", DS_NO_OFFSET,
                    "the memory of the regions beyond the limit", "at most 256 regions", "%llu",
                    (unsigned long long)m->region_count);
    return st;
}

static enum ds_status map_memory(struct machine *m, struct ds_err *err)
{
    struct ds_dump *d = m->d;
    uint64_t lost = 0;
    uint64_t base = m->memory ? m->memory_at : 0;
    uint64_t size = m->memory ? m->memory_size : d->file_size;
    enum ds_status st = m->region_count != 0
                            ? add_regions(m, base, &lost)
                            : add_stretch(d, 0, size & ~(uint64_t)(DS_PAGE_SIZE - 1), base, &lost);
    if (st == DS_OK)
        st = ds_extents_build(&d->phys_map);
    if (st != DS_OK)
        return ds_err_set(err, st, "cannot list the memory of the VMware machine: %s",
                          ds_status_text(st));
    if (lost != 0)
        ds_dump_say(d, DS_INTEGRITY_DAMAGE, "file.truncated", d->file_size,
                    "that memory; what lies in the file can be trusted; copy it again",
                    "all the memory that the saved state tells of",
                    "%llu pages lie behind the end of the file", (unsigned long long)lost);
    return DS_OK;
}

static enum ds_status refuse(const struct machine *m, struct ds_err *err)
{
    if (m->compressed)
        return ds_err_set(err, DS_UNSUPPORTED,
                          "a VMware saved state whose memory is compressed: have VMware's "
                          "vmss2core -W8 write memory.dmp from it");
    return ds_err_set(err, DS_NOT_DUMP,
                      "not a Windows kernel dump by itself: this is a VMware saved state (.vmss, "
                      ".vmsn) without memory; put the .vmem file of the same name beside it, or "
                      "have VMware's vmss2core -W8 write memory.dmp");
}

enum ds_status ds_vmware_open(struct ds_dump *d, struct ds_source *state, struct ds_source *memory,
                              struct ds_err *err)
{
    struct machine *m = ds_arena_alloc(&d->arena, 1, sizeof(*m));
    if (m == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    *m = (struct machine){.d = d};
    struct cpu_reader cpus = {m, state};
    enum ds_status told = ds_vmware_tags(state, "memory", memory_tag, m);
    if (m->compressed || (memory == NULL && !m->memory))
        return refuse(m, err);
    enum ds_status also = ds_vmware_tags(state, "cpu", cpu_tag, &cpus);
    ds_guest_header_init(d, m->wide ? DS_ARCH_X64 : DS_ARCH_UNKNOWN);
    d->kind = DS_DUMP_VMWARE;
    d->src = m->memory ? state : memory;
    d->file_size = d->src->size;
    d->end_known = true;
    enum ds_status st = map_memory(m, err);
    if (st != DS_OK)
        return st;
    if (told != DS_OK)
        ds_dump_say(d, told == DS_NOT_FOUND ? DS_INTEGRITY_NOTE : DS_INTEGRITY_DAMAGE,
                    "vmware.memory", DS_NO_OFFSET,
                    "where memory above a hole belongs; it is read from address 0 on",
                    "a group that tells of the memory's regions", "%s", ds_status_name(told));
    if (also != DS_OK)
        ds_dump_say(d, also == DS_NOT_FOUND ? DS_INTEGRITY_NOTE : DS_INTEGRITY_DAMAGE,
                    "vmware.registers", DS_NO_OFFSET,
                    "registers of processors; the kernel is looked for in memory",
                    "a group with the processors' registers", "%s", ds_status_name(also));
    return add_cpus(m) == DS_OK ? DS_OK : ds_err_set(err, DS_NO_MEMORY, "out of memory");
}
