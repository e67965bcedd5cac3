/* Headers of objects on a made kernel of Windows 10: types behind a cookie, names, a small tree. */
#include "nt/objects.h"

#include "kernel_maker.h"

#define ROOT_PTR (KERNEL_BASE + 0xc251f0u)
#define COOKIE_AT (KERNEL_BASE + 0xcfc71cu) /* nt-globals.tsv, 10.0.19041.804 */
#define BODY(n) (0xffffc08000800100u + (uint64_t)(n)*0x300)
#define HEADER 0x30u /* _OBJECT_HEADER.Body */
#define NAME 0x20u   /* sizeof _OBJECT_HEADER_NAME_INFO, and of the creator's */
#define ENTRY_OF(n) (0xffffc08000810000u + (uint64_t)(n)*0x20)
#define TEXT_OF(n) (0xffffc08000820000u + (uint64_t)(n)*0x80)
#define COOKIE 0x5bu

enum { ROOT, TYPES, TYPE_TYPE, TYPE_DIRECTORY, TYPE_EVENT, EVENT };

static struct kernel k;

static void put_text(uint64_t ustring, unsigned n, const char *text)
{
    size_t len = strlen(text);
    maker_put(&k.m, ustring, len * 2, 2);
    maker_put(&k.m, ustring + 2, len * 2 + 2, 2);
    maker_ptr(&k.m, ustring + 8, TEXT_OF(n));
    for (size_t i = 0; i < len; i++) {
        maker_put(&k.m, TEXT_OF(n) + i * 2, (uint8_t)text[i], 2);
    }
}

/* A header with a name, and with a creator between the two where asked for. */
static void put_object(unsigned n, unsigned type, const char *name, bool creator)
{
    uint64_t header = BODY(n) - HEADER;
    uint64_t info = header - NAME - (creator ? NAME : 0);
    maker_put(&k.m, header + 0x18, (type ^ COOKIE ^ (header >> 8)) & 0xff, 1);
    maker_put(&k.m, header + 0x1a, creator ? 3 : 2, 1);
    maker_put(&k.m, header, 7 + n, 8);
    maker_put(&k.m, header + 8, n, 8);
    put_text(info + 8, n, name);
}

static void put_type(unsigned n, unsigned index, const char *name)
{
    put_object(n, 2, name, true);
    kernel_set(&k, BODY(n), "_OBJECT_TYPE", "Index", index);
    put_text(BODY(n) + kernel_offset(&k, "_OBJECT_TYPE", "Name"), 20 + n, name);
}

static void put_entry(unsigned n, unsigned directory, unsigned bucket, unsigned next)
{
    maker_ptr(&k.m, BODY(directory) + bucket * 8, ENTRY_OF(n));
    maker_ptr(&k.m, ENTRY_OF(n), next != 0 ? ENTRY_OF(next) : 0);
    maker_ptr(&k.m, ENTRY_OF(n) + 8, BODY(n));
}

static void open_objects(void)
{
    kernel_open(&k);
    kernel_kdbg(&k, "ObpRootDirectoryObject", ROOT_PTR);
    maker_ptr(&k.m, ROOT_PTR, BODY(ROOT));
    maker_put(&k.m, COOKIE_AT, COOKIE, 1);
    put_object(ROOT, 3, "\\", false);
    put_object(TYPES, 3, "ObjectTypes", false);
    put_type(TYPE_TYPE, 2, "Type");
    put_type(TYPE_DIRECTORY, 3, "Directory");
    put_type(TYPE_EVENT, 16, "Event");
    put_object(EVENT, 16, "FabReady", false);
    put_entry(TYPES, ROOT, 5, 0);
    put_entry(EVENT, ROOT, 36, 0);
    put_entry(TYPE_TYPE, TYPES, 1, TYPE_DIRECTORY);
    put_entry(TYPE_DIRECTORY, TYPES, 2, 0);
    put_entry(TYPE_EVENT, TYPES, 3, 0);
    maker_ptr(&k.m, BODY(TYPES) + 2 * 8, 0); /* it hangs on the first chain */
}

static const struct ds_object *find(const struct ds_objects *o, const char *path)
{
    for (size_t i = 0; i < o->count; i++) {
        if (strcmp(o->rows[i].path, path) == 0) {
            return &o->rows[i];
        }
    }
    return NULL;
}

static void close_objects(struct ds_nt *nt)
{
    ds_nt_close(nt);
    kernel_close(&k);
}

