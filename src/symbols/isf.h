/*
 * Volatility 3's intermediate symbol format: JSON, often .xz, with symbols, types and the id of
 * the PDB it was made of. Source: volatilityfoundation/volatility3, schemas/schema-6.2.0.json.
 */
#ifndef DS_SYMBOLS_ISF_H
#define DS_SYMBOLS_ISF_H

#include "symbols/isf_types.h"
#include "symbols/symtab.h"

struct ds_isf {
    char pdb_name[128];         /* "ntkrnlmp.pdb"; "" when not told */
    char pdb_id[48];            /* "5278AFF86C341677D7D7835C85B7B844-1"; "" when not told */
    bool is64;                  /* by metadata's machine type; true when not told */
    struct ds_symtab symbols;   /* finished */
    struct ds_isf_types *types; /* owned; NULL when it holds none */
};

/* Which PDB a file was made of; reads no further than it must. types and symbols stay empty. */
enum ds_status ds_isf_identify(const char *path, struct ds_isf *ret,
                               struct ds_err *err) DS_MUST_CHECK;

/*
 * Reads all of it. wanted_id: refuse (DS_INVALID) a file made of another PDB; "" takes any.
 * want_types: otherwise types stays NULL. Errors: DS_NOT_FOUND, DS_IO, DS_CORRUPT, DS_LIMIT,
 * DS_INVALID, DS_NO_MEMORY.
 */
enum ds_status ds_isf_load(const char *path, const char *wanted_id, bool want_types,
                           struct ds_isf *ret, struct ds_err *err) DS_MUST_CHECK;

/* The same from bytes in memory (plain or .xz). */
enum ds_status ds_isf_load_bytes(const void *data, size_t size, const char *wanted_id,
                                 bool want_types, struct ds_isf *ret,
                                 struct ds_err *err) DS_MUST_CHECK;

void ds_isf_deinit(struct ds_isf *isf);

#endif
