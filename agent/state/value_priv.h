// value_priv: what the files that write state out share.
#pragma once

#include "state/value.h"
#include "state/wire.h"
#include "value_tables.h"

void value_begin(struct buf *value);
// Checks the version and opens the fields behind it.
enum status value_open(struct str value, struct wire_reader *reader, struct err *err);
void value_put_verdict(struct buf *value, const struct bottleneck *bottleneck);
bool value_take_verdict(struct str bytes, struct bottleneck ***items, uint32_t *count);

// executors.c: fields VALUE_EXECUTORS, VALUE_EXECUTOR and VALUE_HOST; others are passed over.
void executors_write(const struct executors *executors, struct buf *value);
bool executors_read(struct executors *executors, unsigned number, struct str field);
