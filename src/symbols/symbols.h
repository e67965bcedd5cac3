/*
 * Addresses to names and back, over the modules of one snapshot. Names come from symbol tables
 * (ISF) found on the search path, else from export tables, else there is module+offset only.
 */
#ifndef DS_SYMBOLS_SYMBOLS_H
#define DS_SYMBOLS_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/space.h"
#include "symbols/layout.h"

/* How a name was found. */
enum ds_name_trust { DS_NAME_MODULE, DS_NAME_EXPORT, DS_NAME_SYMBOLS };

struct ds_symbol {
    const char *module;    /* WinDbg's module name: "nt", "amdppm"; NULL when in no module */
    const char *function;  /* NULL when only the module is known */
    uint64_t displacement; /* from function, or from the module's base when function is NULL */
    uint64_t module_base;
    enum ds_name_trust trust;
};

struct ds_symbols;

enum ds_status ds_symbols_open(struct ds_symbols **ret, struct ds_err *err) DS_MUST_CHECK;
void ds_symbols_close(struct ds_symbols *s);

/*
 * Declares a module. name: file name as in the dump ("amdppm.sys"); the kernel ("ntoskrnl.exe",
 * "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe", "ntkrla57.exe") is called "nt". Strings are
 * copied. Overlapping modules: the one declared first wins.
 */
enum ds_status ds_symbols_add_module(struct ds_symbols *s, const char *name, uint64_t base,
                                     uint64_t size) DS_MUST_CHECK;

/*
 * Tells which PDB the image of the module at `base` was built with ("GUID-AGE"), from its debug
 * directory or, for a kernel, from ds_globals_pdb(). Errors: DS_NOT_FOUND (no module there).
 */
enum ds_status ds_symbols_set_pdb(struct ds_symbols *s, uint64_t base,
                                  const char *pdb_id) DS_MUST_CHECK;

/*
 * Attaches the symbol table file (.json or .json.xz) to the module at `base`. The layout inside it
 * (when it has types) is given by *layout (may be NULL to decline; NULL result when it holds
 * none). When the module's PDB id was told and the file is for another, it is refused (DS_INVALID).
 * When it was not told, nothing vouches for the file: the layout has trust DS_TRUST_NEAREST only.
 */
enum ds_status ds_symbols_load_isf(struct ds_symbols *s, uint64_t base, const char *path,
                                   struct ds_layout **layout, struct ds_err *err) DS_MUST_CHECK;

/* "5278…-1": the PDB of the table attached to the module at base; "" when there is none. */
const char *ds_symbols_table_pdb(const struct ds_symbols *s, uint64_t base);

/*
 * Looks for a symbol table of PDB id `pdb_id` ("GUID-AGE", upper case hex) under the search path
 * (';'-separated elements: folders, files, "srv*store*store…", "symsrv*dll*store…",
 * "cache*folder"; URLs are passed over, never fetched): as <dir>/<pdb_name>/<GUID>-<AGE>.json[.xz],
 * <dir>/<GUID>-<AGE>.json[.xz], the same below <dir>/windows (Volatility's folders), and in
 * symbol-store layout <dir>/<pdb_name>/<GUID><AGE>/<pdb_name>.json[.xz], also below the two-letter
 * folder of a two-tier store; or the element itself being the file, if it says it is for that PDB.
 * Names are compared without case. *found is malloc'ed. Errors: DS_NOT_FOUND, DS_NO_MEMORY.
 */
enum ds_status ds_symbols_search(const char *search_path, const char *pdb_name, const char *pdb_id,
                                 char **found, struct ds_err *err) DS_MUST_CHECK;

/*
 * Looks for the file of an image on the same search path, in symbol-store layout:
 * <dir>/<name>/<TIMESTAMP><size>/<name> (8 and as many hex digits as it takes), also below the
 * two-letter folder of a two-tier store and below <dir>/windows. *found is malloc'ed. Nothing is
 * read: ds_image_file_open() tells whether it is that image. Errors: DS_NOT_FOUND, DS_NO_MEMORY.
 */
enum ds_status ds_symbols_search_image(const char *search_path, const char *name,
                                       uint32_t timestamp, uint32_t size_of_image,
                                       char **found) DS_MUST_CHECK;

/* Reads the export table of the image at base through `space` (best effort; DS_NOT_IN_DUMP etc.
 * when no name could be had because pages are missing). Errors: also DS_NOT_FOUND (no such module,
 * or it exports nothing), DS_CORRUPT, DS_NO_MEMORY. */
enum ds_status ds_symbols_load_exports(struct ds_symbols *s, uint64_t base,
                                       struct ds_space *space) DS_MUST_CHECK;

/*
 * Name of an address. False when it lies in no module. Strings live as long as `s`. A function is
 * named from the table, not from its extent: displacement tells how far the address is from it.
 */
bool ds_symbols_find(const struct ds_symbols *s, uint64_t va, struct ds_symbol *ret);

/*
 * The symbols at or before va and after it, in its module, however far they are: displacement is
 * the distance. function is NULL where there is none. False when va lies in no module.
 */
bool ds_symbols_around(const struct ds_symbols *s, uint64_t va, struct ds_symbol *before,
                       struct ds_symbol *after);

/* "nt!KeBugCheckEx+0x10", "amdppm+0x334c", "" when in no module. */
void ds_symbols_format(const struct ds_symbols *s, uint64_t va, struct ds_buf *out);

/* Address of "KeBugCheckEx" in the module at base. Errors: DS_NO_SYMBOL. */
enum ds_status ds_symbols_address(const struct ds_symbols *s, uint64_t base, const char *name,
                                  uint64_t *va) DS_MUST_CHECK;

#endif
