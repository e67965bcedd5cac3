#include "dump/blob_names.h"

#include <stddef.h>

#include "base/text.h"

/*
 * Tags seen in published minidumps, named by their content; the KMDF ones after
 * microsoft/Windows-Driver-Frameworks (src/framework/shared/inc/private/common/fxifr.h).
 */
static const struct {
    const char *tag, *name;
} blob_names[] = {
    {"54c84888-01d1-4c1e-bed6-282c98241303", "KMDF in-flight recorder"},
    {"f87e4a4c-c5a1-4d2f-bff0-d5de63a5e4c3", "WDF client drivers"},
    {"bc5c008f-1e3a-44d7-988d-86f6884c6758", "SMBIOS"},
    {"d03dc06f-d88e-44c5-ba2a-fae035172d19", "CPUID leaves"},
    {"6c7ac389-4313-47dc-9f34-a8800a0fb56c", "processor registry values"},
    {"e83b40d2-b0a0-4842-abea-71c9e3463dd1", "ACPI table headers"},
    {"9276c055-eb87-425c-b8b5-04e4d247f6cd", "PCI configuration space"},
    {"be84d651-a550-4367-8e63-ab792b631f94", "image path of a process"},
    {"b7631941-532a-4cd6-b1b1-edb5917d4557", "PnP black box"},
    {"80cc79cf-a719-4af1-bf97-fe29ff76ebc1", "winlogon black box"},
    {"da82441d-7142-4bc1-b844-0807c5a4b67f", "storage port driver"},
    {"2b88b710-1c93-4f7c-b06c-655ecc50decc", "event trace buffers"},
    {"270a33fd-3da6-460d-ba89-3c1bae21e39b", "event trace buffers"},
    {"2b4ae195-a64d-4f04-8ede-7e4f981bd42a", "triage data blocks of drivers"},
    {"bf2297dc-34ba-11dc-868a-e19155d89593", "NVIDIA driver data"},
};

const char *ds_blob_name(const char *tag)
{
    for (size_t i = 0; i < sizeof(blob_names) / sizeof(blob_names[0]); i++)
        if (ds_text_casecmp(tag, blob_names[i].tag) == 0)
            return blob_names[i].name;
    return NULL;
}
