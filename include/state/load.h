// load: how busy a run was while a stage of it ran. A stage of few tasks is no waste of slots that
// other stages used, and holds nothing up while others run on. Two integrals over event time tell
// it: of the number of tasks that run, and of the time in which one stage alone has any; a stage
// notes both at its first task and takes the difference at its end. No list of tasks is kept. A
// start that came twice counts twice until its stage ends: a hint, like the number of tasks that
// run. Owned by an app and its stages; written only by state.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/record.h"

struct app;
struct stage;

// Of a run, up to a moment of event time.
struct run_load {
    int64_t at_ms, task_ms, alone_ms;
    // What one running task has of the time that the run waits for it: all of it shared by those
    // that run, if they are of a single stage or take most of the slots. What else a stage of idle
    // slots has less to do, nobody gets done sooner.
    double waited_ms;
};

// A stage whose tasks had nothing to do but compute: what nothing they tell of explains they waited
// for a CPU, if not for what their code calls. Of a run the one whose tasks waited least, by share.
struct load_computed {
    int64_t run_ms, waited_ms; // 0: no stage did so for long enough
};

// What else the run did while a stage had tasks.
struct load_beside {
    int64_t task_ms;  // of other stages' tasks; while it goes on, the run's sum at its first task
    int64_t alone_ms; // no other stage had tasks that ran; likewise
    bool outlasted;   // others still ran at its end
};

// Brings the sums up to now, before what runs changes.
void load_advance(struct app *app);
// The first sign of a task of the stage.
void load_begin(const struct app *app, struct stage *stage);
// The stage has ended, and is counted as such.
void load_end(const struct app *app, struct stage *stage);
// Likewise: how its tasks waited if they only computed.
void load_note_computed(struct app *app, const struct stage *stage);
// What is known of it: while the stage goes on, of what it did so far.
struct load_beside load_beside(const struct app *app, const struct stage *stage);

extern const struct record record_load, record_beside;
