/*
 * An image as its maker built it: the file of a driver or of the kernel in a symbol store, for
 * holding a dump's code against it. Sources: Microsoft PE/COFF specification; Microsoft Learn,
 * "SymStore: folder tree" (images lie under TimeDateStamp and SizeOfImage).
 */
#ifndef DS_SYMBOLS_IMAGE_FILE_H
#define DS_SYMBOLS_IMAGE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "io/source.h"

#define DS_IMAGE_BLOCK 256u /* bytes at most that one call compares */

struct ds_image_file; /* owns its file */

/*
 * Opens the file if it is the image of that timestamp and size. Errors: of ds_source_file_open(),
 * DS_CORRUPT (no image), DS_NOT_FOUND (another image), DS_NO_MEMORY.
 */
enum ds_status ds_image_file_open(const char *path, uint32_t timestamp, uint32_t size_of_image,
                                  struct ds_image_file **ret) DS_MUST_CHECK;
void ds_image_file_close(struct ds_image_file *f);

/*
 * The bytes at rva as the loader puts them there, up to DS_IMAGE_BLOCK. fixed[i] is false where
 * the loader or the kernel writes an address of its own (base relocations), or where the image
 * holds no code. Errors: DS_NOT_FOUND (no code of the file lies there), read errors.
 */
enum ds_status ds_image_file_read(struct ds_image_file *f, uint32_t rva, uint8_t *bytes,
                                  bool *fixed, size_t len) DS_MUST_CHECK;

#endif
