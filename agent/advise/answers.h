// answers: the verdicts that one recommendation answers, the dearest first, and what it says of
// them. Private to advise: what advisors share that gather verdicts of several kinds.
#pragma once

#include "advise/advise.h"

struct answers {
    const struct bottleneck **list; // owned
    uint32_t count, cap;
    double saving_s; // sum of what they cost
};

// Takes those of a kind that are open and no other's doing, and that `fits` (NULL: all) picks.
typedef bool answers_fits_fn(const struct app *app, const struct bottleneck *verdict);
void answers_take(const struct advice_view *view, enum bottleneck_kind kind, answers_fits_fn *fits,
                  struct answers *answers);
// Leaves out what an advisor asked before has said what to do about: one root cause is one piece of
// advice.
void answers_leave_out(struct answers *answers, const struct advice *advice);
// Appends what helps against them, each text once, the dearest first: in the words that `words` has
// for one (NULL: none has any), else in the detectors'.
typedef const char *answers_words_fn(const struct bottleneck *verdict);
void answers_add_remedies(const struct answers *answers, answers_words_fn *words, struct buf *out);
// Finishes the recommendation: it answers these, and its action is the text so far, which is taken
// over, followed by what the verdicts say. The sum of their savings is its own unless it has one.
void answers_finish(const struct answers *answers, struct buf *what, struct recommendation *r);
void answers_fini(struct answers *answers);

// The lines that keep what is read, for whoever advises it (static).
#define ANSWERS_KEEP_CODE                                                                          \
    "# PySpark: before the first use\n"                                                            \
    "df = spark.read.format(fmt).load(path).select(...).where(...).persist()\n"                    \
    "-- SQL\n"                                                                                     \
    "CACHE TABLE t AS SELECT ... FROM files WHERE ...\n"
// Lines of code with a number in place of each @; owned by the caller.
char *answers_code(const char *lines, double number);
