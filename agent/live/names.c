// names: see the header. Nothing is ever cut: settings that are too long together are refused
// before. (Release 0.1.0, which took longer ones, cut the group after 100 bytes and the instance
// after 200: a former id of such a group is not found.)
#include "live/names.h"

#include <stdio.h>
#include <string.h>

void names_of(const char *group, const char *instance, int number, struct names *out) {
    *out = (struct names){0};
    snprintf(out->member, sizeof out->member, "%s-%s-%d", group, instance, number);
    if (strchr(group, '-') == NULL) {
        snprintf(out->transactional_id, sizeof out->transactional_id, "%s", out->member);
        return;
    }
    snprintf(out->transactional_id, sizeof out->transactional_id, "%s-%s-%d.%zu", group, instance,
             number, strlen(group));
    snprintf(out->former_id, sizeof out->former_id, "%s", out->member);
}
