/* Machine check status words. */
#include "nt/cper.h"

#define BIT(status, n) (((status) >> (n)&1u) != 0)

static const char *const levels[4] = {"level 0", "level 1", "level 2", "any level"};
static const char *const transactions[4] = {"instruction", "data", "generic", "reserved"};
static const char *const requests[16] = {"any operation", "read",     "write",    "data read",
                                         "data write",    "fetch",    "prefetch", "eviction",
                                         "snoop",         "reserved", "reserved", "reserved",
                                         "reserved",      "reserved", "reserved", "reserved"};
static const char *const memory_ops[8] = {"any operation",      "read",      "write",
                                          "address or command", "scrubbing", "reserved",
                                          "reserved",           "reserved"};
static const char *const sides[4] = {"as requester", "as responder", "as observer", "by anybody"};
static const char *const spaces[4] = {"memory", "reserved space", "I/O", "other space"};

static void simple_code(unsigned code, struct ds_buf *out)
{
    static const char *const names[] = {"no error",
                                        "unclassified error",
                                        "parity error in microcode",
                                        "error signalled by another processor",
                                        "functional redundancy check error",
                                        "internal parity error",
                                        "system management code tried to run outside its range"};
    if (code < sizeof(names) / sizeof(names[0]))
        ds_buf_str(out, names[code]);
    else if (code == 0x0400)
        ds_buf_str(out, "internal timer error");
    else if (code == 0x0e0b)
        ds_buf_str(out, "generic I/O error");
    else if ((code & 0xfc00) == 0x0400)
        ds_buf_str(out, "internal unclassified error");
    else
        ds_buf_printf(out, "error code 0x%04x", code);
}

/* Bit 12 is set aside: it says that corrected errors are filtered. */
static void error_code(unsigned raw, struct ds_buf *out)
{
    unsigned code = raw & 0xefffu;
    const char *level = levels[code & 3], *kind = transactions[code >> 2 & 3];
    if (code == 0x0e0b)
        simple_code(code, out);
    else if ((code & 0xf800) == 0x0800)
        ds_buf_printf(out, "bus or interconnect error, %s, %s, %s%s, %s", level,
                      spaces[code >> 2 & 3], requests[code >> 4 & 15],
                      BIT(code, 8) ? ", timed out" : "", sides[code >> 9 & 3]);
    else if ((code & 0xff00) == 0x0100)
        ds_buf_printf(out, "%s cache error, %s, %s", kind, level, requests[code >> 4 & 15]);
    else if ((code & 0xff80) == 0x0080)
        ds_buf_printf(out, "memory controller error, channel %u%s, %s", code & 15,
                      (code & 15) == 15 ? " (not stated)" : "", memory_ops[code >> 4 & 7]);
    else if ((code & 0xfff0) == 0x0010)
        ds_buf_printf(out, "%s TLB error, %s", kind, level);
    else if ((code & 0xfffc) == 0x000c)
        ds_buf_printf(out, "cache hierarchy error, %s", level);
    else
        simple_code(code, out);
}

void ds_mci_status_text(uint64_t status, struct ds_buf *out)
{
    if (!BIT(status, 63))
        ds_buf_str(out, "not valid; ");
    ds_buf_str(out, BIT(status, 61) ? "uncorrected" : "corrected");
    if (BIT(status, 57))
        ds_buf_str(out, ", processor context corrupt");
    if (BIT(status, 62))
        ds_buf_str(out, ", an earlier error was lost");
    if (!BIT(status, 60))
        ds_buf_str(out, ", reporting not enabled");
    ds_buf_str(out, ": ");
    error_code((unsigned)(status & 0xffff), out);
    ds_buf_printf(out, "; model specific code 0x%04x", (unsigned)(status >> 16 & 0xffff));
    if (BIT(status, 58))
        ds_buf_str(out, "; address recorded");
}
