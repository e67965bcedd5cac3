/* Exact Windows revisions by kernel image, and names of Windows versions by build. */
#ifndef DS_SYMBOLS_VERSION_H
#define DS_SYMBOLS_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arch.h"

struct ds_version {
    uint16_t major, minor;
    uint32_t build, revision;
    const char *file; /* static: "ntoskrnl.exe", "ntkrla57.exe" */
};

/* Looks the kernel image up by the pair that PsLoadedModuleList shows. False when not listed.
 * Source: data/layouts/nt-versions.tsv (winsiderss/systeminformer kphdyn.xml, MIT). */
bool ds_version_find(enum ds_arch arch, uint32_t timestamp, uint32_t size_of_image,
                     struct ds_version *ret);

/* A name for people: "Windows 10 2004", from the build number; NULL when not known. */
const char *ds_version_name(uint32_t build, bool is_server);

/* "SP2" for builds whose service packs differ in the revision only (XP, Server 2003); else NULL:
 * later ones have a build number of their own, which ds_version_name() tells. */
const char *ds_version_service_pack(uint32_t build, uint32_t revision);

#endif
