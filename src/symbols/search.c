/*
 * The symbol search path. Sources: Microsoft Learn, "Symbol path for Windows debuggers",
 * "Advanced SymSrv use", "SymStore: folder tree" (two-tier stores).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/text.h"
#include "symbols/isf.h"
#include "symbols/symbols.h"

#define PATH_BYTES 4096u
#define ELEMENTS_MAX 64

struct wanted {
    const char *pdb_name; /* of an image: its own name */
    bool image;
    char file[64];      /* "5278…-1"; unused for an image */
    char store_key[64]; /* "5278…1", or "5F3A0C21" and "9000": a symbol store's folder */
    char other[64];     /* what a file on the path is for instead; "" while there was none */
};

struct match {
    const char *wanted;
    char *found; /* the name as the folder spells it, malloc'ed */
    uint32_t seen;
};

static bool match_entry(const char *name, void *arg)
{
    struct match *m = arg;
    if (ds_text_casecmp(name, m->wanted) == 0) {
        size_t len = strlen(name) + 1;
        m->found = malloc(len);
        if (m->found != NULL)
            memcpy(m->found, name, len);
        return false;
    }
    return ++m->seen < DS_LIMIT_SEARCH_ENTRIES;
}

static char *join(const char *dir, const char *name)
{
    struct ds_buf path;
    ds_buf_init(&path, PATH_BYTES);
    ds_buf_printf(&path, "%s/%s", dir, name);
    if (ds_buf_ok(&path))
        return path.data;
    ds_buf_deinit(&path);
    return NULL;
}

/* <dir>/<name> in whatever case it is there, malloc'ed; NULL when it is not of that kind. */
static char *look_in(const char *dir, const char *name, enum ds_os_path_kind kind)
{
    char *path = join(dir, name);
    struct match m = {.wanted = name};
    if (path != NULL && ds_os_path_kind(path) == kind)
        return path;
    free(path);
    if (ds_os_folder_list(dir, match_entry, &m, NULL) != DS_OK || m.found == NULL)
        return NULL;
    path = join(dir, m.found);
    free(m.found);
    if (path != NULL && ds_os_path_kind(path) == kind)
        return path;
    free(path);
    return NULL;
}

/* <dir>/<stem>.json or .json.xz */
static char *look_for_table(const char *dir, const char *stem)
{
    static const char *const endings[] = {".json.xz", ".json"};
    char name[256];
    for (size_t i = 0; i < 2; i++) {
        int len = snprintf(name, sizeof name, "%s%s", stem, endings[i]);
        char *path =
            len > 0 && (size_t)len < sizeof name ? look_in(dir, name, DS_OS_PATH_FILE) : NULL;
        if (path != NULL)
            return path;
    }
    return NULL;
}

static char *look_in_pdb_folder(const char *dir, const struct wanted *w)
{
    DS_AUTO_FREE char *folder = look_in(dir, w->pdb_name, DS_OS_PATH_FOLDER);
    DS_AUTO_FREE char *key = NULL;
    char *path;
    if (folder == NULL)
        return NULL;
    path = w->image ? NULL : look_for_table(folder, w->file);
    if (path != NULL)
        return path;
    key = look_in(folder, w->store_key, DS_OS_PATH_FOLDER);
    return key == NULL ? NULL
           : w->image  ? look_in(key, w->pdb_name, DS_OS_PATH_FILE)
                       : look_for_table(key, w->pdb_name);
}

static char *look_in_folder(const char *dir, const struct wanted *w)
{
    const char sub[3] = {w->pdb_name[0], w->pdb_name[0] != '\0' ? w->pdb_name[1] : '\0', '\0'};
    const char *const below[] = {"windows", sub};
    char *path = NULL;
    if (w->pdb_name[0] != '\0')
        path = look_in_pdb_folder(dir, w);
    if (path == NULL && !w->image)
        path = look_for_table(dir, w->file);
    for (size_t i = 0; path == NULL && i < 2; i++) {
        DS_AUTO_FREE char *folder =
            strlen(below[i]) > 1 ? look_in(dir, below[i], DS_OS_PATH_FOLDER) : NULL;
        if (folder != NULL && w->pdb_name[0] != '\0')
            path = look_in_pdb_folder(folder, w);
        if (folder != NULL && path == NULL && i == 0 && !w->image)
            path = look_for_table(folder, w->file);
    }
    return path;
}

static char *copy_text(const char *s)
{
    size_t len = strlen(s) + 1;
    char *copy = malloc(len);
    if (copy != NULL)
        memcpy(copy, s, len);
    return copy;
}

