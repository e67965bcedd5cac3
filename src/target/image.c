#include "target/image.h"

#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "symbols/pe_section.h"

#define PAGE 4096u
#define NAME_BYTES 16u

/* File names of the kernel and of its PDB: single or multi processor, PAE, five-level paging. */
static const char *const stems[] = {"ntoskrnl", "ntkrnlmp", "ntkrnlpa", "ntkrpamp", "ntkrla57"};

static bool is_kernel_name(const char *name, const char *extension)
{
    for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++) {
        char full[NAME_BYTES];
        memcpy(full, stems[i], 8);
        memcpy(full + 8, extension, 5);
        if (ds_text_casecmp(name, full) == 0) {
            return true;
        }
    }
    return false;
}

/* The name in the export directory (PE specification, ".edata": Name RVA at 12). */
static bool exports_as_kernel(struct ds_space *space, const struct ds_pe *pe)
{
    uint64_t rva;
    char name[NAME_BYTES + 1] = "";
    if (pe->export_size < 40 ||
        ds_space_read_uint(space, pe->base + pe->export_rva + 12, 4, &rva, NULL) != DS_OK ||
        rva >= pe->size_of_image ||
        ds_space_read(space, pe->base + rva, name, NAME_BYTES, NULL) != DS_OK) {
        return false;
    }
    return is_kernel_name(name, ".exe");
}

static bool has_poolcode(struct ds_space *space, uint64_t base)
{
    struct ds_pe_section sections[DS_PE_SECTIONS_MAX];
    size_t count = 0;
    if (ds_pe_sections(space, base, sections, &count) != DS_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sections[i].name, "POOLCODE") == 0) {
            return true;
        }
    }
    return false;
}

bool ds_image_is_kernel(struct ds_space *space, uint64_t base, struct ds_pe *pe, const char **how)
{
    struct ds_pe found;
    if (ds_pe_read(space, base, &found, NULL) != DS_OK) {
        return false;
    }
    if (exports_as_kernel(space, &found)) {
        *how = "the name in its export table";
    } else if (is_kernel_name(found.pdb_name, ".pdb")) {
        *how = "the name of its PDB";
    } else if (has_poolcode(space, base)) {
        *how = "its section POOLCODE";
    } else {
        return false;
    }
    *pe = found;
    return true;
}

enum ds_status ds_image_below(struct ds_space *space, uint64_t va, uint64_t *base)
{
    uint64_t start = va & ~(uint64_t)(PAGE - 1);
    for (uint64_t i = 0; i < DS_LIMIT_IMAGE_STEPS && start >= i * PAGE; i++) {
        struct ds_pe pe;
        uint64_t magic, at = start - i * PAGE;
        if (ds_space_read_uint(space, at, 2, &magic, NULL) == DS_OK && magic == 0x5a4d &&
            ds_pe_read(space, at, &pe, NULL) == DS_OK && va - at < pe.size_of_image) {
            *base = at;
            return DS_OK;
        }
    }
    return start / PAGE < DS_LIMIT_IMAGE_STEPS ? DS_NOT_FOUND : DS_LIMIT;
}

/* ---- everywhere ---- */

struct search {
    struct ds_space *space;
    uint64_t entries, pages, images; /* left to look at */
    uint64_t base;
    const char *how;
};

/* True when the kernel is found. */
static bool search_run(struct search *s, const struct ds_space_run *run)
{
    struct ds_pe pe;
    for (uint64_t off = 0; off < run->size; off += PAGE) {
        uint64_t magic, va = run->va + off;
        if (s->pages == 0 || s->images == 0) {
            return false;
        }
        s->pages--;
        if (ds_space_read_uint(s->space, va, 2, &magic, NULL) != DS_OK || magic != 0x5a4d) {
            continue;
        }
        s->images--;
        if (ds_image_is_kernel(s->space, va, &pe, &s->how)) {
            s->base = va;
            return true;
        }
    }
    return false;
}

static enum ds_status search_range(struct search *s, uint64_t from, uint64_t to)
{
    struct ds_space_iter it = {.va = from, .end = to, .limit = s->entries};
    struct ds_space_run run;
    if (s->entries == 0) {
        return DS_LIMIT;
    }
    enum ds_status status = ds_space_next_run(s->space, &it, &run);
    for (; status == DS_OK; status = ds_space_next_run(s->space, &it, &run)) {
        if (run.status == DS_OK && search_run(s, &run)) {
            return DS_OK;
        }
        if (s->pages == 0 || s->images == 0) {
            return DS_LIMIT;
        }
    }
    s->entries -= it.entries < s->entries ? it.entries : s->entries;
    return status;
}

enum ds_status ds_image_search(struct ds_space *space, uint64_t *base, const char **how)
{
    struct search s = {.space = space,
                       .entries = DS_LIMIT_KERNEL_ENTRIES,
                       .pages = DS_LIMIT_KERNEL_PAGES,
                       .images = DS_LIMIT_IMAGES};
    enum ds_status status;
    if (ds_space_pointer_size(space) == 4) {
        status = search_range(&s, 0x80000000u, UINT32_MAX);
    } else {
        /* Where every 64-bit Windows loads it; then the rest of kernel space. */
        status = search_range(&s, 0xfffff80000000000u, 0xfffff87fffffffffu);
        if (status == DS_NOT_FOUND) {
            status = search_range(&s, 0xfffff88000000000u, UINT64_MAX);
        }
        if (status == DS_NOT_FOUND) {
            status = search_range(&s, (uint64_t)1 << 63, 0xfffff7ffffffffffu);
        }
    }
    if (status == DS_OK) {
        *base = s.base;
        *how = s.how;
    }
    return status;
}
