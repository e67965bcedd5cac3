/*
 * Names files that are no Windows kernel dump, and says what to do with each. Magic numbers come
 * from the formats' public specifications, named beside the entry where they are not the common
 * knowledge of file(1).
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "dump/impl.h"
#include "dump/vmware.h"

struct magic {
    uint16_t offset;
    uint8_t size;
    const char *bytes;
    const char *what; /* completes "this is ..." */
    const char *advice;
};

#define UNPACK "unpack it and give the dump inside"
#define CONVERT_VM "have the hypervisor or a converter write a crash dump (.dmp) from it first"

static const struct magic magics[] = {
    {0, 3, "\x1f\x8b\x08", "a gzip archive", UNPACK " (gunzip)"},
    {0, 4, "PK\x03\x04", "a zip archive", UNPACK},
    {0, 4, "PK\x05\x06", "an empty zip archive", "nothing is inside: fetch the dump again"},
    {0, 4, "PK\x07\x08", "a part of a split zip archive", UNPACK},
    {0, 6, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK " (7z x)"},
    {0, 4, "MSCF", "a cabinet archive", UNPACK " (expand, cabextract)"},
    {0, 6,
     "\xfd"
     "7zXZ\x00",
     "an xz archive", UNPACK " (unxz)"},
    {0, 4, "\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK " (unzstd)"},
    {0, 3, "BZh", "a bzip2 archive", UNPACK " (bunzip2)"},
    {0, 4, "\x04\x22\x4d\x18", "an LZ4 archive", UNPACK " (unlz4)"},
    {0, 6, "Rar!\x1a\x07", "a RAR archive", UNPACK},
    {257, 5, "ustar", "a tar archive", UNPACK " (tar xf)"},
    /* PO_MEMORY_IMAGE signatures of hiberfil.sys, by state; xpress blocks of its body. */
    {0, 4, "HIBR", "a Windows hibernation file", "convert it to a crash dump first"},
    {0, 4, "hibr", "a Windows hibernation file", "convert it to a crash dump first"},
    {0, 4, "WAKE", "a Windows hibernation file already resumed from",
     "its contents may be stale; convert it to a crash dump first"},
    {0, 4, "wake", "a Windows hibernation file already resumed from",
     "its contents may be stale; convert it to a crash dump first"},
    {0, 4, "RSTR", "a Windows hibernation file being restored", "convert it to a crash dump first"},
    {0, 4, "rstr", "a Windows hibernation file being restored", "convert it to a crash dump first"},
    {0, 8, "\x81\x81xpress", "a part of a Windows hibernation file (Xpress blocks)",
     "give the whole hiberfil.sys to a converter that writes a crash dump"},
    /* Header signature of Hyper-V's storage files, as read by open parsers of .vmcx and .vmrs. */
    {0, 4, "\x14\x20\x28\x01", "a Hyper-V saved state or configuration (.vmrs, .vmcx)",
     "convert it to a crash dump on a Hyper-V host first (VmSavedStateDumpProvider)"},
    {0, 4, "EMiL", "a LiME memory image",
     "it holds raw memory, of Linux as a rule: use a raw "
     "memory tool"},
    {0, 4, "LiME", "a LiME memory image",
     "it holds raw memory, of Linux as a rule: use a raw "
     "memory tool"},
    {0, 4, "AVML", "an AVML memory image", "it holds the memory of a Linux machine"},
    {0, 12, "makedumpfile", "a flattened kdump (makedumpfile) of an unknown version",
     "rebuild it with makedumpfile -R"},
    {0, 8, "Enc_Dmp!", "an encrypted UEFI offline crash dump",
     "decrypt it with the key of its owner (Microsoft's offline dump tools)"},
    /* dump_header of LKCD, live dumps too; sadump's disk partition header. */
    {0, 8, "\xed\x23\x8f\x61\x73\x01\x19\xa8", "an LKCD dump, of Linux as a rule",
     "have makedumpfile or crash read it"},
    {0, 8, "\xcd\x23\x8f\x61\x73\x01\x19\xa8", "an LKCD dump, of Linux as a rule",
     "have makedumpfile or crash read it"},
    {0, 8, "sadump\x00\x00", "a stand-alone dump of Fujitsu's firmware (sadump)",
     "have makedumpfile write a kdump from it first"},
    {0, 8, "vhdxfile", "a virtual hard disk (VHDX)",
     "mount it and give the MEMORY.DMP inside"}, /* [MS-VHDX] */
    {0, 8, "conectix", "a virtual hard disk (VHD)", "mount it and give the MEMORY.DMP inside"},
    {0, 4, "KDMV", "a virtual hard disk (VMDK)", "mount it and give the MEMORY.DMP inside"},
    {0, 4, "QFI\xfb", "a virtual hard disk (qcow2)", "mount it and give the MEMORY.DMP inside"},
    {0, 4, "QEVM", "a QEMU saved state", CONVERT_VM " (dump-guest-memory -w)"},
    {0, 23, "\x7fVirtualBox SavedState V", "a VirtualBox saved state", CONVERT_VM},
    {0, 4, "EVF\x09", "an EnCase disk image", "mount it and give the MEMORY.DMP inside"},
    {0, 8, "DLOGFILE", "a DumpStack.log of Windows, the log of writing a dump",
     "give the .dmp file beside it"},
    {0, 8, "ElfFile\x00", "a Windows event log",
     "give the .dmp file (MEMORY.DMP, Minidump\\*.dmp)"},
    {0, 4, "regf", "a registry hive", "give the .dmp file (MEMORY.DMP, Minidump\\*.dmp)"},
    {0, 24, "Microsoft C/C++ MSF 7.00", "a PDB symbol file", "give the dump, not its symbols"},
    {0, 16, "SQLite format 3", "an SQLite database", "give the .dmp file"},
    {0, 5, "%PDF-", "a PDF document", "give the .dmp file"},
    {0, 4, "\x89PNG", "a picture (PNG)", "give the .dmp file, not a screenshot"},
    {0, 3, "\xff\xd8\xff", "a picture (JPEG)", "give the .dmp file, not a screenshot"},
    {0, 4, "\xcf\xfa\xed\xfe", "a Mach-O file", "it is of macOS, not Windows"},
    {3, 8, "-FVE-FS-", "a BitLocker-encrypted volume", "unlock it and give the MEMORY.DMP inside"},
    {0, 2, "MZ", "a Windows program or driver (PE)", "give the dump, not an image file"},
};

static enum ds_status refuse(struct ds_err *err, const char *what, const char *advice)
{
    return ds_err_set(err, DS_NOT_DUMP, "not a Windows kernel dump: this is %s; %s", what, advice);
}

/* The minidump header (MINIDUMP_HEADER, minidumpapiset.h): streams at 8, directory RVA at 0xc. */
static enum ds_status refuse_user_dump(struct ds_source *src, const uint8_t *head, size_t have,
                                       struct ds_err *err)
{
    static const char advice[] =
        "open it with a user-mode debugger; a kernel dump is MEMORY.DMP or "
        "Minidump\\*.dmp under the Windows folder";
    uint32_t rva = have >= 16 ? ds_le32(head + 12) : 0;
    uint64_t need = have >= 16 ? (uint64_t)rva + 12u * (uint64_t)ds_le32(head + 8) : UINT64_MAX;
    if (need <= src->size)
        return refuse(err, "a user-mode minidump of one process (MDMP)", advice);
    char what[160];
    if (have >= 16)
        (void)snprintf(what, sizeof(what),
                       "a user-mode minidump of one process (MDMP), and damaged: its stream "
                       "directory at RVA 0x%lx lies outside the file of 0x%llx bytes",
                       (unsigned long)rva, (unsigned long long)src->size);
    else
        (void)snprintf(what, sizeof(what),
                       "a user-mode minidump of one process (MDMP), and damaged: it ends within "
                       "its header");
    return refuse(err, what, advice);
}

static enum ds_status refuse_elf(const uint8_t *head, size_t have, struct ds_err *err)
{
    /* e_type at 16 in the file's byte order (EI_DATA at 5); 4 = ET_CORE. */
    bool core = have >= 18 &&
                (head[5] == 2 ? head[17] == 4 && head[16] == 0 : head[16] == 4 && head[17] == 0);
    if (core)
        return refuse(err, "an ELF core, of a process or a guest machine",
                      "for a Windows guest write a crash dump with QEMU's dump-guest-memory -w or "
                      "convert the core with elf2dmp");
    return refuse(err, "an ELF file", "give the .dmp file");
}

static bool all_bytes(const uint8_t *p, size_t n, uint8_t value)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != value)
            return false;
    }
    return true;
}

