// waited: what a stage has of its run: the task slots that it could use, and how long the run
// waited for it. The clocks run for the run as a whole (load.h); a stage that has tasks running
// reads what they advanced at its own next event, so nothing here grows with stages or tasks.
// Called by app at every task; must never look at another stage.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct app;
struct stage;

// What the run waited for a stage.
struct stage_time {
    bool known;                     // the starts of its tasks were seen
    double alone_ms, alone_task_ms; // it ran, and no other stage did; time of its tasks then
    double waited_ms;               // and its share of the time when most slots were taken
};
// So far; without the app, up to the stage's last event.
struct stage_time waited_of(const struct app *app, const struct stage *stage);

// Gives the stage what the clocks advanced; before its running tasks change, or it completes.
void waited_settle(const struct app *app, struct stage *stage);
// Of a task that was seen to begin, once each; it is counted as running elsewhere.
void waited_began(struct stage *stage);
void waited_ended(struct app *app, struct stage *stage, int64_t finish_ms);
// A task of it began or ended: works its slots out.
void waited_slots(struct app *app, struct stage *stage);
