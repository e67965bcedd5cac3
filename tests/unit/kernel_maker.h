/*
 * Makes a small running kernel in memory (10.0.19041.804 x64: kernel image, KDDEBUGGER_DATA64,
 * modules, processes, threads, processors), for tests of the rooms above memory. Members are
 * placed by the same layout tables that the code under test reads: those are proved elsewhere.
 */
#ifndef DS_TESTS_UNIT_KERNEL_MAKER_H
#define DS_TESTS_UNIT_KERNEL_MAKER_H

#include "maker.h"
#include "nt/nt.h"
#include "symbols/kdbg_layout.h"
#include "symbols/layout.h"

#define KERNEL_BASE 0xfffff80400000000u
#define KERNEL_SIZE 0x1046000u
#define KERNEL_STAMP 0x0d8333e6u
#define KDBG_VA (KERNEL_BASE + 0xc00b20u)
#define MODULE_LIST (KERNEL_BASE + 0xc2a390u)
#define PROCESS_LIST (KERNEL_BASE + 0xc1e200u)
#define PROCESSOR_BLOCK (KERNEL_BASE + 0xcfdc80u)
#define UNLOADED_PTR (KERNEL_BASE + 0xc2a308u)
#define UNLOADED_LAST (KERNEL_BASE + 0xc2a310u)
#define UNLOADED_ARRAY 0xffffc08000100000u
#define SHARED_DATA 0xfffff78000000000u
#define ENTRY(n) (0xffffc08000200000u + (uint64_t)(n)*0x400)    /* module list entries */
#define PROCESS(n) (0xffffc08000300000u + (uint64_t)(n)*0x1000) /* EPROCESS */
#define THREAD(n) (0xffffc08000400000u + (uint64_t)(n)*0x1000)  /* ETHREAD */
#define PRCB(n) (0xffff9b0000000180u + (uint64_t)(n)*0x10000)
#define STACK_TOP(n) (0xffff850000006000u + (uint64_t)(n)*0x8000)
#define DRIVER_BASE 0xfffff80500000000u
#define DRIVER_SIZE 0x10000u

struct kernel {
    struct maker m;
    struct ds_layout *layout;
};

static inline uint32_t kernel_offset(const struct kernel *k, const char *type, const char *member)
{
    struct ds_field f;
    if (ds_layout_field(k->layout, type, member, &f) != DS_OK) {
        printf("no %s.%s\n", type, member);
        abort();
    }
    return f.offset;
}

/* Stores an integer of the member's own size; bit fields are merged. */
static inline void kernel_set(struct kernel *k, uint64_t va, const char *type, const char *member,
                              uint64_t value)
{
    struct ds_field f;
    if (ds_layout_field(k->layout, type, member, &f) != DS_OK) {
        printf("no %s.%s\n", type, member);
        abort();
    }
    if (f.bit_len != 0) {
        value = ds_le32(maker_va(&k->m, va + f.offset)) | value << f.bit_pos;
    }
    maker_put(&k->m, va + f.offset, value, f.size < 8 ? f.size : 8);
}

static inline void kernel_kdbg(struct kernel *k, const char *member, uint64_t value)
{
    struct ds_field f;
    if (!ds_kdbg_field(member, &f)) {
        printf("no KDBG member %s\n", member);
        abort();
    }
    maker_put(&k->m, KDBG_VA + f.offset, value, f.size);
}

/* A doubly linked list through `count` entries that stand at at[i]. */
static inline void kernel_list(struct kernel *k, uint64_t head, const uint64_t *at, size_t count)
{
    uint64_t previous = head;
    for (size_t i = 0; i <= count; i++) {
        uint64_t next = i < count ? at[i] : head;
        maker_ptr(&k->m, previous, next);
        maker_ptr(&k->m, next + 8, previous);
        previous = next;
    }
}

