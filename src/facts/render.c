#include "facts/render.h"

void ds_render_attributes(uint32_t attributes, struct ds_buf *out)
{
    static const char *const names[] = {
        "hibernation crash",
        "dump device powered off",
        "dump file too small",
        "kernel-generated triage",
        "live dump",
        "generated offline",
        "filtered",
        "early boot crash",
        "encrypted",
        "decrypted",
    };
    if (attributes == 0)
        ds_buf_str(out, "none");
    bool first = true;
    for (unsigned bit = 0; bit < 32; bit++) {
        if (!(attributes >> bit & 1u))
            continue;
        if (!first)
            ds_buf_str(out, ", ");
        first = false;
        if (bit < sizeof(names) / sizeof(names[0]))
            ds_buf_str(out, names[bit]);
        else
            ds_buf_printf(out, "bit %u", bit);
    }
}
