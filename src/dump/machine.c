/*
 * Whether the machine is a virtual one. The names are those that the hypervisors' documentation
 * and sources give their CPUID leaves (Hyper-V TLFS 2.4, Linux asm/hypervisor), ACPI tables (QEMU
 * aml-build.h, VirtualBox, Xen libacpi, bhyve) and SMBIOS tables; PCI vendors by the PCI-SIG.
 */
#include "dump/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dump/blob_acpi.h"
#include "dump/blob_pci.h"
#include "dump/cpuid.h"

struct name {
    const char *text;     /* begins with it, without regard to case */
    const char *platform; /* NULL: none is named */
};

static const struct name cpuid_vendors[] = {
    {"VMwareVMware", "VMware"},   {"VBoxVBoxVBox", "VirtualBox"}, {"KVMKVMKVM", "KVM"},
    {"XenVMMXenVMM", "Xen"},      {"TCGTCGTCGTCG", "QEMU"},       {"prl hyperv", "Parallels"},
    {"lrpepyh  vr", "Parallels"}, {"bhyve bhyve", "bhyve"},       {"ACRNACRNACRN", "ACRN"},
    {"QNXQVMBSQG", "QNX"},
};

static const struct name acpi_oems[] = {
    {"VRTUAL", "Hyper-V"}, {"MSFTVM", "Hyper-V"}, {"BOCHS", "QEMU"},     {"VBOX", "VirtualBox"},
    {"VMWARE", "VMware"},  {"Xen", "Xen"},        {"PRLS", "Parallels"}, {"BHYVE", "bhyve"},
};

static const struct name makers[] = {
    {"VMware", "VMware"}, {"QEMU", "QEMU"},           {"innotek GmbH", "VirtualBox"},
    {"Xen", "Xen"},       {"Parallels", "Parallels"}, {"Bochs", "QEMU"},
    {"BHYVE", "bhyve"},   {"OpenStack", NULL},
};

static const struct name models[] = {
    {"Virtual Machine", "Hyper-V"},
    {"VirtualBox", "VirtualBox"},
    {"VMware", "VMware"},
    {"Standard PC", "QEMU"},
    {"KVM", "KVM"},
    {"HVM domU", "Xen"},
    {"Google Compute Engine", "Google Compute Engine"},
    {"Parallels Virtual", "Parallels"},
    {"Bochs", "QEMU"},
};

static const struct name firmware[] = {
    {"SeaBIOS", "QEMU"}, {"innotek GmbH", "VirtualBox"}, {"Xen", "Xen"},
    {"BHYVE", "bhyve"},  {"Parallels", "Parallels"},
};