static inline void kernel_image(struct kernel *k, uint64_t base, uint32_t stamp, uint32_t size)
{
    maker_write(&k->m, base, "MZ", 2);
    maker_put(&k->m, base + 0x3c, 0x80, 4);
    maker_write(&k->m, base + 0x80, "PE\0\0", 4);
    maker_put(&k->m, base + 0x84, 0x8664, 2);
    maker_put(&k->m, base + 0x86, 1, 2); /* one section */
    maker_put(&k->m, base + 0x88, stamp, 4);
    maker_put(&k->m, base + 0x94, 0xf0, 2);
    maker_put(&k->m, base + 0x98, 0x20b, 2);
    maker_put(&k->m, base + 0x98 + 56, size, 4);
    maker_put(&k->m, base + 0x98 + 60, 0x400, 4);
    maker_put(&k->m, base + 0x98 + 108, 16, 4); /* NumberOfRvaAndSizes */
    uint64_t section = base + 0x98 + 0xf0;
    maker_write(&k->m, section, ".text\0\0\0", 8);
    maker_put(&k->m, section + 8, size - 0x1000, 4);
    maker_put(&k->m, section + 12, 0x1000, 4);
    maker_put(&k->m, section + 36, 0x60000020, 4);
}

static inline void kernel_module(struct kernel *k, unsigned n, uint64_t base, uint32_t size,
                                 uint32_t stamp, const char *name)
{
    static const char type[] = "_KLDR_DATA_TABLE_ENTRY";
    uint64_t e = ENTRY(n);
    char path[128];
    snprintf(path, sizeof(path), "\\SystemRoot\\system32\\drivers\\%s", name);
    kernel_set(k, e, type, "DllBase", base);
    kernel_set(k, e, type, "SizeOfImage", size);
    kernel_set(k, e, type, "CheckSum", 0x1234 + n);
    kernel_set(k, e, type, "TimeDateStamp", stamp);
    maker_ustr(&k->m, e + kernel_offset(k, type, "BaseDllName"), e + 0x100, name);
    maker_ustr(&k->m, e + kernel_offset(k, type, "FullDllName"), e + 0x200, path);
}

static inline void kernel_modules(struct kernel *k)
{
    uint64_t at[3];
    kernel_module(k, 0, KERNEL_BASE, KERNEL_SIZE, KERNEL_STAMP, "ntoskrnl.exe");
    kernel_module(k, 1, KERNEL_BASE + 0x2000000, 0x6000, 0x11111111, "hal.dll");
    kernel_module(k, 2, DRIVER_BASE, DRIVER_SIZE, 0x22222222, "driver.sys");
    for (unsigned i = 0; i < 3; i++) {
        at[i] = ENTRY(i) + kernel_offset(k, "_KLDR_DATA_TABLE_ENTRY", "InLoadOrderLinks");
    }
    kernel_list(k, MODULE_LIST, at, 3);
}

static inline void kernel_thread(struct kernel *k, unsigned n, unsigned process, uint32_t tid)
{
    uint64_t t = THREAD(n);
    uint32_t pid = process == 0 ? 4 : 0x100 * process;
    kernel_set(k, t, "_ETHREAD", "Cid.UniqueProcess", pid);
    kernel_set(k, t, "_ETHREAD", "Cid.UniqueThread", tid);
    kernel_set(k, t, "_ETHREAD", "StartAddress", KERNEL_BASE + 0x225870);
    kernel_set(k, t, "_DISPATCHER_HEADER", "Type", 6);
    kernel_set(k, t, "_KTHREAD", "State", 5);
    kernel_set(k, t, "_KTHREAD", "WaitReason", 15);
    kernel_set(k, t, "_KTHREAD", "SuspendCount", n);
    kernel_set(k, t, "_KTHREAD", "Priority", 12);
    kernel_set(k, t, "_KTHREAD", "BasePriority", 0xfe); /* -2 */
    kernel_set(k, t, "_KTHREAD", "KernelStackResident", 1);
    kernel_set(k, t, "_KTHREAD", "StackBase", STACK_TOP(n));
    kernel_set(k, t, "_KTHREAD", "StackLimit", STACK_TOP(n) - 0x6000);
    kernel_set(k, t, "_KTHREAD", "Process", PROCESS(process));
    kernel_set(k, t, "_KTHREAD", "ApcState.Process", PROCESS(process));
}

