// engine_options: the built-in defaults of stage 1. Called by the commands before they put the
// user's settings over them, and by tests.
#include "engine/engine.h"

void engine_options_init(struct engine_options *options) {
    static const char *const by_name[] = {"app_name"};
    *options = (struct engine_options){
        .cluster = "default",
        .pipeline = {by_name, 1},
        .publish_min = SEVERITY_LOW,
        .idle_ms = 86400000,
        .grace_ms = 600000,
        .applications_max = 10000,
    };
    unsigned count;
    const struct detector *const *all = detectors(&count);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned t = 0; t < all[i]->threshold_count; t++) {
            options->thresholds[all[i]->kind][t] = all[i]->thresholds[t].def;
        }
    }
}
