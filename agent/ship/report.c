// report: see the header. Its time is that of the events it speaks of, never the clock's: it must
// not move the time of what is shipped.
#include "report.h"

#include "base/json_writer.h"

void report_write(const struct shipped *log, const struct shipped_losses *losses, struct str app_id,
                  struct buf *out) {
    struct json_writer json = {.out = out};
    buf_clear(out);
    json_begin_object(&json);
    json_member_text(&json, "Event", "StokerListenerReport");
    json_member_i64(&json, "Timestamp", losses->time_ms);
    json_member_str(&json, "App ID", app_id);
    json_member_text(&json, "Listener Version", "ship " STOKER_VERSION);
    json_member_text(&json, "Mode", "full");
    json_member_i64(&json, "Accepted", log->lines);
    json_member_i64(&json, "Sent", log->lines - losses->total);
    json_member_object(&json, "Dropped");
    json_end_object(&json);
    json_member_object(&json, "Cut");
    json_end_object(&json);
    json_member_i64(&json, "Slimmed", 0);
    json_member_object(&json, "Refused");
    for (uint32_t i = 0; i < losses->kind_count; i++) {
        json_member_i64(&json, losses->kinds[i].event, losses->kinds[i].count);
    }
    json_end_object(&json);
    json_end_object(&json);
}
