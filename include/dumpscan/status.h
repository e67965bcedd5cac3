/*
 * Status codes and error text shared by every function of libdumpscan.
 *
 * A status names the class of what happened; a caller-owned struct ds_err optionally carries
 * the words. The read faults (DS_NOT_MAPPED to DS_NO_SYMBOL) are normal while reading a dump:
 * they are different truths and stay apart all the way to the report.
 */
#ifndef DUMPSCAN_STATUS_H
#define DUMPSCAN_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks results that must not be ignored. */
#if defined(__GNUC__)
#define DS_MUST_CHECK __attribute__((warn_unused_result))
#ifndef DS_PRINTF_DIALECT
#define DS_PRINTF_DIALECT printf /* the build says gnu_printf where printf means another one */
#endif
#define DS_PRINTF(f, a) __attribute__((format(DS_PRINTF_DIALECT, f, a)))
#else
#define DS_MUST_CHECK
#define DS_PRINTF(f, a)
#endif

/** What a call came to. Zero is success; values are stable within a major version. */
enum ds_status {
    DS_OK = 0,
    /* Read faults: why bytes could not be had. */
    DS_NOT_MAPPED,  /**< no valid translation for the virtual address */
    DS_PAGED_OUT,   /**< the page is in a page file, not in the dump */
    DS_NOT_IN_DUMP, /**< the page exists but was not captured */
    DS_TRUNCATED,   /**< the file ends before the bytes it promises */
    DS_CORRUPT,     /**< the bytes contradict themselves or another fact */
    DS_LOOP,        /**< a list or tree came back to a node already seen */
    DS_LIMIT,       /**< a cap of src/base/limits.h was reached */
    DS_NO_FIELD,    /**< the structure layout of this kernel lacks the member */
    DS_NO_SYMBOL,   /**< no symbol of that name, or at that address */
    /* Everything else. */
    DS_NOT_FOUND,   /**< the thing asked for is not there */
    DS_NOT_DUMP,    /**< the input is not a Windows kernel dump */
    DS_UNSUPPORTED, /**< recognised, but this version cannot read it */
    DS_IO,          /**< the operating system refused a read or write */
    DS_NO_MEMORY,   /**< allocation failed */
    DS_INVALID,     /**< the caller's argument is wrong */
    DS_STATUS_COUNT
};

/** Bytes of text that a struct ds_err holds, NUL included. */
#define DS_ERR_TEXT 512

/**
 * Error text, owned by the caller, never allocated: it works when memory is exhausted.
 * Functions take a pointer to one or NULL. On success it is left untouched.
 */
struct ds_err {
    enum ds_status status;  /**< same value as the call returned */
    char text[DS_ERR_TEXT]; /**< UTF-8, one line; outermost context first */
};

/** The short stable name of a status, as in the column walks.stop_reason: "paged_out". */
const char *ds_status_name(enum ds_status status);

/** One clause that says what a status means, for people. */
const char *ds_status_text(enum ds_status status);

#ifdef __cplusplus
}
#endif
#endif
