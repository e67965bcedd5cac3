/*
 * The PCI blob of a minidump (pci!PCI_CFG_RECORD_GUID, shown by !blackboxpci): records back to
 * back of {'PCfg', u32 record bytes, u32 pieces, u32 location: function in bits 0-2, device in
 * 3-7, bus in 8-15; 40 bytes of pci.sys's own state} and pieces of configuration space {u16
 * offset, u16 bytes, bytes}. Layout found by inspection of real dumps; registers: PCI Local Bus
 * Specification 3.0, 6.1 and 6.7, PCI-to-PCI Bridge Architecture 1.2, 3.2.
 */
#ifndef DS_DUMP_BLOB_PCI_H
#define DS_DUMP_BLOB_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "dumpscan/status.h"

#define DS_PCI_TAG "9276c055-eb87-425c-b8b5-04e4d247f6cd"

/* One function. Registers are unknown when no captured piece has them. */
struct ds_pci_function {
    unsigned bus, device, function;
    struct ds_opt vendor_id, device_id;
    struct ds_opt command, status, revision;
    struct ds_opt base_class, sub_class, prog_if;
    struct ds_opt header_type;                       /* 0 function, 1 bridge; bit 7 removed */
    struct ds_opt subsystem_vendor_id, subsystem_id; /* of the header, of a bridge by capability */
    struct ds_opt secondary_bus, subordinate_bus;    /* bridges */
    size_t offset, size;                             /* of the record in the blob */
    uint32_t pieces;                                 /* as stated */
    size_t captured;                                 /* bytes of configuration space */
};

/*
 * The record at *pos, which moves behind it; begin with 0. DS_NOT_FOUND at the end, DS_CORRUPT
 * where no record begins or its pieces leave it, DS_TRUNCATED when the blob ends within one.
 */
enum ds_status ds_pci_next(const void *blob, size_t size, size_t *pos, struct ds_pci_function *ret);

/* A class of data/blobs/pci-classes.txt. */
struct ds_pci_class {
    uint16_t code; /* base class << 8 | sub class; sub class 0xff stands for all others */
    const char *name;
};

/* Ascending by code; generated. */
extern const struct ds_pci_class ds_pci_classes[];
extern const size_t ds_pci_class_count;

/* "SATA controller"; the base class's name when the sub class has none; NULL. Static. */
const char *ds_pci_class_name(unsigned base_class, unsigned sub_class);

#endif
