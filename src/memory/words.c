#include "memory/words.h"

static const char *const protections[] = {
    "NOACCESS",
    "READONLY",
    "EXECUTE",
    "EXECUTE_READ",
    "READWRITE",
    "WRITECOPY",
    "EXECUTE_READWRITE",
    "EXECUTE_WRITECOPY",
    "NOACCESS",
    "NOCACHE | READONLY",
    "NOCACHE | EXECUTE",
    "NOCACHE | EXECUTE_READ",
    "NOCACHE | READWRITE",
    "NOCACHE | WRITECOPY",
    "NOCACHE | EXECUTE_READWRITE",
    "NOCACHE | EXECUTE_WRITECOPY",
    "decommitted",
    "GUARD | READONLY",
    "GUARD | EXECUTE",
    "GUARD | EXECUTE_READ",
    "GUARD | READWRITE",
    "GUARD | WRITECOPY",
    "GUARD | EXECUTE_READWRITE",
    "GUARD | EXECUTE_WRITECOPY",
    "NOACCESS",
    "WRITECOMBINE | READONLY",
    "WRITECOMBINE | EXECUTE",
    "WRITECOMBINE | EXECUTE_READ",
    "WRITECOMBINE | READWRITE",
    "WRITECOMBINE | WRITECOPY",
    "WRITECOMBINE | EXECUTE_READWRITE",
    "WRITECOMBINE | EXECUTE_WRITECOPY",
};

const char *ds_protection_name(unsigned protection)
{
    return protections[protection & 31];
}

struct ds_opt ds_pte_protection(enum ds_paging mode, uint64_t entry, enum ds_pte_state state)
{
    bool software = state == DS_PTE_TRANSITION || state == DS_PTE_PAGE_FILE ||
                    state == DS_PTE_DEMAND_ZERO || state == DS_PTE_VAD;
    if (!software || mode == DS_PAGING_ARM64 || mode == DS_PAGING_NONE || (entry & 1) != 0) {
        return ds_opt_unknown(DS_NOT_FOUND);
    }
    return ds_opt_known(entry >> 5 & 31);
}

static void page_file(const struct ds_fault *f, struct ds_buf *out)
{
    ds_buf_str(out, "in page file");
    if (f->page_file.known) {
        ds_buf_printf(out, " %llu", (unsigned long long)f->page_file.value);
    }
    if (f->page_file_offset.known) {
        ds_buf_printf(out, ", page 0x%llx of it", (unsigned long long)f->page_file_offset.value);
    } else {
        ds_buf_str(out, ", at an offset that needs the invalid-PTE mask, which is not known");
    }
}

/* The entry could not be read: the page of tables that holds it is at fault. */
static void no_entry(enum ds_paging mode, const struct ds_fault *f, struct ds_buf *out)
{
    if (f->level == 0) {
        ds_buf_str(out, "not an address that the page tables can translate");
        return;
    }
    const char *why = f->status == DS_NOT_IN_DUMP ? "was not captured"
                      : f->status == DS_TRUNCATED ? "lies behind the end of the file"
                                                  : ds_status_text(f->status);
    ds_buf_printf(out, "the page table that holds the %s %s", ds_paging_entry_name(mode, f->level),
                  why);
}

void ds_fault_words(enum ds_paging mode, const struct ds_fault *f, unsigned digits,
                    struct ds_buf *out)
{
    if (f->status == DS_OK) {
        return;
    }
    if (f->status == DS_UNSUPPORTED || mode == DS_PAGING_NONE) {
        ds_buf_str(out, "this dump holds no page tables");
        return;
    }
    switch (f->state) {
    case DS_PTE_NO_ENTRY:
        no_entry(mode, f, out);
        break;
    case DS_PTE_PAGE_FILE:
        page_file(f, out);
        break;
    case DS_PTE_PROTOTYPE:
        ds_buf_str(out, f->prototype.known ? "shared: its prototype PTE cannot be read"
                                           : "shared: a prototype PTE decides, and where that is "
                                             "cannot be told from this entry");
        break;
    case DS_PTE_EMPTY:
        if (f->prototype.known) {
            ds_buf_str(out, "shared, and the prototype PTE is zero: nothing is there");
            break;
        }
        ds_buf_str(out, ds_pte_state_text(f->state));
        break;
    default:
        ds_buf_str(out, ds_pte_state_text(f->state));
        break;
    }
    if (f->prototype.known) {
        ds_buf_printf(out, " (prototype PTE at %0*llx)", (int)digits,
                      (unsigned long long)f->prototype.value);
    }
    if (f->level > 1 && f->state != DS_PTE_NO_ENTRY) {
        ds_buf_printf(out, " (at the %s)", ds_paging_entry_name(mode, f->level));
    }
}
