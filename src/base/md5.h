/*
 * MD5 (RFC 1321). Used for identifiers only (signatures that deduplicate crashes), never for
 * anything that must resist an attacker.
 */
#ifndef DS_BASE_MD5_H
#define DS_BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#define DS_MD5_SIZE 16

/* The digest of `len` bytes in one call. */
void ds_md5(const void *data, size_t len, uint8_t digest[DS_MD5_SIZE]);

/* The digest as 32 lower-case hex digits and a NUL. */
void ds_md5_hex(const void *data, size_t len, char text[2 * DS_MD5_SIZE + 1]);

#endif
