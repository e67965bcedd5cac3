#include "symbols/version.h"

#include <stddef.h>

#include "symbols/tables.h"

/* Order of the table: x64 before ARM64, then timestamp, then size of image. */
static int arch_rank(uint32_t arch)
{
    return arch == DS_ARCH_X64 ? 0 : 1;
}

static int compare(const struct ds_table_version *v, enum ds_arch arch, uint32_t timestamp,
                   uint32_t size)
{
    if (arch_rank(v->arch) != arch_rank(arch))
        return arch_rank(v->arch) < arch_rank(arch) ? -1 : 1;
    if (v->timestamp != timestamp)
        return v->timestamp < timestamp ? -1 : 1;
    if (v->size_of_image != size)
        return v->size_of_image < size ? -1 : 1;
    return 0;
}

bool ds_version_find(enum ds_arch arch, uint32_t timestamp, uint32_t size_of_image,
                     struct ds_version *ret)
{
    uint32_t low = 0, high = ds_table_version_count;
    if (arch != DS_ARCH_X64 && arch != DS_ARCH_ARM64)
        return false;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct ds_table_version *v = &ds_table_versions[mid];
        int order = compare(v, arch, timestamp, size_of_image);
        if (order == 0) {
            *ret = (struct ds_version){v->major, v->minor, v->build, v->revision,
                                       v->la57 ? "ntkrla57.exe" : "ntoskrnl.exe"};
            return true;
        }
        if (order > 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}

/*
 * Sources: Microsoft Learn, "Operating System Version" and "OSVERSIONINFOEXW" (to 8.1); "Windows 10
 * release information", "Windows 11 release information", "Windows Server release information"
 * (from 10240 on). NULL: there is no such edition of the build.
 */
static const struct {
    uint32_t build;
    const char *client, *server;
} names[] = {
    {2600, "Windows XP", NULL},
    {3790, "Windows XP x64", "Windows Server 2003"},
    {6000, "Windows Vista", NULL},
    {6001, "Windows Vista SP1", "Windows Server 2008"},
    {6002, "Windows Vista SP2", "Windows Server 2008 SP2"},
    {6003, NULL, "Windows Server 2008 SP2"},
    {7600, "Windows 7", "Windows Server 2008 R2"},
    {7601, "Windows 7 SP1", "Windows Server 2008 R2 SP1"},
    {9200, "Windows 8", "Windows Server 2012"},
    {9600, "Windows 8.1", "Windows Server 2012 R2"},
    {10240, "Windows 10 1507", NULL},
    {10586, "Windows 10 1511", NULL},
    {14393, "Windows 10 1607", "Windows Server 2016"},
    {15063, "Windows 10 1703", NULL},
    {16299, "Windows 10 1709", "Windows Server 1709"},
    {17134, "Windows 10 1803", "Windows Server 1803"},
    {17763, "Windows 10 1809", "Windows Server 2019"},
    {18362, "Windows 10 1903", "Windows Server 1903"},
    {18363, "Windows 10 1909", "Windows Server 1909"},
    {19041, "Windows 10 2004", "Windows Server 2004"},
    {19042, "Windows 10 20H2", "Windows Server 20H2"},
    {19043, "Windows 10 21H1", NULL},
    {19044, "Windows 10 21H2", NULL},
    {19045, "Windows 10 22H2", NULL},
    {20348, NULL, "Windows Server 2022"},
    {22000, "Windows 11 21H2", NULL},
    {22621, "Windows 11 22H2", NULL},
    {22631, "Windows 11 23H2", NULL},
    {25398, NULL, "Windows Server 23H2"},
    {26100, "Windows 11 24H2", "Windows Server 2025"},
    {26200, "Windows 11 25H2", NULL},
};

const char *ds_version_name(uint32_t build, bool is_server)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].build != build)
            continue;
        if (is_server)
            return names[i].server != NULL ? names[i].server : names[i].client;
        return names[i].client != NULL ? names[i].client : names[i].server;
    }
    return NULL;
}

/*
 * First revisions of the service packs: Microsoft Support articles 811113 (XP SP2: 5.1.2600.2180),
 * 936929 (XP SP3: 5.1.2600.5512), 824721 (Server 2003 SP1: 5.2.3790.1830) and 889100 (SP2:
 * 5.2.3790.3959).
 */
const char *ds_version_service_pack(uint32_t build, uint32_t revision)
{
    if (build == 2600) {
        if (revision >= 5512)
            return "SP3";
        if (revision >= 2180)
            return "SP2";
        return revision >= 1106 ? "SP1" : NULL;
    }
    if (build == 3790) {
        if (revision >= 3959)
            return "SP2";
        return revision >= 1830 ? "SP1" : NULL;
    }
    return NULL;
}
