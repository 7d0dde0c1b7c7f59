// alert_probe: asks an Alertmanager whether it is ready, once. Called by the command check only;
// the agent itself never asks, it sends.
#pragma once

#include "alert/alertmanager.h"
#include "base/buf.h"
#include "base/err.h"

// GETs <url>/-/ready with the settings' credentials and timeout. *shown (may be NULL) gets the URL
// without user and password. ST_OK: ready. ST_RETRY: not reachable or not ready, with the reason.
// ST_FATAL: not a URL.
enum status alert_probe(const struct alertmanager_settings *settings, const char *url,
                        struct buf *shown, struct err *err) MUST_USE;
