/* What the files of this room share. Private. */
#ifndef DS_UNWIND_IMPL_H
#define DS_UNWIND_IMPL_H

#include "base/limits.h"
#include "unwind/frame.h"
#include "unwind/x64.h"

#define DS_WALK_WINDOW 4096u /* stack bytes read at once */
#define DS_WALK_IMAGES 16u   /* images whose headers are kept */
#define DS_WALK_SWITCHES 8u  /* of the stack, in one walk */

struct ds_walker {
    const struct ds_stack_walk *in;
    struct ds_stack *ret;
    uint64_t limit;    /* of the stack that is walked now */
    uint64_t bytes;    /* looked through by scans so far */
    unsigned switches; /* from one stack to another */
    bool anchored;     /* no scan so far */
    uint8_t window[DS_WALK_WINDOW];
    uint64_t window_va; /* what `window` holds */
    size_t window_size;
    struct ds_x64_image images[DS_WALK_IMAGES];
    enum ds_status image_status[DS_WALK_IMAGES];
    size_t image_count;
};

/* One word of the stack, through the window. */
enum ds_status ds_walker_word(struct ds_walker *w, uint64_t va, uint64_t *ret) DS_MUST_CHECK;

/* Appends a frame; false at the cap, which ends the walk. */
bool ds_walker_add(struct ds_walker *w, struct ds_frame frame);

/* Ends the walk there. */
void ds_walker_end(struct ds_walker *w, enum ds_status why, uint64_t sp);

/* Whether va may be code: it lies in an executable section of a module (unknown sections count),
 * or was code of an unloaded driver. */
bool ds_walker_code(struct ds_walker *w, uint64_t va);

/*
 * The next value of [sp, limit) that may be a return address, or the rip of a machine frame (x64);
 * *next is where the caller's stack begins. False when there is none: the walk is ended.
 */
bool ds_walker_scan(struct ds_walker *w, uint64_t sp, struct ds_frame *frame, uint64_t *next);

/* The walk of an architecture without unwind data, or without its unwinder. */
void ds_walker_frame_pointers(struct ds_walker *w);
void ds_walker_x64(struct ds_walker *w);

#endif
