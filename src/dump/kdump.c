#include "dump/kdump.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/err.h"
#include "dump/guest_notes.h"

/*
 * struct disk_dump_header: signature, version, struct utsname of six texts of 65 bytes, a struct
 * timeval whose size and alignment are the machine's, status, block size and so on. The sub header
 * stands in the second block; version 4 and later say in it where the notes are.
 */
#define VERSION 8u
#define MACHINE (12u + 4u * 65u)
#define BLOCK_SIZE_32 416u
#define BLOCK_SIZE_64 428u
#define NOTES_32 32u /* in the sub header: u64 offset, then u32 or u64 size */
#define NOTES_64 48u

#define CACHE_PAGES 1024u
#define AHEAD_MAX 64u

/* Physical memory as the worker reads it: offsets are physical addresses. */
struct pages {
    struct ds_source head;
    struct ds_dump *d; /* its owner */
    struct ds_os_file *file;
    bool temporary; /* file is owned */
    struct ds_os_worker *worker;
    unsigned starts;
    struct ds_err failure;        /* why the last worker ended */
    uint8_t *cache;               /* owned; CACHE_PAGES pages */
    uint64_t cached[CACHE_PAGES]; /* number of the page, + 1; 0 = none */
    uint8_t results[DS_KDUMP_PAGES_MAX];
    uint64_t next, ahead; /* as in a file's page cache */
    /* Where a worker ended among several pages: those are read one by one. */
    uint64_t suspect, suspect_end;
    /* Pages that ended a worker; they are not tried again. */
    uint64_t bad[DS_LIMIT_WORKER_STARTS];
    size_t bad_count;
};

static struct pages *of(struct ds_source *s)
{
    void *p = s; /* `head` is its first member */
    return p;
}

bool ds_kdump_probe(const uint8_t *head, size_t have)
{
    return have >= 8 && (memcmp(head, "KDUMP   ", 8) == 0 || memcmp(head, "DISKDUMP", 8) == 0);
}

/* ---- the worker ---- */

static enum ds_status ask(struct pages *p, enum ds_kdump_what what, uint32_t count, uint64_t first,
                          void *reply, size_t len)
{
    uint8_t b[DS_KDUMP_REQUEST];
    ds_put_le32(b, what);
    ds_put_le32(b + 4, count);
    ds_put_le64(b + 8, first);
    enum ds_status st = ds_os_worker_send(p->worker, b, sizeof(b), &p->failure);
    return st == DS_OK ? ds_os_worker_receive(p->worker, reply, len, &p->failure) : st;
}

/* What the library said, without what a hostile file may have put into it. */
static void plain_words(uint8_t *words)
{
    words[DS_KDUMP_WORDS - 1] = 0;
    for (; *words != 0; words++)
        if (*words < 0x20 || *words > 0x7e)
            *words = '?';
}

static enum ds_status start(struct pages *p, struct ds_err *err)
{
    struct ds_os_worker_job job = {p->file, ds_kdump_worker(), DS_LIMIT_WORKER_MEMORY,
                                   DS_LIMIT_WORKER_SECONDS};
    uint8_t reply[4 + DS_KDUMP_WORDS];
    if (p->worker != NULL)
        return DS_OK;
    if (p->starts++ >= DS_LIMIT_WORKER_STARTS)
        return ds_err_set(err, DS_IO, "%u workers ended early", DS_LIMIT_WORKER_STARTS);
    enum ds_status st = ds_os_worker_start(&job, &p->worker, err);
    if (st != DS_OK)
        return st;
    st = ask(p, DS_KDUMP_OPEN, 0, 0, reply, sizeof(reply));
    if (st == DS_OK && ds_le32(reply) == 0)
        return DS_OK;
    plain_words(reply + 4);
    if (st == DS_OK)
        st = ds_err_set(err, DS_NOT_DUMP,
                        "libkdumpfile says: %s; copy the file again, or dump the guest again",
                        (const char *)reply + 4);
    else
        st = ds_err_set(err, DS_NOT_DUMP,
                        "libkdumpfile cannot cope with it (%s); copy the file again, or dump the "
                        "guest again",
                        p->failure.text);
    ds_os_worker_close(p->worker);
    p->worker = NULL;
    return st;
}