static void test_tree(void)
{
    open_objects();
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_objects *o = ds_nt_objects(nt);
    const struct ds_object *event = find(o, "\\FabReady");
    CHECK_U64(o->count, 6);
    CHECK(o->walk.complete);
    CHECK_STR(o->walk.detail, "header cookie 5b, by ObHeaderCookie");
    CHECK(event != NULL && find(o, "\\ObjectTypes\\Directory") != NULL);
    if (event != NULL) {
        CHECK_STR(event->type, "Event");
        CHECK_U64(event->type_index.value, 16);
        CHECK_U64(event->object, BODY(EVENT));
        CHECK_U64(event->header, BODY(EVENT) - HEADER);
        CHECK_U64(event->directory, BODY(ROOT));
        CHECK_U64(event->pointer_count.value, 7 + EVENT);
        CHECK_U64(event->handle_count.value, EVENT);
        CHECK_U64(event->depth, 1);
    }
    CHECK_STR(ds_nt_object_path(nt, BODY(EVENT)), "\\FabReady");
    CHECK(ds_nt_object_path(nt, BODY(EVENT) + 8) == NULL);
    close_objects(nt);
}

/* The root is a Directory whose index the types tell: the cookie follows, whatever its place says.
 */
static void test_cookie_solved(void)
{
    open_objects();
    maker_put(&k.m, COOKIE_AT, 0x11, 1);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_object_types *t = ds_nt_object_types(nt);
    CHECK(t->cookie.known && t->cookie.value == COOKIE);
    CHECK_STR(t->cookie_source,
              "the root directory, which is a Directory; ObHeaderCookie is another");
    CHECK_U64(t->count, 3);
    CHECK_STR(t->rows[0].source, "\\ObjectTypes");
    close_objects(nt);
}

/* Objects that contradict one another solve nothing: types are unknown then, never wrong. */
static void test_cookie_unsolved(void)
{
    open_objects();
    maker_put(&k.m, COOKIE_AT, 0x11, 1);
    maker_put(&k.m, BODY(TYPE_EVENT) - HEADER + 0x18, 0xee, 1);
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_object_types *t = ds_nt_object_types(nt);
    const struct ds_objects *o = ds_nt_objects(nt);
    CHECK(!t->cookie.known);
    CHECK_U64(t->count, 3);
    CHECK(!o->walk.complete);
    CHECK(o->count > 0 && o->rows[0].type == NULL && !o->rows[0].type_index.known);
    close_objects(nt);
}

/* A chain that comes back to an entry, and a directory that is in itself. */
static void test_loops(void)
{
    open_objects();
    maker_ptr(&k.m, ENTRY_OF(EVENT), ENTRY_OF(EVENT));
    struct ds_nt *nt = kernel_nt(&k);
    const struct ds_objects *o = ds_nt_objects(nt);
    CHECK_U64(o->count, 6);
    CHECK_U64(o->walk.stop_reason, DS_LOOP);
    CHECK_U64(o->walk.stop_address.value, ENTRY_OF(EVENT));
    close_objects(nt);
    open_objects();
    maker_ptr(&k.m, ENTRY_OF(EVENT) + 8, BODY(ROOT));
    nt = kernel_nt(&k);
    o = ds_nt_objects(nt);
    CHECK_U64(o->count, 6);
    CHECK_U64(o->walk.stop_reason, DS_LOOP);
    CHECK_U64(o->walk.stop_address.value, BODY(ROOT));
    close_objects(nt);
}

static void test_names(void)
{
    struct ds_object_info info;
    open_objects();
    maker_put(&k.m, BODY(EVENT) - HEADER + 0x1a, 0, 1);      /* no name at all */
    maker_ptr(&k.m, BODY(TYPES) - HEADER - NAME + 16, 0x10); /* one that cannot be read */
    struct ds_nt *nt = kernel_nt(&k);
    ds_nt_object_info(nt, BODY(EVENT) - HEADER, &info);
    CHECK(info.name_info.known && info.name_info.value == 0);
    CHECK(ds_nt_object_name(nt, &info) == NULL);
    ds_nt_object_info(nt, BODY(TYPE_TYPE) - HEADER, &info);
    CHECK_U64(info.name_info.value, BODY(TYPE_TYPE) - HEADER - 2 * NAME);
    CHECK_STR(ds_nt_object_name(nt, &info), "Type");
    /* Nothing leads to the types, so nothing is of a known type; the root is walked all the same.
     */
    CHECK_U64(ds_nt_object_types(nt)->walk.stop_reason, DS_NOT_FOUND);
    CHECK_U64(ds_nt_objects(nt)->count, 3);
    CHECK(!ds_nt_objects(nt)->walk.complete);
    close_objects(nt);
}

TEST_MAIN(TEST(test_tree), TEST(test_cookie_solved), TEST(test_cookie_unsolved), TEST(test_loops),
          TEST(test_names))
