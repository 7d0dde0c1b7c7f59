// snapshot_priv: the form of the engine's own values, shared by writing and reading.
#pragma once

#include "engine_priv.h"
#include "state/wire.h"

extern const struct wire_row snapshot_live_rows[], snapshot_engine_rows[];
extern const size_t snapshot_live_count, snapshot_engine_count;

enum { FIELD_APP = 100, FIELD_ADVICE, ADVICE_NUMBER = 1, ADVICE_REVISION, ADVICE_DIGEST };
