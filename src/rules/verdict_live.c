/* Nobody is blamed for a crash that did not happen. */
#include <string.h>

#include "base/text.h"
#include "nt/live.h"
#include "rules/rules.h"

/* Who asked for the dump noticed the trouble: that is no reason for suspicion. */
static bool asked(const struct ds_live *l, const struct ds_culprit *c)
{
    return l->module != NULL && ds_text_casecmp(l->module, c->module) == 0;
}

void ds_verdict_live(struct ds_nt *nt, struct ds_verdict *v)
{
    const struct ds_live *l = ds_nt_live(nt);
    if (!l->live.known || l->live.value == 0 || v->culprit.kind == DS_CULPRIT_HARDWARE)
        return;
    if (l->on_request) {
        v->runner_up_count = 0;
    } else if (v->culprit.module != NULL && !asked(l, &v->culprit)) {
        size_t keep = v->runner_up_count < DS_CULPRIT_RUNNERS_UP ? v->runner_up_count
                                                                 : DS_CULPRIT_RUNNERS_UP - 1;
        memmove(&v->runners_up[1], &v->runners_up[0], keep * sizeof(v->runners_up[0]));
        v->runners_up[0] = v->culprit;
        v->runner_up_count = keep + 1;
    }
    v->culprit = (struct ds_culprit){.kind = DS_CULPRIT_UNKNOWN,
                                     .reason = "a live dump: the system did not crash",
                                     .confidence = "high"};
}