static uint8_t ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static bool looks_like_html(const uint8_t *p, size_t n)
{
    size_t i = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
        i++;
    static const char *const starts[] = {"<!doctype html", "<html", "<head", "<?xml"};
    for (size_t k = 0; k < sizeof(starts) / sizeof(starts[0]); k++) {
        size_t len = strlen(starts[k]), m = 0;
        while (m < len && i + m < n && ascii_lower(p[i + m]) == (uint8_t)starts[k][m])
            m++;
        if (m == len)
            return true;
    }
    return false;
}

static bool looks_like_text(const uint8_t *p, size_t n)
{
    if (n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
        return true;
    size_t look = n < 512 ? n : 512;
    for (size_t i = 0; i < look; i++) {
        bool space = p[i] == '\t' || p[i] == '\n' || p[i] == '\r' || p[i] == '\f';
        if ((p[i] < 0x20 && !space) || p[i] == 0x7f)
            return false;
    }
    return true;
}

/* Files without a magic number. */
static enum ds_status refuse_by_look(struct ds_source *src, const uint8_t *head, size_t have,
                                     struct ds_err *err)
{
    if (all_bytes(head, have, 0)) {
        char what[96];
        (void)snprintf(what, sizeof(what), "a file whose first 0x%llx bytes are all zero",
                       (unsigned long long)have);
        return refuse(err, what,
                      "the copy was most likely broken off after its space was reserved: copy it "
                      "again (--raw takes it for raw memory that begins so)");
    }
    if (looks_like_html(head, have))
        return refuse(err, "a web page (HTML or XML)",
                      "the download gave an error or sign-in page instead of the dump: fetch it "
                      "again");
    if (looks_like_text(head, have))
        return refuse(err, "a text file", "give the .dmp file itself, not a report about it");
    if (memcmp(head, "PAGE", 4) == 0)
        return ds_err_set(err, DS_NOT_DUMP,
                          "not a Windows kernel dump that can be read: 'PAGE' at file offset 0 is "
                          "followed by neither 'DUMP' nor 'DU64' nor a known machine: the header "
                          "was never finished or is overwritten; copy the file again");
    return ds_err_set(
        err, DS_NOT_DUMP,
        "not a Windows kernel dump: file offset 0 holds 0x%08lx 0x%08lx, not 'PAGE' "
        "and 'DUMP' or 'DU64' (0x%llx bytes in all); an unknown kind of file, "
        "encrypted, or raw memory in which no Windows shows (--raw takes it for that)",
        (unsigned long)ds_le32(head), (unsigned long)ds_le32(head + 4),
        (unsigned long long)src->size);
}

static enum ds_status refuse_short(const uint8_t *head, size_t have, struct ds_err *err)
{
    if (have >= 4 && memcmp(head, "PAGE", 4) == 0)
        return ds_err_set(err, DS_TRUNCATED,
                          "a Windows kernel dump cut off after %u bytes, within its signature: "
                          "copy the file again",
                          (unsigned)have);
    if (looks_like_text(head, have) && !all_bytes(head, have, 0))
        return refuse(err, "a text file", "give the .dmp file itself");
    return ds_err_set(err, DS_NOT_DUMP,
                      "not a Windows kernel dump: the file has only %u bytes; copy it again",
                      (unsigned)have);
}

static const struct magic *magic_of(const uint8_t *head, size_t have)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        const struct magic *m = &magics[i];
        if ((size_t)m->offset + m->size <= have && memcmp(head + m->offset, m->bytes, m->size) == 0)
            return m;
    }
    return NULL;
}

bool ds_probe_unmarked(const uint8_t *head, size_t have)
{
    return have >= 8 && memcmp(head, "PAGE", 4) != 0 && memcmp(head, "MDMP", 4) != 0 &&
           memcmp(head, "\177ELF", 4) != 0 && !ds_vmware_probe(head, have) &&
           magic_of(head, have) == NULL;
}

enum ds_status ds_probe_refuse(struct ds_source *src, const uint8_t *head, size_t have,
                               struct ds_err *err)
{
    if (have == 0)
        return refuse(err, "an empty file",
                      "the dump was not written, or the copy failed: check the free space and "
                      "copy it again");
    const struct magic *m = magic_of(head, have);
    if (m != NULL)
        return refuse(err, m->what, m->advice);
    if (have >= 4 && memcmp(head, "MDMP", 4) == 0)
        return refuse_user_dump(src, head, have, err);
    if (have >= 4 && memcmp(head,
                            "\x7f"
                            "ELF",
                            4) == 0)
        return refuse_elf(head, have, err);
    if (have < 8)
        return refuse_short(head, have, err);
    return refuse_by_look(src, head, have, err);
}
