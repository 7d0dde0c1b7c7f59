// failure_class: which words say that which memory ran out. Called by state for each failed attempt
// and each lost executor. Only what an exception is counts (its class, that of a cause, that of the
// last line of a Python traceback), or a sentence that an engine writes about itself: a class that
// is quoted in somebody's message says nothing. Nothing of a text is kept.
#include "state/failure.h"

#include <ctype.h>
#include <stdint.h>
#include <strings.h>

#include "base/compiler.h"

// Of a longer text its two ends are looked at: what matters stands at the beginning (a class),
// after the frames of some stacks, or at the end (of a Python traceback).
enum { LOOK_HEAD = 48 << 10, LOOK_TAIL = 16 << 10, MESSAGE_LOOK = 4096 };

struct ends {
    struct str piece[2];
    unsigned count;
};

static struct ends ends_of(struct str text) {
    if (text.len <= LOOK_HEAD + LOOK_TAIL) {
        return (struct ends){.piece = {text}, .count = 1};
    }
    return (struct ends){.piece = {{text.p, LOOK_HEAD}, {text.p + text.len - LOOK_TAIL, LOOK_TAIL}},
                         .count = 2};
}

static bool says(struct str text, const char *words) {
    struct ends ends = ends_of(text);
    bool found = false;
    for (unsigned i = 0; i < ends.count && !found; i++) {
        found = str_contains(ends.piece[i], str_of(words));
    }
    return found;
}

// Takes the next line off the front; false when nothing is left.
static bool next_line(struct str *rest, struct str *line) {
    if (rest->len == 0) {
        return false;
    }
    const char *end = memchr(rest->p, '\n', rest->len);
    size_t len = end == NULL ? rest->len : (size_t)(end - rest->p);
    size_t step = end == NULL ? len : len + 1;
    *line = (struct str){rest->p, len > 0 && rest->p[len - 1] == '\r' ? len - 1 : len};
    *rest = (struct str){rest->p + step, rest->len - step};
    return true;
}

// "class: message", as Java and Python print an exception.
struct thrown {
    struct str class, message;
};

static struct thrown thrown_of(struct str line) {
    size_t len = 0;
    while (len < line.len && line.p[len] != ':' && !isspace((unsigned char)line.p[len])) {
        len++;
    }
    size_t at = len + 2 <= line.len && memcmp(line.p + len, ": ", 2) == 0 ? len + 2 : len;
    return (struct thrown){{line.p, len}, {line.p + at, line.len - at}};
}

static bool ends_with(struct str text, const char *end) {
    size_t len = strlen(end);
    return text.len >= len && memcmp(text.p + text.len - len, end, len) == 0;
}

// What a class, with words in its message if need be, says: the first row that fits.
struct sign {
    const char *package; // what the class begins with
    const char *name;    // what it ends with, or is
    const char *words;   // in the message, in any case; ^ its first ones; NULL: whatever it says
    enum failure_class class;
};

#define JAVA_OOM "java.lang.OutOfMemoryError"

static const struct sign java_signs[] = {
    {"", JAVA_OOM, "native thread", FAILURE_THREADS},
    {"", JAVA_OOM, "direct buffer memory", FAILURE_OOM_DIRECT},
    {"", JAVA_OOM, "metaspace", FAILURE_OOM_DIRECT},
    {"", JAVA_OOM, "compressed class space", FAILURE_OOM_DIRECT},
    {"", JAVA_OOM, "CUDA", FAILURE_OOM_GPU},
    {"", JAVA_OOM, "RMM failure", FAILURE_OOM_GPU},
    {"", JAVA_OOM, "Photon", FAILURE_OOM_OFF_HEAP},
    {"", JAVA_OOM, "off-heap", FAILURE_OOM_OFF_HEAP},
    {"", JAVA_OOM, "Unable to acquire", FAILURE_OOM_EXECUTION},
    {"", JAVA_OOM, "Unable to allocate", FAILURE_OOM_DIRECT},
    {"", JAVA_OOM, "native memory", FAILURE_OOM_DIRECT},
    {"", JAVA_OOM, "Map failed", FAILURE_OOM_DIRECT},
    {"", JAVA_OOM, NULL, FAILURE_OOM},
    {"org.apache.spark.", "SparkOutOfMemoryError", NULL, FAILURE_OOM_EXECUTION},
    {"org.apache.spark.", "Exception", "^[UNABLE_TO_ACQUIRE_MEMORY]", FAILURE_OOM_EXECUTION},
    {"", "OutOfDirectMemoryError", NULL, FAILURE_OOM_DIRECT},
    {"org.apache.arrow.memory.", "OutOfMemoryException", NULL, FAILURE_OOM_DIRECT},
    {"org.apache.gluten.", "OutOfMemoryException", NULL, FAILURE_OOM_OFF_HEAP},
    {"io.glutenproject.", "OutOfMemoryException", NULL, FAILURE_OOM_OFF_HEAP},
    {"org.apache.comet.", "Exception", "Resources exhausted", FAILURE_OOM_OFF_HEAP},
    {"org.apache.comet.", "Exception", "bytes, only got", FAILURE_OOM_OFF_HEAP},
    {"com.nvidia.spark.rapids.", "OOM", NULL, FAILURE_OOM_GPU},
    {"ai.rapids.cudf.", "Exception", "out_of_memory", FAILURE_OOM_GPU},
    {"ai.rapids.cudf.", "Exception", "out of memory", FAILURE_OOM_GPU},
};

