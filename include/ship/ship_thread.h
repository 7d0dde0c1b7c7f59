// ship_thread: a ship that sails by itself: in an agent, which only looks at it. Started and ended
// by the command run.
#pragma once

#include "base/buf.h"
#include "ship/ship.h"

struct ship_thread;

// `options` is copied, what it points to is borrowed; who is told and what stops it is the thread's
// own: waits and troubles go to the log. ST_FATAL for settings that cannot work, ST_RETRY if the
// system gives no thread.
enum status ship_thread_start(const struct ship_options *options, struct ship_thread **out,
                              struct err *err) MUST_USE;
// How far it is; sets the gauges of /metrics. ST_FATAL: it has ended, with the reason.
enum status ship_thread_look(struct ship_thread *thread, struct ship_view *out,
                             struct err *err) MUST_USE;
// True if every folder is shipped, by this process or another; else the reason is appended.
bool ship_thread_ready(struct ship_thread *thread, struct buf *reason);
// Commits what is done, ends the thread and frees. Takes NULL.
void ship_thread_end(struct ship_thread *thread);
