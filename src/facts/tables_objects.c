/* Tables over the object manager: names, types, handles. */
#include "facts/table.h"
#include "nt/handles.h"
#include "nt/objects.h"

#define ROW struct ds_object
static const struct ds_column_spec object_columns[] = {
    {"object", DS_COL_ADDRESS, "the object's body: virtual", "!object (Object)",
     DS_FIELD(ROW, object)},
    {"path", DS_COL_TEXT, "from the root on; ? and the address for a name that is unreadable",
     "!object \\ (Name)", DS_FIELD(ROW, path)},
    {"name", DS_COL_TEXT, "the last part of it; NULL when unreadable", "!object (Name)",
     DS_FIELD(ROW, name)},
    {"type", DS_COL_TEXT, "Directory, Device, Driver, Event, ...; NULL when unknown",
     "!object (Type)", DS_FIELD(ROW, type)},
    {"type_index", DS_COL_INTEGER,
     "in ObTypeIndexTable, with the header's cookie taken off; NULL before Windows 7",
     "dt nt!_OBJECT_HEADER (TypeIndex)", DS_FIELD(ROW, type_index)},
    {"pointer_count", DS_COL_INTEGER,
     "references; from Windows 8.1 on the handles' share, taken ahead, counts too",
     "!object (PointerCount)", DS_FIELD(ROW, pointer_count)},
    {"handle_count", DS_COL_INTEGER, "handles to it", "!object (HandleCount)",
     DS_FIELD(ROW, handle_count)},
    {"target", DS_COL_TEXT, "what a symbolic link leads to; NULL for others and when unreadable",
     "!object (Target String)", DS_FIELD(ROW, target)},
    {"header", DS_COL_ADDRESS, "_OBJECT_HEADER: virtual", "!object (ObjectHeader)",
     DS_FIELD(ROW, header)},
    {"directory", DS_COL_ADDRESS, "_OBJECT_DIRECTORY that it is in; 0 for the root",
     "!object (Directory Object)", DS_FIELD(ROW, directory)},
    {"depth", DS_COL_INTEGER, "directories above it; 0 for the root", "", DS_FIELD(ROW, depth)},
};
#undef ROW

static void objects_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_objects *o = ds_nt_objects(ds_facts_nt(f));
    *ret = (struct ds_rows){o->rows, sizeof(*o->rows), o->count, o->walk};
}

DS_TABLE_WITH_LAYOUT(objects,
                     "Named objects: every directory from ObpRootDirectoryObject on. How the "
                     "cookie of the headers was found stands in walks.detail.",
                     "!object \\", object_columns, objects_fill, NULL);

#define ROW struct ds_object_type
static const struct ds_column_spec object_type_columns[] = {
    {"type", DS_COL_ADDRESS, "_OBJECT_TYPE: virtual", "!object \\ObjectTypes",
     DS_FIELD(ROW, address)},
    {"name", DS_COL_TEXT, "Process, File, Key, ...", "dt nt!_OBJECT_TYPE (Name)",
     DS_FIELD(ROW, name)},
    {"type_index", DS_COL_INTEGER, "in ObTypeIndexTable; NULL before Windows 7",
     "dt nt!_OBJECT_TYPE (Index)", DS_FIELD(ROW, index)},
    {"objects", DS_COL_INTEGER, "objects of the type that there are",
     "dt nt!_OBJECT_TYPE (TotalNumberOfObjects)", DS_FIELD(ROW, objects)},
    {"handles", DS_COL_INTEGER, "handles to objects of the type",
     "dt nt!_OBJECT_TYPE (TotalNumberOfHandles)", DS_FIELD(ROW, handles)},
    {"most_objects", DS_COL_INTEGER, "most objects that there ever were",
     "dt nt!_OBJECT_TYPE (HighWaterNumberOfObjects)", DS_FIELD(ROW, most_objects)},
    {"most_handles", DS_COL_INTEGER, "most handles that there ever were",
     "dt nt!_OBJECT_TYPE (HighWaterNumberOfHandles)", DS_FIELD(ROW, most_handles)},
    {"source", DS_COL_TEXT, "ObTypeIndexTable, \\ObjectTypes, object header", "",
     DS_FIELD(ROW, source)},
};
#undef ROW

static void object_types_fill(struct ds_facts *f, struct ds_rows *ret)
{
    const struct ds_object_types *o = ds_nt_object_types(ds_facts_nt(f));
    *ret = (struct ds_rows){o->rows, sizeof(*o->rows), o->count, o->walk};
}

DS_TABLE_WITH_LAYOUT(object_types, "Types of objects, with how many objects and handles there are.",
                     "!object \\ObjectTypes", object_type_columns, object_types_fill, "type");

#define ROW struct ds_handle
static const struct ds_column_spec handle_columns[] = {
    {"handle", DS_COL_INTEGER, "its value: 4, 8, 12, ...", "!handle", DS_FIELD(ROW, handle)},
    {"object", DS_COL_ADDRESS, "the object's body: virtual", "!handle (Object)",
     DS_FIELD(ROW, object)},
    {"type", DS_COL_TEXT, "File, Event, Key, ...; NULL when unknown", "!handle (Type)",
     DS_FIELD(ROW, type)},
    {"name", DS_COL_TEXT,
     "path of a named object; FileName of a file, image of a process, pid.tid (hexadecimal) of a "
     "thread; NULL when it has none or is unreadable",
     "!handle (Name)", DS_FIELD(ROW, name)},
    {"granted_access", DS_COL_INTEGER, "access mask, 25 bits", "!handle (GrantedAccess)",
     DS_FIELD(ROW, access)},
    {"pointer_count", DS_COL_INTEGER, "references to the object", "!handle (PointerCount)",
     DS_FIELD(ROW, pointer_count)},
    {"handle_count", DS_COL_INTEGER, "handles to the object, of all processes",
     "!handle (HandleCount)", DS_FIELD(ROW, handle_count)},
    {"header", DS_COL_ADDRESS, "_OBJECT_HEADER: virtual", "!handle (ObjectHeader)",
     DS_FIELD(ROW, header)},
    {"entry", DS_COL_ADDRESS, "_HANDLE_TABLE_ENTRY: virtual", "!handle (Entry)",
     DS_FIELD(ROW, entry)},
    {"eprocess", DS_COL_ADDRESS, "the process: its EPROCESS", "", NULL},
};
#undef ROW

static void handles_call(struct ds_facts *f, const uint64_t *args, const bool *given,
                         struct ds_rows *ret)
{
    struct ds_handles h;
    (void)given;
    ds_nt_handles(ds_facts_nt(f), args[0], &h);
    *ret = (struct ds_rows){h.rows, sizeof(*h.rows), h.count, h.walk};
}

const struct ds_table ds_table_handles = {
    .spec = {.name = "handles",
             .doc = "The handles of a process, by value: handles(eprocess). What was read before a "
                    "fault is given; walks says why it ended.",
             .windbg = "!handle 0 3",
             .columns = handle_columns,
             .column_count = sizeof(handle_columns) / sizeof(handle_columns[0]),
             .argument_count = 1,
             .argument_needed = 1},
    .fill = ds_fill_none,
    .needs_layout = true,
    .call = handles_call};
