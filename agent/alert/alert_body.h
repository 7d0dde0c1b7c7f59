// alert_body: an alert's labels and annotations as JSON text. Called by alertmanager.c. Whatever a
// pipeline is called, the result is something Alertmanager accepts: valid UTF-8, bounded, no empty
// label.
#pragma once

#include "alert/alertmanager.h"
#include "model/alert.h"

enum { ALERT_LABEL_MAX = 256, ALERT_TEXT_MAX = 1024 }; // bytes of a label's value, an annotation

// The label object with sorted keys, compact: equal text is equal identity. Owned by the caller.
char *alert_labels_render(const struct alert *alert, const struct alertmanager_label *external,
                          size_t external_count) MUST_USE;
// The annotation object. Owned by the caller.
char *alert_annotations_render(const struct alert *alert) MUST_USE;
