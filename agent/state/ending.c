// ending: see the header. Each function looks at each byte a bounded number of times. Called by
// outcome.c for every end that is not a success.
#include "state/ending.h"

#include <ctype.h>
#include <string.h>

#include "app_priv.h"
#include "base/compiler.h"

enum { CLASS_MAX = 128 }; // bytes of a name that is looked for

static struct str after(struct str text, size_t count) {
    return (struct str){text.p + count, text.len - count};
}

static struct str skip_blanks(struct str text) {
    while (text.len > 0 && isspace((unsigned char)text.p[0])) {
        text = after(text, 1);
    }
    return text;
}

// The characters of a class's name, of Java or of Spark's errors, at the beginning.
static struct str class_name(struct str text) {
    size_t len = 0;
    while (len < text.len && len < CLASS_MAX &&
           (isalnum((unsigned char)text.p[len]) || text.p[len] == '.' || text.p[len] == '_' ||
            text.p[len] == '$')) {
        len++;
    }
    return (struct str){text.p, len};
}

// "org.apache.spark.SparkException: ..."; of other people's exceptions nothing is skipped.
static struct str skip_exception(struct str text) {
    struct str name = class_name(text), rest = after(text, name.len);
    bool is = str_starts(name, STR("org.apache.spark.")) && name.len > strlen("Exception") &&
              str_is(after(name, name.len - strlen("Exception")), "Exception");
    return is && str_starts(rest, STR(": ")) ? after(rest, 2) : text;
}

// "[SPARK_JOB_CANCELLED] ..."
static struct str skip_class(struct str text) {
    if (!str_starts(text, STR("["))) {
        return text;
    }
    struct str name = class_name(after(text, 1)), rest = after(text, 1 + name.len);
    return name.len > 0 && str_starts(rest, STR("] ")) ? after(rest, 2) : text;
}

// "Job 7 cancelled because ...": *reason is what follows, *job the number. False if it is no such
// sentence.
static bool is_cancelled_job(struct str text, struct str *reason, int64_t *job) {
    if (!str_starts(text, STR("Job "))) {
        return false;
    }
    size_t digits = 4;
    while (digits < text.len && isdigit((unsigned char)text.p[digits])) {
        digits++;
    }
    if (!str_to_i64((struct str){text.p + 4, digits - 4}, job) ||
        !str_starts(after(text, digits), STR(" cancelled"))) {
        return false;
    }
    struct str rest = after(text, digits + strlen(" cancelled"));
    *reason = skip_blanks(rest);
    return rest.len == 0 || isspace((unsigned char)rest.p[0]) || ispunct((unsigned char)rest.p[0]);
}

#define BY_SHUTDOWN STR("because SparkContext was shut down")

static enum ending of_reason(struct str reason) {
    return str_starts(reason, BY_SHUTDOWN) ? ENDING_SHUT_DOWN : ENDING_CANCELLED;
}

static struct str sentence_of(struct str message) {
    return skip_class(skip_exception(skip_blanks(message)));
}

static enum ending of_sentence(struct str message) {
    struct str text = sentence_of(message), reason;
    int64_t job;
    if (str_starts(text, STR("Stage cancelled because SparkContext was shut down"))) {
        return ENDING_SHUT_DOWN;
    }
    return is_cancelled_job(text, &reason, &job) ? of_reason(reason) : ENDING_ERROR;
}

// The text of a member of a JSON object, as it stands there; "" if there is none. What is cut off
// behind it does no harm.
static struct str member(struct str json, const char *key) {
    size_t key_len = strlen(key);
    for (size_t at = 0; at + key_len + 2 < json.len; at++) {
        if (json.p[at] != '"' || json.p[at + key_len + 1] != '"' ||
            memcmp(json.p + at + 1, key, key_len) != 0) {
            continue;
        }
        struct str rest = skip_blanks(after(json, at + key_len + 2));
        if (!str_starts(rest, STR(":"))) {
            continue;
        }
        rest = skip_blanks(after(rest, 1));
        if (!str_starts(rest, STR("\""))) {
            return STR("");
        }
        rest = after(rest, 1);
        size_t len = 0;
        while (len < rest.len && rest.p[len] != '"') {
            len += rest.p[len] == '\\' ? 2 : 1;
        }
        return (struct str){rest.p, len < rest.len ? len : rest.len};
    }
    return STR("");
}

