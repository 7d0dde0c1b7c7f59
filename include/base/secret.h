// secret: the words that give a secret away, in one list. A name or a sentence that holds one, in
// whatever case, is neither kept nor shown. Which words count depends on where they stand: "key"
// in a property's name may be a password's other name, in a sentence it is any word.
#pragma once

#include <stdbool.h>

#include "base/str.h"

// A property of the configuration or of librdkafka: its value must not be printed.
bool secret_setting(struct str name);
// A property of Spark: it must not be kept. The strictest of the three: whoever runs an application
// may call its properties anything.
bool secret_property(struct str name);
// A sentence of an application (an error): it may quote a secret, so it must not be kept.
bool secret_mentioned(struct str sentence);
