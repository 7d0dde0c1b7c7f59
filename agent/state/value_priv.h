// value_priv: what the files that write state out share.
#pragma once

#include "state/value.h"
#include "state/wire.h"
#include "value_tables.h"

void value_put_verdict(struct buf *value, const struct bottleneck *bottleneck);
bool value_take_verdict(struct str bytes, struct bottleneck ***items, uint32_t *count);

// Two integers as one field.
void value_put_pair(struct buf *value, unsigned number, int64_t a, int64_t b);
bool value_take_pair(struct str bytes, int64_t *a, int64_t *b);

// executors.c: the hosts and executors of one chunk, EXECUTORS_PER_CHUNK of each.
void executors_write(const struct executors *executors, uint32_t chunk, struct buf *value);
// One field of a chunk; fields of a later release are passed over.
bool executors_read(struct executors *executors, unsigned number, struct str field);
// True if chunks came complete: no gap among hosts and executors, every host known.
bool executors_complete(const struct executors *executors);

// properties.c: fields of a value that holds nothing else; the second takes one back.
void properties_write(const struct properties *properties, struct buf *value);
bool properties_read(struct properties *properties, struct str field);
