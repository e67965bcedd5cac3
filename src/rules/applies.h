/*
 * Which dumps a pattern can be asked of: what its key "applies" may hold. Private to src/rules.
 *
 *   memory           the dump holds memory: it is more than a header
 *   kernel-memory    it holds the kernel's memory: any dump but minidumps and headers
 *   crash, live-dump the system crashed, or did not (table live_dump)
 *   x86, x64, arm64  the processors' architecture
 *   bugcheck-0xNN    the bugcheck's code, bits that mark variants aside
 *   build-NNNN+      Windows of that build or a later one: 6000 is Vista
 *
 * Several of crash and live-dump, several architectures and several codes are alternatives; of
 * these kinds each that is named must hold. A condition on something that is not known holds:
 * such a pattern is asked, and says what it misses.
 */
#ifndef DS_RULES_APPLIES_H
#define DS_RULES_APPLIES_H

#include "nt/nt.h"
#include "rules/rules.h"

/* Whether the text is a condition. */
bool ds_condition_known(const char *text);

/* NULL when the pattern can be asked of this dump; else why not, as the end of a sentence that
 * begins with the pattern ("needs a kernel or complete dump"). Static. */
const char *ds_pattern_misfit(struct ds_nt *nt, const struct ds_pattern *p);

#endif
