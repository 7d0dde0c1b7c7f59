// hash: uthash with the house's memory. Whoever keeps a hash table includes this and never
// uthash.h: a table's memory is taken in one file and released in another, so all must agree on
// how.
#pragma once

#include "base/mem.h"

#define uthash_malloc(size) mem_alloc(size)
#define uthash_free(p, size) mem_free(p)
#include <uthash.h>