static enum ds_status lose_worker(struct pages *p, uint64_t pa)
{
    ds_os_worker_close(p->worker);
    p->worker = NULL;
    if (p->bad_count < DS_LIMIT_WORKER_STARTS)
        p->bad[p->bad_count++] = pa;
    ds_dump_say(p->d, DS_INTEGRITY_DAMAGE, "kdump.reader", DS_NO_OFFSET,
                "the pages at that address; the rest is read by another worker as long as there "
                "are few of them; dump the guest again",
                "pages that libkdumpfile can read", "physical address 0x%llx: %s",
                (unsigned long long)pa, p->failure.text);
    return DS_IO;
}

/* Reads `count` pages into `to`; p->results says how each went. Errors: DS_IO. */
static enum ds_status fetch(struct pages *p, uint64_t pa, uint32_t count, uint8_t *to)
{
    if (p->worker == NULL && start(p, &p->failure) != DS_OK)
        return DS_IO;
    enum ds_status st = ask(p, DS_KDUMP_READ, count, pa, p->results, count);
    if (st == DS_OK)
        st = ds_os_worker_receive(p->worker, to, (size_t)count * DS_PAGE_SIZE, &p->failure);
    if (st == DS_OK || count > 1) {
        if (st != DS_OK) {
            ds_os_worker_close(p->worker);
            p->worker = NULL;
        }
        return st;
    }
    return lose_worker(p, pa);
}

/* A page that ends the worker must not take its neighbours along. */
static enum ds_status fetch_safely(struct pages *p, uint64_t pa, uint32_t *count, uint8_t *to)
{
    for (size_t i = 0; i < p->bad_count; i++)
        if (p->bad[i] == pa)
            return DS_IO;
    if (pa < p->suspect_end && pa + (uint64_t)*count * DS_PAGE_SIZE > p->suspect)
        *count = 1;
    enum ds_status st = fetch(p, pa, *count, to);
    if (st == DS_OK || *count == 1)
        return st;
    if (p->suspect_end == 0 || pa < p->suspect)
        p->suspect = pa;
    if (pa + (uint64_t)*count * DS_PAGE_SIZE > p->suspect_end)
        p->suspect_end = pa + (uint64_t)*count * DS_PAGE_SIZE;
    *count = 1;
    return fetch(p, pa, 1, to);
}

static enum ds_status result_of(const struct pages *p, uint32_t index)
{
    switch (p->results[index]) {
    case 0:
        return DS_OK;
    case DS_NOT_IN_DUMP:
        return DS_NOT_IN_DUMP;
    case DS_TRUNCATED:
        return DS_TRUNCATED;
    default:
        return DS_CORRUPT;
    }
}

static enum ds_status fill_cache(struct pages *p, uint64_t number)
{
    size_t slot = number % CACHE_PAGES;
    p->ahead = number != p->next ? 1 : p->ahead * 2 < AHEAD_MAX ? p->ahead * 2 : AHEAD_MAX;
    uint64_t room = (p->head.size + DS_PAGE_SIZE - 1) / DS_PAGE_SIZE - number;
    uint64_t want = p->ahead < CACHE_PAGES - slot ? p->ahead : CACHE_PAGES - slot;
    uint32_t count = (uint32_t)(want < room ? want : room);
    for (uint32_t i = 0; i < count; i++)
        p->cached[slot + i] = 0;
    enum ds_status st =
        fetch_safely(p, number * DS_PAGE_SIZE, &count, p->cache + slot * DS_PAGE_SIZE);
    if (st != DS_OK)
        return st;
    for (uint32_t i = 0; i < count; i++)
        if (p->results[i] == 0)
            p->cached[slot + i] = number + i + 1;
    p->next = number + count;
    return result_of(p, 0);
}

/* Whole pages go straight to the caller. */
static enum ds_status read_whole(struct pages *p, uint64_t pa, uint8_t *out, size_t pages,
                                 size_t *done)
{
    uint32_t count = pages < DS_KDUMP_PAGES_MAX ? (uint32_t)pages : DS_KDUMP_PAGES_MAX;
    enum ds_status st = fetch_safely(p, pa, &count, out);
    for (uint32_t i = 0; st == DS_OK && i < count; i++)
        st = result_of(p, i);
    if (st == DS_OK)
        *done += (size_t)count * DS_PAGE_SIZE;
    return st;
}