static inline void kernel_process(struct kernel *k, unsigned n, const char *name,
                                  unsigned first_thread, unsigned threads)
{
    uint64_t p = PROCESS(n), at[8];
    kernel_set(k, p, "_EPROCESS", "UniqueProcessId", n == 0 ? 4 : 0x100 * n);
    kernel_set(k, p, "_EPROCESS", "InheritedFromUniqueProcessId", n == 0 ? 0 : 4);
    kernel_set(k, p, "_EPROCESS", "ActiveThreads", threads);
    kernel_set(k, p, "_EPROCESS", "ExitStatus", 0x103);
    kernel_set(k, p, "_KPROCESS", "DirectoryTableBase", k->m.dtb);
    maker_write(&k->m, p + kernel_offset(k, "_EPROCESS", "ImageFileName"), name, strlen(name) + 1);
    for (unsigned i = 0; i < threads; i++) {
        kernel_thread(k, first_thread + i, n, 0x1000 + (first_thread + i) * 4);
        at[i] = THREAD(first_thread + i) + kernel_offset(k, "_ETHREAD", "ThreadListEntry");
    }
    kernel_list(k, p + kernel_offset(k, "_EPROCESS", "ThreadListHead"), at, threads);
}

static inline void kernel_processes(struct kernel *k)
{
    uint64_t at[3];
    kernel_process(k, 0, "System", 0, 3);
    kernel_process(k, 1, "smss.exe", 3, 1);
    kernel_process(k, 2, "very-long-name", 4, 2);
    for (unsigned i = 0; i < 3; i++) {
        at[i] = PROCESS(i) + kernel_offset(k, "_EPROCESS", "ActiveProcessLinks");
    }
    kernel_list(k, PROCESS_LIST, at, 3);
}

static inline void kernel_processor(struct kernel *k, unsigned n, unsigned thread)
{
    uint64_t p = PRCB(n);
    kernel_set(k, p, "_KPRCB", "CurrentThread", THREAD(thread));
    kernel_set(k, p, "_KPRCB", "IdleThread", THREAD(40 + n));
    kernel_set(k, p, "_KPRCB", "Number", n);
    kernel_set(k, p, "_KPRCB", "MHz", 3593);
    maker_write(&k->m, p + kernel_offset(k, "_KPRCB", "VendorString"), "AuthenticAMD", 13);
    maker_ptr(&k->m, PROCESSOR_BLOCK + n * 8, p);
}

static inline void kernel_debugger_data(struct kernel *k)
{
    static const struct {
        const char *kdbg, *type, *member;
    } told[] = {{"OffsetKThreadTeb", "_KTHREAD", "Teb"},
                {"OffsetKThreadState", "_KTHREAD", "State"},
                {"OffsetKThreadStackBase", "_KTHREAD", "StackBase"},
                {"OffsetKThreadStackLimit", "_KTHREAD", "StackLimit"},
                {"OffsetEprocessPeb", "_EPROCESS", "Peb"},
                {"OffsetPrcbCurrentThread", "_KPRCB", "CurrentThread"},
                {"OffsetPrcbMhz", "_KPRCB", "MHz"}};
    kernel_kdbg(k, "Header.OwnerTag", DS_KDBG_TAG);
    kernel_kdbg(k, "Header.Size", 0x380);
    kernel_kdbg(k, "KernBase", KERNEL_BASE);
    kernel_kdbg(k, "PsLoadedModuleList", MODULE_LIST);
    kernel_kdbg(k, "PsActiveProcessHead", PROCESS_LIST);
    kernel_kdbg(k, "KiProcessorBlock", PROCESSOR_BLOCK);
    kernel_kdbg(k, "MmUnloadedDrivers", UNLOADED_PTR);
    kernel_kdbg(k, "MmLastUnloadedDriver", UNLOADED_LAST);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        kernel_kdbg(k, told[i].kdbg, kernel_offset(k, told[i].type, told[i].member));
    }
}

