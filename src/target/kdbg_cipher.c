#include "target/kdbg_cipher.h"

#include "base/bytes.h"
#include "symbols/kdbg_layout.h"

/* Sizes of the block: 656 bytes in XP, 896 in Windows 11 (wdbgexts.h by version); room to grow. */
#define SIZE_MIN 0x290u
#define SIZE_MAX_KNOWN 0x400u
#define PAGE_MASK 0xfffu

static uint64_t rol(uint64_t v, unsigned n)
{
    return n == 0 ? v : v << n | v >> (64 - n);
}

static uint64_t swap(uint64_t v)
{
    v = (v & 0x00ff00ff00ff00ffu) << 8 | (v >> 8 & 0x00ff00ff00ff00ffu);
    v = (v & 0x0000ffff0000ffffu) << 16 | (v >> 16 & 0x0000ffff0000ffffu);
    return rol(v, 32);
}

static uint64_t decode(const struct ds_kdbg_cipher *c, uint64_t e)
{
    return swap(rol(e, c->rotation) ^ c->key);
}

struct ds_kdbg_cipher ds_kdbg_cipher_of_keys(uint64_t never, uint64_t always, uint64_t flag_va)
{
    unsigned r = (unsigned)(never & 63);
    return (struct ds_kdbg_cipher){.rotation = r, .key = rol(never, r) ^ flag_va ^ swap(always)};
}

void ds_kdbg_decode(const struct ds_kdbg_cipher *c, uint8_t *block, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i += 8) {
        ds_put_le64(block + i, decode(c, ds_le64(block + i)));
    }
}

bool ds_kdbg_header_holds(uint64_t tag_and_size)
{
    uint64_t size = tag_and_size >> 32;
    return (uint32_t)tag_and_size == DS_KDBG_TAG && size >= SIZE_MIN && size <= SIZE_MAX_KNOWN &&
           size % 8 == 0;
}

bool ds_kdbg_solve(uint64_t word10, uint64_t word18, uint64_t kernel_base,
                   struct ds_kdbg_cipher *ret)
{
    for (unsigned r = 0; r < 64; r++) {
        struct ds_kdbg_cipher c = {.rotation = r, .key = rol(word18, r) ^ swap(kernel_base)};
        if (ds_kdbg_header_holds(decode(&c, word10))) {
            *ret = c;
            return true;
        }
    }
    return false;
}

bool ds_kdbg_solve_blind(const uint8_t *block,
                         bool (*accept)(void *arg, const struct ds_kdbg_cipher *c,
                                        uint64_t kernel_base),
                         void *arg, struct ds_kdbg_cipher *ret)
{
    uint64_t word10 = ds_le64(block + 0x10), word18 = ds_le64(block + 0x18);
    for (unsigned r = 0; r < 64; r++) {
        for (uint64_t size = SIZE_MIN; size <= SIZE_MAX_KNOWN; size += 8) {
            struct ds_kdbg_cipher c = {.rotation = r,
                                       .key = rol(word10, r) ^ swap(size << 32 | DS_KDBG_TAG)};
            uint64_t base = decode(&c, word18);
            if (base != 0 && (base & PAGE_MASK) == 0 && accept(arg, &c, base)) {
                *ret = c;
                return true;
            }
        }
    }
    return false;
}