static const struct {
    uint16_t vendor;
    const char *platform;
} pci_vendors[] = {
    {0x15ad, "VMware"}, {0x1414, "Hyper-V"}, {0x80ee, "VirtualBox"}, {0x5853, "Xen"},
    {0x1b36, "QEMU"},   {0x1234, "QEMU"},    {0x1ab8, "Parallels"},  {0xfb5d, "bhyve"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct name *find(const struct name *names, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(names[i].text);
        char head[40];
        if (n >= sizeof(head) || strlen(text) < n)
            continue;
        memcpy(head, text, n);
        head[n] = '\0';
        if (ds_text_casecmp(head, names[i].text) == 0)
            return &names[i];
    }
    return NULL;
}

static void add(struct ds_machine *m, const char *source, const char *found, const char *platform,
                enum ds_virtual says)
{
    for (size_t i = 0; i < m->evidence_count; i++)
        if (strcmp(m->evidence[i].source, source) == 0 && strcmp(m->evidence[i].found, found) == 0)
            return;
    if (m->evidence_count >= DS_MACHINE_EVIDENCE)
        return;
    struct ds_machine_evidence *e = &m->evidence[m->evidence_count++];
    *e = (struct ds_machine_evidence){.source = source, .platform = platform, .says = says};
    struct ds_buf text;
    ds_buf_init(&text, sizeof(e->found) - 1);
    ds_text_from_bytes(&text, found, strlen(found));
    memcpy(e->found, ds_buf_text(&text), text.len);
    ds_buf_deinit(&text);
}

static void add_named(struct ds_machine *m, const char *source, const struct name *names,
                      size_t count, const char *text)
{
    const struct name *n = find(names, count, text);
    if (n != NULL)
        add(m, source, text, n->platform, DS_VIRTUAL_YES);
}

/* Hyper-V's leaf 0x40000003: only the root partition may create partitions (TLFS 2.4.4). */
static struct ds_opt is_root(const uint8_t *blob, size_t size)
{
    struct ds_cpuid_row r;
    for (size_t i = 0; ds_cpuid_row(blob, size, i, &r); i++)
        if (r.leaf == 0x40000003u && r.subleaf == 0)
            return ds_opt_known(r.first[1] & 1);
    return ds_opt_unknown(DS_NOT_IN_DUMP);
}

static void look_at_cpuid(struct ds_machine *m, const uint8_t *blob, size_t size)
{
    struct ds_cpuid c;
    if (ds_cpuid_decode(blob, size, &c) != DS_OK || !c.hypervisor.known)
        return;
    if (c.hypervisor.value == 0) {
        add(m, "CPUID leaf 1", "no hypervisor", NULL, DS_VIRTUAL_NO);
        return;
    }
    const char *vendor = c.hypervisor_vendor;
    const struct name *n = find(cpuid_vendors, COUNT(cpuid_vendors), vendor);
    if (n != NULL) {
        add(m, "CPUID leaf 0x40000000", vendor, n->platform, DS_VIRTUAL_YES);
        return;
    }
    /* Windows on metal runs on Microsoft's hypervisor too, as its root partition. */
    if (c.hypervisor_below.known && c.hypervisor_below.value == 0) {
        add(m, "CPUID leaf 1", "only the hypervisor that Windows started", NULL, DS_VIRTUAL_NO);
        return;
    }
    struct ds_opt root = is_root(blob, size);
    if (strncmp(vendor, "Microsoft Hv", 12) == 0 && root.known)
        add(m, "CPUID leaf 0x40000003",
            root.value ? "Microsoft Hv, root partition" : "Microsoft Hv, not the root partition",
            root.value ? NULL : "Hyper-V", root.value ? DS_VIRTUAL_NO : DS_VIRTUAL_YES);
    else
        add(m, "CPUID leaf 1", vendor[0] != '\0' ? vendor : "a hypervisor", NULL,
            DS_VIRTUAL_UNKNOWN);
}

static void look_at_acpi(struct ds_machine *m, const uint8_t *blob, size_t size)
{
    struct ds_acpi_walk w = ds_acpi_walk_begin(blob, size);
    struct ds_acpi_table t;
    while (ds_acpi_next(&w, &t) == DS_OK) {
        if (m->oem[0] == '\0' && t.oem_id[0] != '\0')
            (void)snprintf(m->oem, sizeof(m->oem), "%s%s%s", t.oem_id,
                           t.oem_table_id[0] != '\0' ? " " : "", t.oem_table_id);
        add_named(m, "ACPI OEM id", acpi_oems, COUNT(acpi_oems), t.oem_id);
        if (strcmp(t.creator_id, "VMW") == 0)
            add(m, "ACPI creator id", t.creator_id, "VMware", DS_VIRTUAL_YES);
        /* Windows ACPI Emulated Devices Table, of Microsoft's specification of that name. */
        if (strcmp(t.signature, "WAET") == 0)
            add(m, "ACPI table", t.signature, NULL, DS_VIRTUAL_YES);
    }
}

static void look_at_smbios(struct ds_machine *m, const uint8_t *blob, size_t size)
{
    struct ds_smbios s;
    size_t before = m->evidence_count;
    (void)ds_smbios_decode(blob, size, &s);
    if (s.virtual_machine.known && s.virtual_machine.value != 0)
        add(m, "SMBIOS BIOS characteristics", "a virtual machine", NULL, DS_VIRTUAL_YES);
    add_named(m, "SMBIOS manufacturer", makers, COUNT(makers), s.system_manufacturer);
    add_named(m, "SMBIOS product", models, COUNT(models), s.system_product);
    add_named(m, "SMBIOS BIOS vendor", firmware, COUNT(firmware), s.bios_vendor);
    if (m->evidence_count == before && s.virtual_machine.known && s.system_manufacturer[0] != '\0')
        add(m, "SMBIOS manufacturer", s.system_manufacturer, NULL, DS_VIRTUAL_NO);
}

static void look_at_pci(struct ds_machine *m, const uint8_t *blob, size_t size)
{
    struct ds_pci_function f;
    size_t pos = 0;
    while (ds_pci_next(blob, size, &pos, &f) == DS_OK) {
        for (size_t i = 0; f.vendor_id.known && i < COUNT(pci_vendors); i++) {
            if (f.vendor_id.value != pci_vendors[i].vendor)
                continue;
            char text[16];
            (void)snprintf(text, sizeof(text), "%04x", (unsigned)f.vendor_id.value & 0xffff);
            add(m, "PCI vendor", text, pci_vendors[i].platform, DS_VIRTUAL_YES);
        }
    }
}

static void decide(struct ds_machine *m)
{
    for (size_t i = 0; i < m->evidence_count; i++) {
        const struct ds_machine_evidence *e = &m->evidence[i];
        if (e->says == DS_VIRTUAL_YES) {
            m->is_virtual = DS_VIRTUAL_YES;
            if (m->platform == NULL)
                m->platform = e->platform;
        } else if (e->says == DS_VIRTUAL_NO && m->is_virtual == DS_VIRTUAL_UNKNOWN) {
            m->is_virtual = DS_VIRTUAL_NO;
        }
    }
}

void ds_machine_read(struct ds_dump *d, struct ds_machine *ret)
{
    static const struct {
        const char *tag;
        void (*look)(struct ds_machine *m, const uint8_t *blob, size_t size);
    } sources[] = {{DS_SMBIOS_TAG, look_at_smbios},
                   {DS_ACPI_TAG, look_at_acpi},
                   {DS_CPUID_TAG, look_at_cpuid},
                   {DS_PCI_TAG, look_at_pci}};
    *ret = (struct ds_machine){0};
    for (size_t i = 0; i < COUNT(sources); i++) {
        uint8_t *blob;
        size_t size;
        if (ds_dump_blob_load(d, sources[i].tag, &blob, &size) != DS_OK)
            continue;
        sources[i].look(ret, blob, size);
        free(blob);
    }
    decide(ret);
}

const char *ds_virtual_name(enum ds_virtual v)
{
    return v == DS_VIRTUAL_YES ? "yes" : v == DS_VIRTUAL_NO ? "no" : "unknown";
}
