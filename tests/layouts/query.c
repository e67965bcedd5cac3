/*
 * Answers what check.py asks of the compiled layout tables.
 *
 * usage: query < lines of "PROFILE STRUCT MEMBER"; prints "OFFSET SIZE BIT_POS BIT_LEN" or "-".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/layout.h"

int main(void)
{
    static struct ds_layout *open[256];
    char line[512], type[128], member[256];
    unsigned profile;
    struct ds_field f;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "%u %127s %255s", &profile, type, member) != 3 || profile >= 256)
            return 2;
        if (open[profile] == NULL && ds_layout_open_profile(profile, &open[profile], NULL) != DS_OK)
            return 2;
        if (ds_layout_field(open[profile], type, member, &f) == DS_OK)
            printf("%u %u %u %u\n", (unsigned)f.offset, (unsigned)f.size, (unsigned)f.bit_pos,
                   (unsigned)f.bit_len);
        else
            puts("-");
    }
    for (size_t i = 0; i < 256; i++)
        ds_layout_close(open[i]);
    return 0;
}
