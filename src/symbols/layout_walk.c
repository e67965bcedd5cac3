#include "symbols/layout_walk.h"

#include <stdio.h>
#include <string.h>

#include "symbols/layout_impl.h"

static const char *integer_word(uint32_t size, bool is_signed)
{
    switch (size) {
    case 1:
        return is_signed ? "Char" : "UChar";
    case 2:
        return is_signed ? "Int2B" : "Uint2B";
    case 4:
        return is_signed ? "Int4B" : "Uint4B";
    case 8:
        return is_signed ? "Int8B" : "Uint8B";
    default:
        return "?";
    }
}

void ds_member_words(struct ds_member *m, unsigned pointer_size)
{
    char dimension[24] = "";
    const char *word = m->base[0] != '\0' ? m->base : "?";
    if (m->field.bit_len != 0) {
        (void)snprintf(m->type, sizeof(m->type), "Pos %u, %u Bit%s", m->field.bit_pos,
                       m->field.bit_len, m->field.bit_len == 1 ? "" : "s");
        return;
    }
    if (m->is_array)
        (void)snprintf(dimension, sizeof(dimension), "[%lu] ", (unsigned long)m->count);
    if (m->kind == DS_MEMBER_INTEGER)
        word = integer_word(m->element, m->field.is_signed);
    else if (m->kind == DS_MEMBER_FLOAT)
        word = m->element == 4 ? "Float" : "Double";
    if (m->kind == DS_MEMBER_POINTER)
        (void)snprintf(m->type, sizeof(m->type), "%sPtr%u %.80s", dimension, pointer_size * 8,
                       m->base[0] != '\0' ? m->base : "Void");
    else
        (void)snprintf(m->type, sizeof(m->type), "%s%.100s", dimension, word);
}

enum ds_status ds_layout_members(const struct ds_layout *l, const char *type, ds_member_fn *each,
                                 void *arg)
{
    if (l == NULL || !l->ops->members(l, (struct ds_slice){type, strlen(type)}, each, arg))
        return DS_NO_FIELD;
    return DS_OK;
}

void ds_layout_types(const struct ds_layout *l, ds_type_fn *each, void *arg)
{
    if (l != NULL)
        l->ops->types(l, each, arg);
}
