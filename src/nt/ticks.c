/* The system's clock: how long a tick is, and how many there were. */
#include "nt/ticks.h"

#include "nt/impl.h"

static bool global_uint(struct ds_target *t, const char *name, unsigned size, uint64_t *ret)
{
    uint64_t va;
    return ds_target_global(t, name, &va) == DS_OK &&
           ds_space_read_uint(t->kernel, va, size, ret, NULL) == DS_OK;
}

static bool plausible(uint64_t tick)
{
    return tick >= 1000 && tick <= 10000000;
}

/* The uptime over the ticks that a processor has counted in it: KPRCB.LastTick. */
static uint64_t tick_by_uptime(struct ds_nt *nt)
{
    const struct ds_dump_header *h = ds_dump_header(nt->target->dump);
    const struct ds_processors *cpus = ds_nt_processors(nt);
    for (size_t i = 0; h->system_up_time.known && i < cpus->count; i++) {
        if (!cpus->rows[i].prcb.known)
            continue;
        struct ds_opt ticks =
            ds_target_field(nt->target, cpus->rows[i].prcb.value, "_KPRCB", "LastTick");
        if (ticks.known && ticks.value > 100 && plausible(h->system_up_time.value / ticks.value))
            return h->system_up_time.value / ticks.value;
    }
    return 0;
}

uint64_t ds_nt_shared_data(const struct ds_target *t)
{
    return t->pointer_size == 4 ? 0xffdf0000u : UINT64_C(0xfffff78000000000);
}

/* KUSER_SHARED_DATA (ntddk.h): TickCountMultiplier is milliseconds per tick, 24 fraction bits. */
uint64_t ds_nt_tick_length(struct ds_nt *nt, const char **source)
{
    struct ds_target *t = nt->target;
    const char *unused;
    uint64_t tick;
    if (source == NULL)
        source = &unused;
    *source = "";
    if (t->kernel == NULL)
        return 0;
    if ((global_uint(t, "KeTimeIncrement", 4, &tick) && plausible(tick)) ||
        (global_uint(t, "KeMaximumIncrement", 4, &tick) && plausible(tick)))
        return tick;
    struct ds_opt m =
        ds_target_field(t, ds_nt_shared_data(t), "_KUSER_SHARED_DATA", "TickCountMultiplier");
    tick = m.known ? (m.value & UINT32_MAX) * 10000 >> 24 : 0;
    if (plausible(tick)) {
        *source = " (by the shared user data)";
        return tick;
    }
    *source = " (by the uptime)";
    return tick_by_uptime(nt);
}

/*
 * KSYSTEM_TIME and TickCountQuad begin with the low half. Before Server 2003 the count is the
 * word at the start of KUSER_SHARED_DATA (TickCountLow, later TickCountLowDeprecated).
 */
struct ds_opt ds_nt_tick_count(struct ds_nt *nt)
{
    struct ds_target *t = nt->target;
    uint64_t ticks;
    if (t->kernel == NULL)
        return ds_opt_unknown(t->kernel_why);
    if (global_uint(t, "KeTickCount", 8, &ticks) && ticks != 0)
        return ds_opt_known(ticks);
    uint64_t shared = ds_nt_shared_data(t);
    struct ds_opt quad = ds_target_field(t, shared, "_KUSER_SHARED_DATA", "TickCountQuad");
    if (quad.known && quad.value != 0)
        return quad;
    if (t->build.known && t->build.value < 3790 &&
        ds_space_read_uint(t->kernel, shared, 4, &ticks, NULL) == DS_OK && ticks != 0)
        return ds_opt_known(ticks);
    return ds_opt_unknown(quad.known ? DS_NOT_FOUND : quad.why);
}
