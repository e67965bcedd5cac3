#define WIN32_LEAN_AND_MEAN
#define UNICODE
#define _UNICODE
#include "base/os.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <windows.h>

#include "base/err.h"

struct ds_os_file {
    HANDLE handle;
    uint64_t size;
};

static wchar_t *widen(const char *utf8)
{
    int n = MultiByteToWideChar(CP_UTF8, 0, utf8, -1, NULL, 0);
    if (n <= 0)
        return NULL;
    wchar_t *w = malloc((size_t)n * sizeof(*w));
    if (w != NULL)
        (void)MultiByteToWideChar(CP_UTF8, 0, utf8, -1, w, n);
    return w;
}

static char *narrow(const wchar_t *wide)
{
    int n = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    if (n <= 0)
        return NULL;
    char *s = malloc((size_t)n);
    if (s != NULL)
        (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, s, n, NULL, NULL);
    return s;
}

/* Full path with the \\?\ prefix, so that paths over MAX_PATH open. */
static wchar_t *widen_path(const char *utf8)
{
    wchar_t *w = widen(utf8);
    if (w == NULL || wcsncmp(w, L"\\\\?\\", 4) == 0 || wcsncmp(w, L"\\\\.\\", 4) == 0)
        return w;
    DWORD n = GetFullPathNameW(w, 0, NULL, NULL);
    if (n < MAX_PATH - 12)
        return w;
    wchar_t *full = malloc(((size_t)n + 1) * sizeof(*full));
    wchar_t *out = malloc(((size_t)n + 16) * sizeof(*out));
    DWORD got = full != NULL && out != NULL ? GetFullPathNameW(w, n + 1, full, NULL) : 0;
    if (got != 0 && got <= n) {
        bool unc = full[0] == L'\\' && full[1] == L'\\';
        const wchar_t *prefix = unc ? L"\\\\?\\UNC" : L"\\\\?\\";
        size_t head = wcslen(prefix);
        size_t skip = unc ? 1 : 0;
        wmemcpy(out, prefix, head);
        wmemcpy(out + head, full + skip, got - skip + 1);
        free(w);
        w = out;
        out = NULL;
    }
    free(full);
    free(out);
    return w;
}

static enum ds_status win_error(struct ds_err *err, const char *what)
{
    DWORD code = GetLastError();
    /* A name that no file can have (a control character in it, say) is no file's. */
    bool missing = code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND ||
                   code == ERROR_INVALID_NAME || code == ERROR_BAD_PATHNAME;
    return ds_err_set(err, missing ? DS_NOT_FOUND : DS_IO, "%s: %s (Windows error %lu)", what,
                      missing ? "No such file or directory" : "refused", (unsigned long)code);
}