static enum ds_status pages_read(struct ds_source *s, uint64_t off, void *buf, size_t len,
                                 size_t *got, struct ds_err *err)
{
    struct pages *p = of(s);
    uint8_t *out = buf;
    size_t done = 0;
    enum ds_status st = DS_OK;
    while (st == DS_OK && done < len) {
        uint64_t at = off + done, number = at / DS_PAGE_SIZE;
        size_t skip = (size_t)(at % DS_PAGE_SIZE), slot = number % CACHE_PAGES;
        if (skip == 0 && len - done >= 2 * DS_PAGE_SIZE) {
            st = read_whole(p, at, out + done, (len - done) / DS_PAGE_SIZE, &done);
            continue;
        }
        if (p->cached[slot] != number + 1)
            st = fill_cache(p, number);
        if (st != DS_OK)
            break;
        size_t part = DS_PAGE_SIZE - skip < len - done ? DS_PAGE_SIZE - skip : len - done;
        memcpy(out + done, p->cache + slot * DS_PAGE_SIZE + skip, part);
        done += part;
    }
    *got = done;
    return st == DS_OK || err == NULL
               ? st
               : ds_err_set(err, st, "cannot read the kdump: %s", p->failure.text);
}

static void pages_destroy(struct ds_source *s)
{
    struct pages *p = of(s);
    ds_os_worker_close(p->worker);
    if (p->temporary)
        ds_os_file_close(p->file);
    free(p->cache);
    free(p);
}

static const struct ds_source_ops pages_ops = {"kdump pages", pages_read, NULL, pages_destroy};

/* ---- opening ---- */

