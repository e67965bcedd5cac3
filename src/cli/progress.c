/* One line on a terminal while something takes long. */
#include <inttypes.h>

#include "base/os.h"
#include "cli/batch.h"

/* What is done sooner than this is not worth a flicker. */
#define QUIET_MS 500u
#define STEP_MS 100u

void cli_progress(uint64_t done, uint64_t total, uint64_t out, void *arg)
{
    static uint64_t began, shown;
    (void)arg;
    uint64_t now = ds_os_monotonic_ms();
    if (done >= total) {
        if (shown != 0)
            fputs("\r                                                  \r", stderr);
        began = shown = 0;
        return;
    }
    if (began == 0)
        began = now;
    if (now - began < QUIET_MS || now - shown < STEP_MS)
        return;
    shown = now;
    fprintf(stderr, "\rinflating: %3u %% (%" PRIu64 " MiB so far)",
            (unsigned)((double)done * 100.0 / (double)total), out >> 20);
    fflush(stderr);
}