enum ds_status ds_os_file_open(const char *path, struct ds_os_file **ret, struct ds_err *err)
{
    if (ds_os_path_kind(path) == DS_OS_PATH_FOLDER)
        return ds_err_set(err, DS_UNSUPPORTED, "not a regular file (a folder)");
    wchar_t *w = widen_path(path);
    if (w == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    HANDLE h = CreateFileW(w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                           NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    free(w);
    if (h == INVALID_HANDLE_VALUE)
        return win_error(err, "cannot open");
    LARGE_INTEGER size;
    if (GetFileType(h) != FILE_TYPE_DISK || !GetFileSizeEx(h, &size)) {
        CloseHandle(h);
        return ds_err_set(err, DS_UNSUPPORTED, "not a regular file (a pipe or device)");
    }
    struct ds_os_file *f = malloc(sizeof(*f));
    if (f == NULL) {
        CloseHandle(h);
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    }
    f->handle = h;
    f->size = (uint64_t)size.QuadPart;
    *ret = f;
    return DS_OK;
}

void ds_os_file_close(struct ds_os_file *f)
{
    if (f == NULL)
        return;
    CloseHandle(f->handle);
    free(f);
}

uint64_t ds_os_file_size(const struct ds_os_file *f)
{
    return f->size;
}

enum ds_status ds_os_file_read_at(struct ds_os_file *f, uint64_t off, void *buf, size_t len,
                                  size_t *got, struct ds_err *err)
{
    char *p = buf;
    size_t done = 0;
    while (done < len) {
        size_t left = len - done;
        DWORD want = left > (16u << 20) ? (16u << 20) : (DWORD)left;
        OVERLAPPED at = {0};
        at.Offset = (DWORD)(off + done);
        at.OffsetHigh = (DWORD)((off + done) >> 32);
        DWORD n = 0;
        if (!ReadFile(f->handle, p + done, want, &n, &at)) {
            if (GetLastError() == ERROR_HANDLE_EOF)
                break;
            return win_error(err, "read error");
        }
        if (n == 0)
            break;
        done += n;
    }
    *got = done;
    return DS_OK;
}

int ds_os_file_descriptor(const struct ds_os_file *f)
{
    (void)f;
    return -1;
}

enum ds_status ds_os_temp_open(struct ds_os_file **ret, struct ds_err *err)
{
    (void)ret;
    return ds_err_set(err, DS_UNSUPPORTED, "no files without a name on this system");
}

enum ds_status ds_os_temp_write(struct ds_os_file *f, uint64_t off, const void *data, size_t len,
                                struct ds_err *err)
{
    (void)f;
    (void)off;
    (void)data;
    (void)len;
    return ds_err_set(err, DS_UNSUPPORTED, "no files without a name on this system");
}

enum ds_status ds_os_temp_finish(struct ds_os_file *f, uint64_t size, struct ds_err *err)
{
    (void)f;
    (void)size;
    return ds_err_set(err, DS_UNSUPPORTED, "no files without a name on this system");
}

FILE *ds_os_fopen(const char *path, const char *mode)
{
    wchar_t *w = widen_path(path);
    wchar_t *m = widen(mode);
    FILE *f = w != NULL && m != NULL ? _wfopen(w, m) : NULL;
    free(w);
    free(m);
    return f;
}

bool ds_os_rename(const char *from, const char *to)
{
    wchar_t *a = widen_path(from);
    wchar_t *b = widen_path(to);
    bool ok = a != NULL && b != NULL && MoveFileExW(a, b, MOVEFILE_REPLACE_EXISTING);
    free(a);
    free(b);
    return ok;
}

bool ds_os_remove(const char *path)
{
    wchar_t *w = widen_path(path);
    bool ok = w != NULL && DeleteFileW(w);
    free(w);
    return ok;
}

static bool file_identity(const char *path, BY_HANDLE_FILE_INFORMATION *info)
{
    wchar_t *w = widen_path(path);
    HANDLE h = INVALID_HANDLE_VALUE;
    if (w != NULL)
        h = CreateFileW(w, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                        OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    free(w);
    if (h == INVALID_HANDLE_VALUE)
        return false;
    bool ok = GetFileInformationByHandle(h, info) != 0;
    CloseHandle(h);
    return ok;
}

bool ds_os_same_file(const char *a, const char *b)
{
    BY_HANDLE_FILE_INFORMATION x, y;
    return file_identity(a, &x) && file_identity(b, &y) &&
           x.dwVolumeSerialNumber == y.dwVolumeSerialNumber &&
           x.nFileIndexHigh == y.nFileIndexHigh && x.nFileIndexLow == y.nFileIndexLow;
}

enum ds_os_path_kind ds_os_path_kind(const char *path)
{
    wchar_t *w = widen_path(path);
    DWORD a = w ? GetFileAttributesW(w) : INVALID_FILE_ATTRIBUTES;
    free(w);
    if (a == INVALID_FILE_ATTRIBUTES)
        return DS_OS_PATH_NONE;
    return a & FILE_ATTRIBUTE_DIRECTORY ? DS_OS_PATH_FOLDER : DS_OS_PATH_FILE;
}

enum ds_status ds_os_folder_list(const char *path, bool (*each)(const char *name, void *arg),
                                 void *arg, struct ds_err *err)
{
    size_t n = strlen(path);
    char *glob = malloc(n + 3);
    if (glob == NULL)
        return ds_err_set(err, DS_NO_MEMORY, "out of memory");
    memcpy(glob, path, n);
    memcpy(glob + n, "\\*", 3);
    wchar_t *w = widen_path(glob);
    free(glob);
    WIN32_FIND_DATAW found;
    HANDLE h = w ? FindFirstFileW(w, &found) : INVALID_HANDLE_VALUE;
    free(w);
    if (h == INVALID_HANDLE_VALUE)
        return win_error(err, "cannot list folder");
    bool more = true;
    do {
        char *name = narrow(found.cFileName);
        if (name != NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
            more = each(name, arg);
        free(name);
    } while (more && FindNextFileW(h, &found));
    FindClose(h);
    return DS_OK;
}

uint64_t ds_os_monotonic_ms(void)
{
    return GetTickCount64();
}

bool ds_os_is_terminal(FILE *stream)
{
    return _isatty(_fileno(stream)) != 0;
}

void ds_os_prepare_stdio(void)
{
    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stderr), _O_BINARY);
    (void)_setmode(_fileno(stdin), _O_BINARY);
    (void)SetConsoleOutputCP(CP_UTF8);
}

/* The C runtime's own wide argument parser: the rules of main() and no import from SHELL32. */
struct crt_startup {
    int new_mode;
};
int __wgetmainargs(int *argc, wchar_t ***argv, wchar_t ***env, int glob, struct crt_startup *how);

void ds_os_args(int *argc, char ***argv)
{
    int n = 0;
    wchar_t **wide = NULL;
    wchar_t **env = NULL;
    struct crt_startup how = {0};
    if (__wgetmainargs(&n, &wide, &env, 0, &how) < 0 || wide == NULL || n < 0)
        return;
    char **utf8 = calloc((size_t)n + 1, sizeof(*utf8));
    for (int i = 0; utf8 != NULL && i < n; i++) {
        utf8[i] = narrow(wide[i]);
        if (utf8[i] == NULL)
            return;
    }
    if (utf8 == NULL)
        return;
    *argc = n;
    *argv = utf8;
}

char *ds_os_getenv(const char *name)
{
    wchar_t *w = widen(name);
    const wchar_t *v = w ? _wgetenv(w) : NULL;
    free(w);
    return v ? narrow(v) : NULL;
}