static const struct sign python_signs[] = {
    {"MemoryError", "MemoryError", NULL, FAILURE_OOM_PYTHON},
    {"numpy.", "MemoryError", NULL, FAILURE_OOM_PYTHON},
    {"pyarrow.", "MemoryError", NULL, FAILURE_OOM_PYTHON},
    {"torch.", "OutOfMemoryError", NULL, FAILURE_OOM_PYTHON},
    {"cupy.", "OutOfMemoryError", NULL, FAILURE_OOM_PYTHON},
    {"RuntimeError", "RuntimeError", "CUDA out of memory", FAILURE_OOM_PYTHON},
    {"tensorflow.", "ResourceExhaustedError", "OOM when allocating", FAILURE_OOM_PYTHON},
};

static bool has_words(struct str message, const char *words) {
    message.len = message.len < MESSAGE_LOOK ? message.len : MESSAGE_LOOK;
    return words == NULL || (words[0] == '^' ? str_starts(message, str_of(words + 1))
                                             : str_contains_nocase(message, str_of(words)));
}

// FAILURE_OTHER: none of the signs.
static enum failure_class class_by(const struct sign *signs, size_t count, struct thrown thrown) {
    for (size_t i = 0; i < count && thrown.class.len > 0; i++) {
        const struct sign *sign = &signs[i];
        bool whole = sign->package[0] == '\0' && strchr(sign->name, '.') != NULL;
        bool fits = whole ? str_is(thrown.class, sign->name)
                          : str_starts(thrown.class, str_of(sign->package)) &&
                                ends_with(thrown.class, sign->name);
        if (fits && has_words(thrown.message, sign->words)) {
            return sign->class;
        }
    }
    return FAILURE_OTHER;
}

static enum failure_class class_of_java(struct thrown thrown) {
    return class_by(java_signs, ARRAY_LEN(java_signs), thrown);
}

static bool is_frame(struct str line) {
    size_t at = 0;
    while (at < line.len && (line.p[at] == '\t' || line.p[at] == ' ')) {
        at++;
    }
    struct str rest = {line.p + at, line.len - at};
    return at > 0 && (str_starts(rest, STR("at ")) || str_starts(rest, STR("...")));
}

// The causes of a stack trace: lines behind frames, or behind another cause, as a message may hold
// a line that begins so.
static enum failure_class class_of_causes(struct str stack) {
    const struct str caused_by = STR("Caused by: ");
    struct ends ends = ends_of(stack);
    for (unsigned i = 0; i < ends.count; i++) {
        bool may_follow = i == 0;
        struct str rest = ends.piece[i], line;
        while (next_line(&rest, &line)) {
            bool cause = str_starts(line, caused_by);
            if (cause && may_follow) {
                struct str thrown = {line.p + caused_by.len, line.len - caused_by.len};
                enum failure_class class = class_of_java(thrown_of(thrown));
                if (class != FAILURE_OTHER) {
                    return class;
                }
            }
            may_follow = is_frame(line) || (cause && may_follow);
        }
    }
    return FAILURE_OTHER;
}