/* libkdumpfile reads files: what comes out of an archive is put into one without a name. */
static enum ds_status unfold(struct ds_source *src, struct ds_os_file **ret, struct ds_err *err)
{
    enum { PIECE = 65536 };
    static const uint8_t zero[PIECE];
    DS_AUTO_FREE uint8_t *b = malloc(PIECE);
    struct ds_os_file *f;
    if (b == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    enum ds_status st = ds_os_temp_open(&f, err);
    if (st != DS_OK)
        return st;
    for (uint64_t at = 0; st == DS_OK && at < src->size; at += PIECE) {
        size_t got;
        st = ds_source_read_some(src, at, b, PIECE, &got, err);
        if (st == DS_OK && memcmp(b, zero, got) != 0)
            st = ds_os_temp_write(f, at, b, got, err);
    }
    if (st == DS_OK)
        st = ds_os_temp_finish(f, src->size, err);
    if (st != DS_OK) {
        ds_os_file_close(f);
        return st;
    }
    *ret = f;
    return DS_OK;
}

static enum ds_status open_pages(struct ds_dump *d, struct pages **ret, struct ds_err *err)
{
    struct pages *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    p->head.ops = &pages_ops;
    d->pages = &p->head; /* from here on the dump closes it */
    p->d = d;
    p->ahead = 1;
    p->cache = malloc((size_t)CACHE_PAGES * DS_PAGE_SIZE);
    if (p->cache == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    p->file = ds_source_file_handle(d->src);
    if (p->file == NULL) {
        enum ds_status st = unfold(d->src, &p->file, err);
        if (st != DS_OK)
            return st;
        p->temporary = true;
    }
    *ret = p;
    return start(p, err);
}

/* The runs that file.pagemap lists, as far as they make sense. */
static enum ds_status read_runs(struct ds_dump *d, struct pages *p, struct ds_err *err)
{
    uint64_t from = 0;
    for (uint32_t count = DS_KDUMP_RUNS_MAX; count == DS_KDUMP_RUNS_MAX;) {
        uint8_t b[16];
        enum ds_status st = ask(p, DS_KDUMP_RUNS, DS_KDUMP_RUNS_MAX, from, b, 4);
        count = st == DS_OK ? ds_le32(b) : 0;
        for (uint32_t i = 0; st == DS_OK && i < count; i++) {
            st = ds_os_worker_receive(p->worker, b, sizeof(b), &p->failure);
            uint64_t pa = ds_le64(b), size = ds_le64(b + 8), end;
            if (st != DS_OK)
                break;
            if (pa < from || size == 0 || (pa | size) % DS_PAGE_SIZE != 0 ||
                ds_add_overflows(pa, size, &end) || count > DS_KDUMP_RUNS_MAX)
                return ds_err_set(err, DS_NOT_DUMP,
                                  "the list of its pages makes no sense; dump the guest again");
            st = ds_extents_add(&d->phys_map, pa, size, pa, false, DS_LIMIT_RUNS);
            if (st == DS_LIMIT) {
                ds_dump_say(d, DS_INTEGRITY_DAMAGE, "kdump.run_limit", DS_NO_OFFSET,
                            "the memory behind the runs that were listed", "fewer runs of pages",
                            "more than %u", DS_LIMIT_RUNS);
                /* What the worker has left to say is not wanted. */
                ds_os_worker_close(p->worker);
                p->worker = NULL;
                return DS_OK;
            }
            d->phys_pages += size / DS_PAGE_SIZE;
            from = p->head.size = end;
        }
        if (st != DS_OK)
            return ds_err_set(err, st, "%s", st == DS_IO ? p->failure.text : ds_status_text(st));
    }
    return DS_OK;
}

/* ---- header and notes ---- */

static enum ds_arch arch_of(const uint8_t *raw)
{
    const char *machine = (const char *)raw + MACHINE;
    if (strncmp(machine, "x86_64", 65) == 0)
        return DS_ARCH_X64;
    if (strncmp(machine, "aarch64", 65) == 0)
        return DS_ARCH_ARM64;
    return machine[0] == 'i' && strncmp(machine + 2, "86", 63) == 0 ? DS_ARCH_X86 : DS_ARCH_UNKNOWN;
}

static enum ds_status read_notes(struct ds_dump *d)
{
    bool wide = d->header.is64;
    uint32_t block = ds_le32(d->raw_header + (wide ? BLOCK_SIZE_64 : BLOCK_SIZE_32));
    uint64_t sub = (uint64_t)block + (wide ? NOTES_64 : NOTES_32);
    struct ds_opt at = ds_dump_file_uint(d, sub, 8);
    struct ds_opt size = ds_dump_file_uint(d, sub + 8, wide ? 8 : 4);
    if (ds_le32(d->raw_header + VERSION) < 4 || !at.known || !size.known || at.value == 0)
        return DS_OK;
    uint64_t len = ds_dump_captured(d, at.value, size.value);
    len = len < DS_GUEST_NOTES_MAX ? len : DS_GUEST_NOTES_MAX;
    if (len == 0)
        return DS_OK;
    DS_AUTO_FREE uint8_t *notes = ds_alloc_array(len, 1);
    if (notes == NULL)
        return DS_NO_MEMORY;
    if (ds_source_read(d->src, at.value, notes, (size_t)len, NULL) != DS_OK)
        return DS_OK;
    /* QEMU writes its own name of the machine, whatever mode the guest was in. */
    if (d->header.arch == DS_ARCH_X64 && ds_guest_notes_are_x86(notes, (size_t)len))
        ds_dump_set_arch(d, DS_ARCH_X86);
    return ds_guest_notes_add(d, notes, (size_t)len);
}

static enum ds_status refuse_build(struct ds_err *err)
{
    return ds_err_set(err, DS_UNSUPPORTED,
                      "a kdump-compressed dump, which this build of dumpscan cannot read (it was "
                      "built without libkdumpfile): open it with dumpscan on Linux, convert it "
                      "there with 'dumpscan convert', or dump the guest without compression (QEMU: "
                      "dump-guest-memory without -z)");
}

enum ds_status ds_kdump_open(struct ds_dump *d, struct ds_err *err)
{
    struct pages *p = NULL;
    if (d->file_size < DS_PAGE_SIZE)
        return ds_err_set(err, DS_NOT_DUMP,
                          "a kdump-compressed dump that ends within its header: copy the file "
                          "again");
    if (ds_kdump_worker() == NULL)
        return refuse_build(err);
    ds_guest_header_init(d, arch_of(d->raw_header));
    d->kind = DS_DUMP_KDUMP;
    d->end_known = true; /* as of an ELF core */
    enum ds_status st = open_pages(d, &p, err);
    if (st == DS_OK)
        st = read_runs(d, p, err);
    if (st == DS_OK && ds_extents_build(&d->phys_map) != DS_OK)
        st = ds_err_set(err, DS_NO_MEMORY, "out of memory");
    if (st == DS_OK && d->phys_map.piece_count == 0)
        st = ds_err_set(err, DS_NOT_DUMP, "no page is in it; dump the guest again");
    if (st == DS_OK && read_notes(d) != DS_OK)
        st = ds_err_set(err, DS_NO_MEMORY, "out of memory");
    if (st != DS_OK) {
        (void)ds_err_prepend(err, "cannot read the kdump-compressed dump");
        return st;
    }
    ds_kdump_check(d);
    if (d->cpu_count == 0)
        ds_dump_say(d, DS_INTEGRITY_NOTE, "kdump.processor_notes", DS_NO_OFFSET,
                    "registers of the processors; the kernel is looked for in memory",
                    "a note for each processor", "none");
    return DS_OK;
}