// What SQL executions of 3.4 end with.
static bool is_json(struct str message, struct str *class) {
    message = skip_blanks(message);
    *class = str_starts(message, STR("{")) ? member(message, "errorClass") : STR("");
    return class->len > 0;
}

static enum ending of_json(struct str message, struct str class) {
    if (str_is(class, "SPARK_JOB_CANCELLED")) {
        return of_reason(member(message, "reason"));
    }
    bool plain = str_is(class, "LEGACY") || str_is(class, "org.apache.spark.SparkException");
    return plain ? of_sentence(member(message, "message")) : ENDING_ERROR;
}

enum ending ending_of(struct str message) {
    struct str class;
    if (message.len == 0) {
        return ENDING_WELL;
    }
    return is_json(message, &class) ? of_json(message, class) : of_sentence(message);
}

static bool is_one_of(struct str name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (str_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_interruption(struct str class) {
    static const char *const classes[] = {"java.lang.InterruptedException",
                                          "java.io.InterruptedIOException",
                                          "java.nio.channels.ClosedByInterruptException"};
    return is_one_of(class, classes, ARRAY_LEN(classes));
}

// What an interruption comes wrapped in, told by its first cause.
static bool is_wrapper(struct str class) {
    static const char *const classes[] = {
        "java.io.UncheckedIOException", "java.util.concurrent.ExecutionException",
        "com.google.common.util.concurrent.UncheckedExecutionException",
        "org.sparkproject.guava.util.concurrent.UncheckedExecutionException"};
    return is_one_of(class, classes, ARRAY_LEN(classes));
}

static struct str first_cause(struct str text) {
    static const char mark[] = "Caused by: ";
    const char *found = memmem(text.p, text.len, mark, strlen(mark));
    return found == NULL ? STR("") : after(text, (size_t)(found - text.p) + strlen(mark));
}

static bool is_interrupted(struct str message) {
    struct str class = {0}, text = skip_blanks(message), inside;
    if (is_json(message, &class)) {
        text = member(message, "message");
    } else {
        class = class_name(text);
        text = after(text, class.len);
    }
    if (!is_wrapper(class)) {
        return is_interruption(class);
    }
    inside = str_starts(text, STR(": ")) ? after(text, 2) : text;
    return is_interruption(class_name(inside)) || is_interruption(class_name(first_cause(text)));
}

// "... cancelled job group 5e21d7c4-...": the group is the query's run.
static bool names_run(struct str message, int64_t run) {
    static const char mark[] = "job group ";
    const char *found = memmem(message.p, message.len, mark, strlen(mark));
    if (run == 0 || found == NULL || !str_contains_nocase(message, STR("cancelled"))) {
        return false;
    }
    struct str rest = after(message, (size_t)(found - message.p) + strlen(mark));
    size_t len = 0;
    while (len < rest.len && (isalnum((unsigned char)rest.p[len]) || rest.p[len] == '-')) {
        len++;
    }
    return app_text_hash((struct str){rest.p, len}) == run;
}

enum ending ending_of_stream(struct str message, int64_t run) {
    enum ending ending = ending_of(message);
    bool stopped = ending == ENDING_ERROR && !ending_is_abort(message) &&
                   (is_interrupted(message) || names_run(message, run));
    return stopped ? ENDING_CANCELLED : ending;
}

bool ending_is_abort(struct str message) {
    struct str class;
    if (is_json(message, &class)) {
        message = member(message, "message");
    }
    return str_starts(sentence_of(message), STR("Job aborted due to stage failure"));
}

int64_t ending_job(struct str message) {
    struct str reason;
    int64_t job;
    return is_cancelled_job(sentence_of(message), &reason, &job) ? job : -1;
}