// What of a text stands behind the last of some words; false if they are not there.
static bool behind_last(struct str text, struct str words, struct str *behind) {
    bool found = false;
    for (struct str rest = text; rest.len >= words.len;) {
        const char *at = memmem(rest.p, rest.len, words.p, words.len);
        if (at == NULL) {
            break;
        }
        size_t step = (size_t)(at - rest.p) + words.len;
        rest = *behind = (struct str){rest.p + step, rest.len - step};
        found = true;
    }
    return found;
}

// The exception of a Python traceback: the first line behind its frames, which are indented. Of
// several tracebacks the last is what was thrown at last.
static enum failure_class class_of_traceback(struct str text) {
    struct ends ends = ends_of(text);
    struct str rest, line;
    for (unsigned i = ends.count; i > 0; i--) {
        if (!behind_last(ends.piece[i - 1], STR("Traceback (most recent call last):"), &rest)) {
            continue;
        }
        (void)next_line(&rest, &line); // what is left of the heading
        while (next_line(&rest, &line)) {
            if (line.len == 0 || line.p[0] == '\t') {
                break;
            }
            if (line.p[0] != ' ') {
                return class_by(python_signs, ARRAY_LEN(python_signs), thrown_of(line));
            }
        }
        break;
    }
    return FAILURE_OTHER;
}

// A class that a native engine hands through in a text: "... code: org.apache.gluten.X: not
// enough".
static bool hands_through(struct str text, const char *class) {
    struct ends ends = ends_of(text);
    struct str behind;
    for (unsigned i = 0; i < ends.count; i++) {
        if (behind_last(ends.piece[i], str_of(class), &behind) && behind.len > 0 &&
            behind.p[0] == ':') {
            const char *at = behind.p - strlen(class);
            return at == ends.piece[i].p || isspace((unsigned char)at[-1]);
        }
    }
    return false;
}