/* One folder or file. */
static char *look_at(const char *path, struct wanted *w)
{
    struct ds_isf isf;
    bool same;
    if (path[0] == '\0' || strstr(path, "://") != NULL)
        return NULL;
    switch (ds_os_path_kind(path)) {
    case DS_OS_PATH_FOLDER:
        return look_in_folder(path, w);
    case DS_OS_PATH_FILE:
    case DS_OS_PATH_DEVICE:
        if (w->image || ds_isf_identify(path, &isf, NULL) != DS_OK)
            return NULL;
        same = ds_text_casecmp(isf.pdb_id, w->file) == 0;
        (void)snprintf(w->other, sizeof w->other, "%s",
                       isf.pdb_id[0] != '\0' ? isf.pdb_id : "an untold PDB");
        ds_isf_deinit(&isf);
        return same ? copy_text(path) : NULL;
    case DS_OS_PATH_NONE:
        break;
    }
    return NULL;
}

static bool next_part(char **rest, char separator, char **part)
{
    char *end;
    if (*rest == NULL)
        return false;
    *part = *rest;
    end = strchr(*rest, separator);
    *rest = end == NULL ? NULL : end + 1;
    if (end != NULL)
        *end = '\0';
    return true;
}

/* "folder", "srv*a*b", "symsrv*symsrv.dll*a*b", "cache*a". */
static char *look_at_element(char *element, struct wanted *w)
{
    char *rest = element, *part = NULL, *path = NULL;
    unsigned pass = 0;
    if (strchr(element, '*') == NULL)
        return look_at(element, w);
    (void)next_part(&rest, '*', &part);
    if (ds_text_casecmp(part, "symsrv") == 0)
        pass = 1; /* the name of its DLL */
    else if (ds_text_casecmp(part, "srv") != 0 && ds_text_casecmp(part, "cache") != 0)
        return NULL;
    while (path == NULL && next_part(&rest, '*', &part)) {
        if (pass > 0)
            pass--;
        else
            path = look_at(part, w);
    }
    return path;
}

enum ds_status ds_symbols_search(const char *search_path, const char *pdb_name, const char *pdb_id,
                                 char **found, struct ds_err *err)
{
    DS_AUTO_FREE char *copy = copy_text(search_path);
    struct wanted w = {.pdb_name = pdb_name};
    const char *dash = strrchr(pdb_id, '-');
    char *rest = copy, *element;
    if (copy == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "no memory for the symbol path");
    /* The names become parts of paths; those from a dump must not lead out of the folder. */
    if (dash == NULL || strlen(pdb_id) >= sizeof w.file ||
        strspn(pdb_id, "0123456789abcdefABCDEF-") != strlen(pdb_id) ||
        strpbrk(pdb_name, "/\\:*?\"<>|") != NULL || strstr(pdb_name, "..") != NULL)
        return ds_err_set(err, DS_NOT_FOUND, "no symbol table is named after %s %s", pdb_name,
                          pdb_id);
    (void)snprintf(w.file, sizeof w.file, "%s", pdb_id);
    (void)snprintf(w.store_key, sizeof w.store_key, "%.*s%s", (int)(dash - pdb_id), pdb_id,
                   dash + 1);
    for (int i = 0; i < ELEMENTS_MAX && next_part(&rest, ';', &element); i++) {
        *found = look_at_element(element, &w);
        if (*found != NULL)
            return DS_OK;
    }
    return ds_err_set(err, DS_NOT_FOUND, "no symbol table for %s %s on the symbol path%s%s",
                      pdb_name, pdb_id, w.other[0] != '\0' ? "; a file on it is for " : "",
                      w.other);
}

enum ds_status ds_symbols_search_image(const char *search_path, const char *name,
                                       uint32_t timestamp, uint32_t size_of_image, char **found)
{
    DS_AUTO_FREE char *copy = copy_text(search_path);
    struct wanted w = {.pdb_name = name, .image = true};
    char *rest = copy, *element;
    if (copy == NULL)
        return DS_NO_MEMORY;
    /* The name comes from a dump and must not lead out of the folder. */
    if (name[0] == '\0' || strpbrk(name, "/\\:*?\"<>|") != NULL || strstr(name, "..") != NULL)
        return DS_NOT_FOUND;
    (void)snprintf(w.store_key, sizeof w.store_key, "%08X%x", (unsigned)timestamp,
                   (unsigned)size_of_image);
    for (int i = 0; i < ELEMENTS_MAX && next_part(&rest, ';', &element); i++) {
        *found = look_at_element(element, &w);
        if (*found != NULL)
            return DS_OK;
    }
    return DS_NOT_FOUND;
}
