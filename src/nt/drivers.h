/*
 * Whose driver is it: what an image says of itself, what its name hints at, and whether the stamp
 * in it is a date.
 */
#ifndef DS_NT_DRIVERS_H
#define DS_NT_DRIVERS_H

#include "nt/nt.h"

/* A file name and what data/drivers/ says of it. */
struct ds_driver_name {
    const char *name; /* lower case */
    const char *text; /* letters of the sources, or the maker */
};
extern const struct ds_driver_name ds_in_box_table[], ds_maker_table[];
extern const size_t ds_in_box_count, ds_maker_count;

/* Text is UTF-8 and lives as long as the ds_nt; NULL is unknown. */
struct ds_driver {
    const struct ds_module *module;
    /* From the version resource: the image's own word, no proof. */
    const char *company, *product, *description, *file_version, *product_version;
    const char *pdb_name, *pdb_id; /* of its symbols, by the debug directory: "ntkrnlmp.pdb",
                                      "5278AFF86C341677D7D7835C85B7B844-1" */
    enum ds_status version_why;    /* DS_OK when the resource was read */
    /* From the name: a hint. */
    struct ds_opt in_box;      /* 1: on the list of files that Microsoft ships with Windows; 0: not
                                  on it, which says nothing; unknown without a name */
    const char *in_box_source; /* NULL unless in_box is 1 */
    const char *listed_maker;  /* who made the files of that name that the list knows */
    /* The stamp in the headers. */
    const char *timestamp_kind;   /* static: "date", "probable date", "hash", "not a date",
                                     "unknown" */
    const char *timestamp_reason; /* static: one clause */
    struct ds_opt built;          /* FILETIME, UTC; known for dates and probable dates only */
    struct ds_opt age_days;       /* from then to the time of the dump */
    struct ds_opt reproducible;   /* 1: the stamp is a hash; unknown when not captured */
};

/* One for every module of the target, in the same order; NULL when memory ran out. */
const struct ds_driver *ds_nt_drivers(struct ds_nt *nt);
/* The driver that the module belongs to, read alone; false when memory ran out. */
bool ds_driver_read(struct ds_nt *nt, const struct ds_module *m, struct ds_driver *ret);

/* What the list of in-box names says: the source in words, or NULL. A "dump_" in front (the crash
 * dump stack's copy) is passed over. */
const char *ds_in_box_find(const char *file_name);
const char *ds_maker_find(const char *file_name);

#endif