// What engines say of themselves, wherever it stands.
static enum failure_class class_of_sentences(struct str text) {
    static const char *const off_heap[] = {
        "Not enough spark off-heap execution memory", // Gluten
        "MEM_CAP_EXCEEDED",                           // Velox
        "Error Code: MEM_",
        "Photon failed to reserve",
        "Photon ran out of memory",
    };
    static const char *const handed[] = {
        "org.apache.gluten.memory.memtarget.ThrowOnOomMemoryTarget$OutOfMemoryException",
        "io.glutenproject.memory.memtarget.ThrowOnOomMemoryTarget$OutOfMemoryException",
    };
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(off_heap) && !found; i++) {
        found = says(text, off_heap[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(handed) && !found; i++) {
        found = hands_through(text, handed[i]);
    }
    return found ? FAILURE_OOM_OFF_HEAP : FAILURE_OTHER;
}

// The stack trace behind its first line or lines, which say again what the exception says.
static struct str without_message(struct str stack, const struct event_task *task) {
    size_t len = task->error_class.len + 2 + task->error.len;
    bool same = task->error_class.len > 0 && task->error.len > 0 && stack.len >= len &&
                str_starts(stack, task->error_class) &&
                memcmp(stack.p + len - task->error.len, task->error.p, task->error.len) == 0;
    if (!same) {
        return stack;
    }
    stack = (struct str){stack.p + len, stack.len - len};
    return stack.len > 0 && stack.p[0] == '\n' ? (struct str){stack.p + 1, stack.len - 1} : stack;
}

#define PYTHON_CRASH "Python worker exited unexpectedly"

static enum failure_class class_of_exception(const struct event_task *task) {
    struct thrown thrown = {task->error_class, task->error};
    enum failure_class class = class_of_java(thrown);
    struct str stack = without_message(task->stack, task);
    class = class == FAILURE_OTHER ? class_of_causes(stack) : class;
    class = class == FAILURE_OTHER ? class_of_traceback(task->error) : class;
    class = class == FAILURE_OTHER ? class_of_traceback(stack) : class;
    class = class == FAILURE_OTHER ? class_of_sentences(task->error) : class;
    class = class == FAILURE_OTHER ? class_of_sentences(stack) : class;
    if (class != FAILURE_OTHER) {
        return class;
    }
    if (says(task->error, PYTHON_CRASH) || says(stack, PYTHON_CRASH)) {
        return FAILURE_PYTHON_CRASHED;
    }
    // A dying executor still takes tasks, and refuses them at once.
    bool refused = str_is(task->error_class, "java.util.concurrent.RejectedExecutionException") &&
                   says(task->error, "Executor$TaskRunner");
    return refused ? FAILURE_EXECUTOR_LOST : FAILURE_USER_CODE;
}

static bool begins_nocase(struct str text, size_t at, const char *word) {
    size_t len = strlen(word);
    // NOLINTNEXTLINE(bugprone-not-null-terminated-result): a part of a text
    return text.len - at >= len && strncasecmp(text.p + at, word, len) == 0;
}

// The number behind "code" or "status", -1 if there is none: "code 52", "status: 137", "code is 1".
static int number_behind(struct str text, size_t at) {
    while (at < text.len && text.p[at] != '\0' && strchr(" :=is", text.p[at]) != NULL) {
        at++;
    }
    int number = 0;
    size_t digits = 0;
    while (at + digits < text.len && isdigit((unsigned char)text.p[at + digits]) && digits < 4) {
        number = number * 10 + text.p[at + digits++] - '0';
    }
    return digits > 0 ? number : -1;
}

// The first code by which something is said to have ended; -1 if none is.
static int exit_code_in(struct str text) {
    enum { NEAR = 32 }; // bytes from "exit" to its code
    size_t exit_at = SIZE_MAX;
    for (size_t at = 0; at < text.len; at++) {
        exit_at = begins_nocase(text, at, "exit") ? at : exit_at;
        size_t word = begins_nocase(text, at, "code")     ? 4
                      : begins_nocase(text, at, "status") ? 6
                                                          : 0;
        if (word > 0 && exit_at != SIZE_MAX && at - exit_at <= NEAR) {
            int code = number_behind(text, at + word);
            if (code >= 0) {
                return code;
            }
        }
    }
    return -1;
}

enum failure_class failure_of_loss(struct str reason) {
    enum { EXIT_OOM = 52, EXIT_KILLED = 137 }; // Spark's own; 128 + SIGKILL
    static const char *const killed[] = {
        "exceeding memory limits",
        "exceeding physical memory limits",
        "exceeding virtual memory limits",
        "running beyond physical memory limits",
        "running beyond virtual memory limits",
        "'PHYSICAL' memory limit",
        "'VIRTUAL' memory limit",
        "OOMKilled",
        "low on resource: memory",
    };
    reason.len = reason.len < LOOK_HEAD ? reason.len : LOOK_HEAD;
    for (size_t i = 0; i < ARRAY_LEN(killed); i++) {
        if (str_contains(reason, str_of(killed[i]))) {
            return FAILURE_CONTAINER_KILLED;
        }
    }
    if (str_contains_nocase(reason, STR("preempted"))) {
        return FAILURE_EXECUTOR_LOST;
    }
    int code = exit_code_in(reason);
    return code == EXIT_OOM      ? FAILURE_OOM
           : code == EXIT_KILLED ? FAILURE_CONTAINER_KILLED
                                 : FAILURE_EXECUTOR_LOST;
}

enum failure_class failure_of_task(const struct event_task *task) {
    enum failure_class cause;
    switch (task->result) {
    case TASK_EXCEPTION:
        return class_of_exception(task);
    case TASK_EXECUTOR_LOST:
        return failure_of_loss(task->error);
    case TASK_FETCH_FAILED:
        cause = class_of_causes(task->error);
        return cause == FAILURE_OTHER ? FAILURE_FETCH_FAILED : cause;
    default:
        return FAILURE_OTHER;
    }
}

static bool is_oom(enum failure_class class) {
    return class == FAILURE_OOM || (class >= FAILURE_OOM_DIRECT && class <= FAILURE_OOM_PYTHON);
}

int64_t failure_ooms(const int64_t counts[FAILURE_CLASS_COUNT]) {
    int64_t ooms = 0;
    for (int i = 0; i < FAILURE_CLASS_COUNT; i++) {
        ooms += is_oom((enum failure_class)i) ? counts[i] : 0;
    }
    return ooms;
}

bool failure_is_drivers_oom(struct str error) {
    struct str rest = error, line = {"", 0};
    (void)next_line(&rest, &line);
    return says(error, "Not enough memory to build and broadcast the table") ||
           is_oom(class_of_java(thrown_of(line)));
}
