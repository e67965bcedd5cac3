/*
 * The code around the fault, held against the image's file on the symbol path. One bit that is
 * another than its maker built is what failing memory does; whoever patches code changes whole
 * words, so that nothing is said where more differs.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "nt/hardware_impl.h"
#include "symbols/image_file.h"
#include "symbols/symbols.h"

#define AROUND 2048u                  /* bytes looked at before and behind the instruction */
#define PIECE 16u                     /* captured code is looked for in pieces of this size */
#define BYTE_NEIGHBOURS (8.0 / 255.0) /* of all other values of a byte, those one bit away */

struct difference {
    uint32_t rva;
    uint8_t captured, built;
};

/* The number of differing bytes; *one is the last of them. */
static uint64_t compare_piece(struct ds_flip_list *l, struct ds_image_file *file, uint64_t base,
                              uint32_t rva, struct difference *one)
{
    uint8_t captured[PIECE], built[PIECE];
    bool fixed[PIECE];
    uint64_t n = 0;
    if (ds_space_read(l->nt->target->kernel, base + rva, captured, PIECE, NULL) != DS_OK ||
        ds_image_file_read(file, rva, built, fixed, PIECE) != DS_OK)
        return 0;
    for (uint32_t i = 0; i < PIECE; i++) {
        if (!fixed[i] || captured[i] == built[i])
            continue;
        *one = (struct difference){rva + i, captured[i], built[i]};
        n++;
    }
    return n;
}

static uint64_t compare(struct ds_flip_list *l, struct ds_image_file *file,
                        const struct ds_module *m, uint64_t pc, struct difference *one)
{
    uint64_t offset = pc - m->base, n = 0;
    uint64_t first = offset > AROUND ? (offset - AROUND) & ~(uint64_t)(PIECE - 1) : 0;
    uint64_t end = offset + AROUND < m->size ? offset + AROUND : m->size;
    for (uint64_t rva = first; rva < end && rva <= UINT32_MAX - PIECE; rva += PIECE)
        n += compare_piece(l, file, m->base, (uint32_t)rva, one);
    return n;
}

/* What the fault already led to, the file bears out. */
static bool bears_out(struct ds_flip_list *l, uint64_t va, uint32_t bit)
{
    for (size_t i = 0; i < l->count; i++) {
        struct ds_bit_flip *row = &l->rows[i];
        if (!row->place.known || row->place.value != va || row->bit != bit)
            continue;
        row->expected_is =
            ds_flip_text(l->nt, "%.150s, which is what the image's file holds", row->expected_is);
        row->chance *= BYTE_NEIGHBOURS;
        row->confidence = "medium";
        return true;
    }
    return false;
}

/*
 * The kernel's own code holds addresses that it writes itself when it starts (of the page tables),
 * so that there only the instruction that failed counts.
 */
static void judge(struct ds_flip_list *l, const struct ds_module *m, const struct ds_fault_insn *x,
                  const struct difference *d)
{
    const struct ds_target *t = l->nt->target;
    uint64_t va = m->base + d->rva, past = va - x->pc.value;
    int bit = ds_one_bit(d->captured, d->built);
    bool kernel = t->kernel_base.known && m->base == t->kernel_base.value;
    bool inside = x->known && past < x->insn.size;
    if (bit < 0 || bears_out(l, va, (uint32_t)bit))
        return;
    struct ds_bit_flip row = {
        .subject = inside ? ds_flip_text(l->nt, "byte %u of the instruction", (unsigned)past)
                          : ds_flip_text(l->nt, "the byte at %.100s+0x%x", m->name, d->rva),
        .place = ds_opt_known(va),
        .value = d->captured,
        .expected = d->built,
        .bit = (uint32_t)bit,
        .kind = "image file",
        .expected_is = "what the image's file holds",
        .confidence = kernel && !inside ? "low" : "medium",
        .chance = BYTE_NEIGHBOURS};
    ds_flip_add(l, &row);
}

void ds_flips_of_image(struct ds_flip_list *l, const struct ds_fault_insn *x)
{
    struct ds_target *t = l->nt->target;
    const struct ds_module *m = x->pc.known ? ds_target_module_at(t, x->pc.value) : NULL;
    DS_AUTO_FREE char *path = NULL;
    struct ds_image_file *file;
    struct difference one = {0};
    if (m == NULL || m->name[0] == '\0' || !m->timestamp.known || m->size > UINT32_MAX ||
        t->kernel == NULL || t->symbol_path == NULL)
        return;
    uint32_t stamp = (uint32_t)m->timestamp.value, size = (uint32_t)m->size;
    if (ds_symbols_search_image(t->symbol_path, m->name, stamp, size, &path) != DS_OK ||
        ds_image_file_open(path, stamp, size, &file) != DS_OK)
        return;
    if (compare(l, file, m, x->pc.value, &one) == 1)
        judge(l, m, x, &one);
    ds_image_file_close(file);
}
