// bench_child: see the header. Called by cmd_bench_job. Which Spark a command starts, and how, is
// not known, so the event log is asked for in every way that some Spark listens to:
// - SPARK_SUBMIT_OPTS: Java properties of every JVM that spark-submit starts, whoever calls it; the
//   user's spark-defaults.conf wins over them;
// - PYSPARK_SUBMIT_ARGS: what a Python program's own SparkSession.builder starts its JVM with;
// - --conf, if the command is spark-submit itself or one of its kin.
// What the program sets on its session itself wins over all of them.
#include "commands/bench_child.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "signals.h"

enum { LOOK_MS = 100, GRACE_MS = 10000, NOT_STARTED = 127 };

// The folder's place as Spark wants it. Blanks and quotes would end a word in the variables.
static void add_uri(struct buf *out, const char *folder) {
    buf_add_text(out, "file://");
    for (const char *p = folder; *p != '\0'; p++) {
        bool plain = isalnum((unsigned char)*p) || strchr("/-_.", *p) != NULL;
        if (plain) {
            buf_add_char(out, *p);
        } else {
            buf_printf(out, "%%%02X", (unsigned char)*p);
        }
    }
    buf_add_text(out, "/eventlog");
}

static void add_word(struct buf *out, const char *word, const char *size) {
    const char *at;
    while ((at = strstr(word, "{size}")) != NULL) {
        buf_add(out, word, (size_t)(at - word));
        buf_add_text(out, size);
        word = at + strlen("{size}");
    }
    buf_add_text(out, word);
}

static bool is_spark_submit(const char *program) {
    static const char *const kin[] = {"spark-submit", "spark-shell", "spark-sql", "pyspark",
                                      "sparkR"};
    const char *slash = strrchr(program, '/'), *name = slash == NULL ? program : slash + 1;
    for (size_t i = 0; i < ARRAY_LEN(kin); i++) {
        if (strcmp(name, kin[i]) == 0) {
            return true;
        }
    }
    return false;
}

// The command's words, owned; NULL at the end.
static char **words_of(const struct bench_child *child, const char *uri) {
    const char *settings[] = {"spark.eventLog.enabled=true", NULL};
    struct buf dir = {0}, word = {0};
    buf_printf(&dir, "spark.eventLog.dir=%s", uri);
    settings[1] = buf_text(&dir);
    size_t count = 0, given = 0;
    while (child->argv[given] != NULL) {
        given++;
    }
    char **words = mem_zalloc(given + 5, sizeof *words);
    for (size_t i = 0; i < given; i++) {
        buf_clear(&word);
        add_word(&word, child->argv[i], child->size);
        words[count++] = mem_strdup(buf_text(&word));
        for (size_t s = 0; i == 0 && is_spark_submit(words[0]) && s < ARRAY_LEN(settings); s++) {
            words[count++] = mem_strdup("--conf");
            words[count++] = mem_strdup(settings[s]);
        }
    }
    buf_fini(&dir);
    buf_fini(&word);
    return words;
}

static void free_words(char **words) {
    for (size_t i = 0; words[i] != NULL; i++) {
        mem_free(words[i]);
    }
    mem_free(words);
}

static void set_environment(const struct bench_child *child, const char *uri) {
    const char *options = getenv("SPARK_SUBMIT_OPTS"), *args = getenv("PYSPARK_SUBMIT_ARGS");
    struct buf value = {0};
    buf_printf(&value, "%s%s-Dspark.eventLog.enabled=true -Dspark.eventLog.dir=%s",
               options == NULL ? "" : options, options == NULL ? "" : " ", uri);
    setenv("SPARK_SUBMIT_OPTS", buf_text(&value), 1);
    buf_clear(&value);
    buf_printf(&value, "--conf spark.eventLog.enabled=true --conf spark.eventLog.dir=%s %s", uri,
               args == NULL || args[0] == '\0' ? "pyspark-shell" : args);
    setenv("PYSPARK_SUBMIT_ARGS", buf_text(&value), 1);
    buf_clear(&value);
    buf_printf(&value, "%u", child->iteration);
    setenv("STOKER_BENCH_ITERATION", buf_text(&value), 1);
    setenv("STOKER_BENCH_SIZE", child->size, 1);
    buf_fini(&value);
}

// In the new process: never returns.
static void become(const struct bench_child *child, char *const *words, const char *uri) {
    struct buf path = {0};
    buf_printf(&path, "%s/output.txt", child->folder);
    int in = open("/dev/null", O_RDONLY);
    int out = open(buf_text(&path), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    if (in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2) {
        set_environment(child, uri);
        execvp(words[0], words);
        fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
    }
    _exit(NOT_STARTED);
}

static void add_end(struct buf *words, int status, bool late) {
    if (signals_stop != 0) {
        buf_add_text(words, "was stopped");
    } else if (late) {
        buf_add_text(words, "took longer than --timeout");
    } else if (WIFSIGNALED(status)) {
        buf_printf(words, "was ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
    } else {
        buf_printf(words, "ended with exit code %d", WEXITSTATUS(status));
    }
}

bool bench_child_run(const struct bench_child *child, struct buf *words) {
    struct buf uri = {0};
    add_uri(&uri, child->folder);
    char **argv = words_of(child, buf_text(&uri));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        become(child, argv, buf_text(&uri));
    }
    free_words(argv);
    buf_fini(&uri);
    if (pid < 0) {
        buf_printf(words, "could not be started: %s", strerror(errno));
        return false;
    }
    setpgid(pid, pid); // here, too: whoever comes first
    int64_t began_ms = clock_mono_ms(), asked_ms = 0;
    int status = 0;
    bool late = false;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        int64_t running_ms = clock_mono_ms() - began_ms;
        late |= child->timeout_ms > 0 && running_ms > child->timeout_ms;
        if ((late || signals_stop != 0) && asked_ms == 0) {
            asked_ms = running_ms + 1;
            kill(-pid, SIGTERM);
        } else if (asked_ms > 0 && running_ms - asked_ms > GRACE_MS) {
            kill(-pid, SIGKILL);
        }
        if (child->tick != NULL) {
            child->tick(child->ctx, running_ms);
        }
        clock_sleep_ms(LOOK_MS);
    }
    bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0 && signals_stop == 0 && !late;
    if (!good) {
        add_end(words, status, late);
    }
    return good;
}
