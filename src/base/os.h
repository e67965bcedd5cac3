/*
 * What dumpscan needs of an operating system. Implemented in posix/os.c and win32/os.c; no other
 * file asks which system it is. Paths are UTF-8 everywhere.
 */
#ifndef DS_BASE_OS_H
#define DS_BASE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dumpscan/status.h"

/* An open file that is only read. */
struct ds_os_file;

/* Errors: DS_NOT_FOUND, DS_IO; DS_UNSUPPORTED for a folder, pipe or device. */
enum ds_status ds_os_file_open(const char *path, struct ds_os_file **ret,
                               struct ds_err *err) DS_MUST_CHECK;
/* NULL is allowed. */
void ds_os_file_close(struct ds_os_file *f);
uint64_t ds_os_file_size(const struct ds_os_file *f);
/*
 * Reads at an offset without moving any position (safe from several threads). *got may be short
 * at the end of the file only. Errors: DS_IO.
 */
enum ds_status ds_os_file_read_at(struct ds_os_file *f, uint64_t off, void *buf, size_t len,
                                  size_t *got, struct ds_err *err) DS_MUST_CHECK;

/* The system's number of an open file, for libraries that want one; -1 where there is none. */
int ds_os_file_descriptor(const struct ds_os_file *f);

/*
 * A file without a name, gone when it is closed, in the system's folder for large temporary files.
 * ds_os_temp_write() writes at an offset; what is never written reads as zero.
 * ds_os_temp_finish() sets the size. Errors: DS_UNSUPPORTED, DS_IO, DS_NO_MEMORY.
 */
enum ds_status ds_os_temp_open(struct ds_os_file **ret, struct ds_err *err) DS_MUST_CHECK;
enum ds_status ds_os_temp_write(struct ds_os_file *f, uint64_t off, const void *data, size_t len,
                                struct ds_err *err) DS_MUST_CHECK;
enum ds_status ds_os_temp_finish(struct ds_os_file *f, uint64_t size,
                                 struct ds_err *err) DS_MUST_CHECK;

/* Opens a stdio stream by UTF-8 path, binary ("rb", "wb"). NULL on error with errno set. */
FILE *ds_os_fopen(const char *path, const char *mode);
/* Replaces `to` by `from` in one step. False on error. */
bool ds_os_rename(const char *from, const char *to);
bool ds_os_remove(const char *path);

/* Whether two paths lead to one existing file, however they are spelled. */
bool ds_os_same_file(const char *a, const char *b);

/* DEVICE: also a pipe or a socket; on Windows such names are not told from files. */
enum ds_os_path_kind { DS_OS_PATH_NONE, DS_OS_PATH_FILE, DS_OS_PATH_FOLDER, DS_OS_PATH_DEVICE };
enum ds_os_path_kind ds_os_path_kind(const char *path);

/*
 * Calls `each` with every entry name of a folder (not . and ..), in no order, until it returns
 * false. Errors: DS_NOT_FOUND, DS_IO.
 */
enum ds_status ds_os_folder_list(const char *path, bool (*each)(const char *name, void *arg),
                                 void *arg, struct ds_err *err) DS_MUST_CHECK;

/* Milliseconds of a clock that never goes back. */
uint64_t ds_os_monotonic_ms(void);

/* Whether a stdio stream is a terminal. */
bool ds_os_is_terminal(FILE *stream);
/* stdout and stderr to UTF-8 and LF, as they are on POSIX. */
void ds_os_prepare_stdio(void);
/*
 * The command line as UTF-8. On POSIX *argv is left as it is; on Windows it is rebuilt from the
 * wide command line and lives until exit.
 */
void ds_os_args(int *argc, char ***argv);
/* An environment variable as UTF-8, or NULL; the caller frees it. */
char *ds_os_getenv(const char *name);

#endif
