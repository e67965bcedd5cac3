/*
 * Live dumps: taken of a system that went on running, because somebody asked or because a part of
 * Windows noticed that something was wrong. Who asked, as far as the dump tells. Sources:
 * windows-driver-docs, debugger/kernel-live-dump-code-reference.md; mindumpdef.h
 * (DUMP_FILE_ATTRIBUTES.LiveDumpGenerated); QEMU include/qemu/win_dump_defs.h.
 */
#ifndef DS_NT_LIVE_H
#define DS_NT_LIVE_H

#include "nt/nt.h"

struct ds_live_component {
    uint32_t code;
    const char *component;
};
struct ds_live_tool {
    const char *process, *tool;
};
extern const struct ds_live_component ds_live_components[];
extern const size_t ds_live_component_count;
extern const struct ds_live_tool ds_live_tools[];
extern const size_t ds_live_tool_count;

/* Texts are static or live as long as the ds_nt; NULL is unknown. */
struct ds_live {
    struct ds_opt live;    /* 1: the system did not crash; 0: it did; unknown when the header does
                              not say */
    const char *evidence;  /* why that is believed; one clause */
    bool on_request;       /* somebody asked: nothing need be wrong */
    const char *component; /* the part of Windows that takes dumps with this code */
    const char *asked_by;  /* who asked, for people */
    const char *asked_how; /* how that is known; one clause */
    const char *module;    /* file name of the driver that asked, by the stack */
    const char *function;  /* "afd!AfdClose+0x12" where it did */
    const char *process;   /* current when the dump was taken */
};

/* Whether the header alone says that the system did not crash. *evidence (static) says why. */
struct ds_opt ds_live_by_header(const struct ds_dump_header *h, const char **evidence);

/* Walks the stack on first use. Never NULL. */
const struct ds_live *ds_nt_live(struct ds_nt *nt);

#endif