static inline void kernel_unloaded(struct kernel *k)
{
    static const char type[] = "_UNLOADED_DRIVERS";
    uint32_t size = 0;
    if (ds_layout_size(k->layout, type, &size) != DS_OK) {
        abort();
    }
    maker_ptr(&k->m, UNLOADED_PTR, UNLOADED_ARRAY);
    maker_put(&k->m, UNLOADED_LAST, 2, 4);
    for (unsigned i = 0; i < 50; i++) { /* the array is there in full, two slots used */
        maker_ptr(&k->m, UNLOADED_ARRAY + i * size + size - 8, 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        uint64_t e = UNLOADED_ARRAY + i * size;
        maker_ustr(&k->m, e + kernel_offset(k, type, "Name"), UNLOADED_ARRAY + 0x1000 + i * 0x100,
                   i == 0 ? "older.sys" : "newer_with_long_name.sys");
        kernel_set(k, e, type, "StartAddress", 0xfffff80600000000u + i * 0x100000);
        kernel_set(k, e, type, "EndAddress", 0xfffff80600008000u + i * 0x100000);
        kernel_set(k, e, type, "CurrentTime", 0x1d707f23d000000 + i);
    }
}

/* The header's context: KeBugCheckEx on the stack of THREAD(0). */
static inline void kernel_header_context(struct kernel *k, uint64_t pc, uint64_t sp)
{
    uint8_t *c = k->m.file + 0x348;
    ds_put_le32(c + 0x30, 0x10001f);
    ds_put_le64(c + 0x98, sp);
    ds_put_le64(c + 0xf8, pc);
}

static inline void kernel_open(struct kernel *k)
{
    struct ds_kernel_id id = {.arch = DS_ARCH_X64, .build = 19041, .revision = 804};
    maker_open(&k->m);
    if (ds_layout_open_builtin(&id, &k->layout, NULL) != DS_OK) {
        abort();
    }
    maker_put(&k->m, SHARED_DATA, 1, 8);
    kernel_image(k, KERNEL_BASE, KERNEL_STAMP, KERNEL_SIZE);
    kernel_image(k, DRIVER_BASE, 0x22222222, DRIVER_SIZE);
    kernel_modules(k);
    kernel_processes(k);
    kernel_processor(k, 0, 0);
    kernel_processor(k, 1, 3);
    kernel_debugger_data(k);
    kernel_unloaded(k);
    ds_put_le32(k->m.file + 0x34, 2);
    ds_put_le64(k->m.file + 0x20, MODULE_LIST);
    ds_put_le64(k->m.file + 0x28, PROCESS_LIST);
    ds_put_le64(k->m.file + 0x80, KDBG_VA);
    kernel_header_context(k, KERNEL_BASE + 0x3f5a80, STACK_TOP(0) - 0x800);
}

static inline void kernel_close(struct kernel *k)
{
    ds_layout_close(k->layout);
    maker_close(&k->m);
}

/* Bugcheck code and parameters of the header. */
static inline void kernel_bugcheck(struct kernel *k, uint32_t code, uint64_t p1, uint64_t p2,
                                   uint64_t p3, uint64_t p4)
{
    ds_put_le32(k->m.file + 0x38, code);
    ds_put_le64(k->m.file + 0x40, p1);
    ds_put_le64(k->m.file + 0x48, p2);
    ds_put_le64(k->m.file + 0x50, p3);
    ds_put_le64(k->m.file + 0x58, p4);
}

static inline struct ds_target *kernel_target(struct kernel *k)
{
    struct ds_target *t = NULL;
    if (ds_target_open(maker_dump(&k->m), NULL, &t, NULL) != DS_OK) {
        abort();
    }
    return t;
}

static inline struct ds_nt *kernel_nt(struct kernel *k)
{
    struct ds_nt *nt = NULL;
    if (ds_nt_open(kernel_target(k), &nt, NULL) != DS_OK) {
        abort();
    }
    return nt;
}

/* The step of that kind and method, or NULL. */
static inline const struct ds_step *kernel_step(const struct ds_target *t, const char *what,
                                                const char *method)
{
    for (size_t i = 0; i < t->step_count; i++) {
        if (strcmp(t->steps[i].what, what) == 0 && strcmp(t->steps[i].method, method) == 0) {
            return &t->steps[i];
        }
    }
    return NULL;
}

#endif
