// test_failure_class: why attempts fail and executors are lost, text by text: what says which
// memory ran out, and what only sounds so.
#include "support/test.h"

#include <string.h>

#include "base/buf.h"
#include "state/failure.h"

#define OOM "java.lang.OutOfMemoryError"
#define EXECUTION "org.apache.spark.memory.SparkOutOfMemoryError"
#define GLUTEN "org.apache.gluten.exception.GlutenException"
#define GLUTEN_OOM "org.apache.gluten.memory.memtarget.ThrowOnOomMemoryTarget$OutOfMemoryException"
#define OLD_OOM "io.glutenproject.memory.memtarget.ThrowOnOomMemoryTarget$OutOfMemoryException"
#define COMET "org.apache.comet.CometNativeException"
#define RAPIDS "com.nvidia.spark.rapids.jni."
#define PYTHON "org.apache.spark.api.python.PythonException"
#define TRACEBACK                                                                                  \
    "Traceback (most recent call last):\n  File \"/spark/worker.py\", line 1100, in main\n"        \
    "    process()\n  File \"/job.py\", line 7, in f\n    return g(x)\n"
#define AT "\n\tat org.apache.spark.scheduler.Task.run(Task.scala:141)"

static enum failure_class exception(const char *class, const char *error, const char *stack) {
    struct event_task task = {.result = TASK_EXCEPTION,
                              .error_class = str_of(class),
                              .error = str_of(error),
                              .stack = str_of(stack)};
    return failure_of_task(&task);
}

struct thrown {
    const char *class, *error;
    enum failure_class is;
};

static void are(const struct thrown *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        enum failure_class is = exception(cases[i].class, cases[i].error, "");
        if (is != cases[i].is) {
            fail_msg("%s: %.60s is class %d, not %d", cases[i].class, cases[i].error, is,
                     cases[i].is);
        }
    }
}

static void the_class_of_an_exception_tells(void **state) {
    (void)state;
    static const struct thrown cases[] = {
        {OOM, "Java heap space", FAILURE_OOM},
        {OOM, "GC overhead limit exceeded", FAILURE_OOM},
        {OOM, "Requested array size exceeds VM limit", FAILURE_OOM},
        {OOM, "", FAILURE_OOM},
        {OOM, "Direct buffer memory", FAILURE_OOM_DIRECT},
        {OOM, "Cannot reserve 4194304 bytes of direct buffer memory (allocated: 1, limit: 2)",
         FAILURE_OOM_DIRECT},
        {OOM, "Metaspace", FAILURE_OOM_DIRECT},
        {OOM, "Compressed class space", FAILURE_OOM_DIRECT},
        {"io.netty.util.internal.OutOfDirectMemoryError", "failed to allocate 16777216 byte(s)",
         FAILURE_OOM_DIRECT},
        {"org.sparkproject.io.netty.util.internal.OutOfDirectMemoryError", "", FAILURE_OOM_DIRECT},
        {"org.apache.arrow.memory.OutOfMemoryException", "Unable to allocate buffer of size 9",
         FAILURE_OOM_DIRECT},
        {OOM, "unable to create native thread: possibly out of memory or process/resource limits",
         FAILURE_THREADS},
        {OOM, "unable to create new native thread", FAILURE_THREADS},
        {EXECUTION, "Unable to acquire 65536 bytes of memory, got 0", FAILURE_OOM_EXECUTION},
        {EXECUTION, "[UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 65536 bytes of memory, got 0.",
         FAILURE_OOM_EXECUTION},
        {OOM, "Unable to acquire 65536 bytes of memory, got 0", FAILURE_OOM_EXECUTION}, // before
        {"org.apache.spark.SparkException", "[UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 1 byte",
         FAILURE_OOM_EXECUTION},
        {OOM, "Could not allocate native memory: std::bad_alloc: out_of_memory: CUDA error at: x",
         FAILURE_OOM_GPU},
        {RAPIDS "RetryOOM", "", FAILURE_OOM_GPU},
        {RAPIDS "SplitAndRetryOOM", "", FAILURE_OOM_GPU},
        {RAPIDS "GpuRetryOOM", "GPU OutOfMemory", FAILURE_OOM_GPU},
        {RAPIDS "GpuSplitAndRetryOOM", "GPU OutOfMemory: could not split inputs", FAILURE_OOM_GPU},
        {RAPIDS "CpuRetryOOM", "CPU OutOfMemory", FAILURE_OOM_GPU},
        {RAPIDS "CpuSplitAndRetryOOM", "CPU OutOfMemory", FAILURE_OOM_GPU},
        {COMET, "External error: Resources exhausted: Additional allocation failed",
         FAILURE_OOM_OFF_HEAP},
        {COMET, "Failed to acquire 8388608 bytes, only got 5242880. Reserved: 9",
         FAILURE_OOM_OFF_HEAP},
    };
    are(cases, ARRAY_LEN(cases));
}

static void other_classes_are_the_programs_own(void **state) {
    (void)state;
    static const struct thrown cases[] = {
        {"java.lang.IllegalStateException", "bad record", FAILURE_USER_CODE},
        {"com.acme.OutOfMemoryError", "", FAILURE_USER_CODE}, // Java's has its package
        {"com.acme.Boom", "", FAILURE_USER_CODE},
        {"com.acme.KABOOM", "OOM", FAILURE_USER_CODE},
        {COMET, "Parquet error: bad magic", FAILURE_USER_CODE},
        {GLUTEN, "Exception: VeloxUserError\nReason: division by zero", FAILURE_USER_CODE},
        // quoted in the message of another
        {"java.lang.IllegalStateException", "the upstream job ended with " OOM ": Java heap space",
         FAILURE_USER_CODE},
        {"java.lang.RuntimeException", OOM ": Java heap space", FAILURE_USER_CODE},
        {"java.lang.RuntimeException", "see below\nCaused by: " OOM ": Java heap space",
         FAILURE_USER_CODE},
        {"java.lang.RuntimeException", "'" GLUTEN_OOM "' is no record", FAILURE_USER_CODE},
        {"java.lang.RuntimeException", "no such class \"" GLUTEN_OOM ": x\"", FAILURE_USER_CODE},
        {"java.lang.RuntimeException", "exit code 137, OOMKilled", FAILURE_USER_CODE},
        {"java.lang.RuntimeException", "exited with code 52", FAILURE_USER_CODE},
        {"org.apache.spark.SparkException", "Python worker exited unexpectedly (crashed)",
         FAILURE_PYTHON_CRASHED},
        {"java.util.concurrent.RejectedExecutionException",
         "Task org.apache.spark.executor.Executor$TaskRunner@1 rejected from pool@2[Shutting down]",
         FAILURE_EXECUTOR_LOST},
        {"java.util.concurrent.RejectedExecutionException", "Task com.acme.Upload@1 rejected",
         FAILURE_USER_CODE},
        {"", "", FAILURE_USER_CODE},
    };
    are(cases, ARRAY_LEN(cases));
}

static void engines_say_it_in_their_texts(void **state) {
    (void)state;
    static const struct thrown cases[] = {
        {GLUTEN,
         "Exception: VeloxRuntimeError\nReason: Error during calling Java code from native "
         "code: " GLUTEN_OOM ": Not enough spark off-heap execution memory. Acquired: 8.0 MiB",
         FAILURE_OOM_OFF_HEAP},
        {"java.lang.RuntimeException", "native code: " OLD_OOM ": not enough",
         FAILURE_OOM_OFF_HEAP},
        {GLUTEN_OOM, "Not enough", FAILURE_OOM_OFF_HEAP},
        {GLUTEN,
         "Exception: VeloxRuntimeError\nError Source: RUNTIME\nError Code: MEM_CAP_EXCEEDED\n"
         "Reason: Exceeded memory pool cap of 1.00GB",
         FAILURE_OOM_OFF_HEAP},
        {"org.apache.spark.SparkException", "Photon failed to reserve 512.0 MiB for hash table",
         FAILURE_OOM_OFF_HEAP},
        {"org.apache.spark.SparkException", "Job aborted: Photon ran out of memory while sorting",
         FAILURE_OOM_OFF_HEAP},
    };
    are(cases, ARRAY_LEN(cases));
}

#define WRITE "[TASK_WRITE_FAILED] Task failed while writing rows to s3://b/t."
#define WRAPPED(cause) "org.apache.spark.SparkException: " WRITE AT "\nCaused by: " cause AT "\n"

static void causes_count_and_quoted_ones_do_not(void **state) {
    (void)state;
    static const struct {
        const char *stack;
        enum failure_class is;
    } cases[] = {
        {WRAPPED(OOM ": Java heap space"), FAILURE_OOM},
        {WRAPPED(OOM), FAILURE_OOM},
        {WRAPPED("java.io.IOException: x" AT "\nCaused by: " OOM ": Direct buffer memory"),
         FAILURE_OOM_DIRECT},
        {WRAPPED("java.io.IOException: x\nCaused by: " EXECUTION), FAILURE_OOM_EXECUTION},
        {WRAPPED("java.io.IOException: x" AT "\n\t... 9 more\nCaused by: " RAPIDS "GpuRetryOOM"),
         FAILURE_OOM_GPU},
        {WRAPPED(COMET ": Resources exhausted: x"), FAILURE_OOM_OFF_HEAP},
        {WRAPPED(GLUTEN ": code: " GLUTEN_OOM ": x"), FAILURE_OOM_OFF_HEAP},
        {WRAPPED(PYTHON ": " TRACEBACK "MemoryError\n"), FAILURE_OOM_PYTHON},
        {WRAPPED(OOM ": unable to create native thread"), FAILURE_THREADS},
        {"Caused by: " OOM ": Java heap space", FAILURE_OOM}, // as the listener shortens it
        {"org.apache.spark.SparkException: " WRITE "\nCaused by: " OOM ": Java heap space",
         FAILURE_OOM}, // without frames
        {"org.apache.spark.SparkException: " WRITE "\r\n\tat x\r\nCaused by: " OOM "\r\n",
         FAILURE_OOM},
        {WRAPPED("org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)"),
         FAILURE_PYTHON_CRASHED},
        {WRAPPED("java.io.IOException: x"), FAILURE_USER_CODE},
        {WRAPPED("java.io.IOException: ended by " OOM ": Java heap space"), FAILURE_USER_CODE},
        {WRAPPED("java.io.IOException: it said:\nerror\nCaused by: " OOM), FAILURE_USER_CODE},
        {WRAPPED("java.io.IOException: x" AT "\n\tSuppressed: " OOM ": Java heap space"),
         FAILURE_USER_CODE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(exception("org.apache.spark.SparkException", WRITE, cases[i].stack),
                         cases[i].is);
    }
    static const char quoted[] = "remote:\n\tat x\nCaused by: " OOM ": Java heap space";
    assert_int_equal(exception("a.B", quoted,
                               "a.B: remote:\n\tat x\nCaused by: " OOM ": Java heap space" AT "\n"),
                     FAILURE_USER_CODE);
}

static void the_last_line_of_a_traceback_tells(void **state) {
    (void)state;
    static const struct thrown cases[] = {
        {PYTHON, TRACEBACK "MemoryError\n", FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "MemoryError: too much", FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7 GiB",
         FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "numpy._core._exceptions._ArrayMemoryError: Unable", FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "pyarrow.lib.ArrowMemoryError: malloc of size 9 failed",
         FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "torch.cuda.OutOfMemoryError: CUDA out of memory.", FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "torch.OutOfMemoryError: CUDA out of memory.", FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "RuntimeError: CUDA out of memory. Tried 2 GiB", FAILURE_OOM_PYTHON},
        {PYTHON,
         TRACEBACK "ValueError: x\n\nDuring handling of the above exception, another exception "
                   "occurred:\n\n" TRACEBACK "MemoryError",
         FAILURE_OOM_PYTHON},
        {PYTHON, TRACEBACK "ValueError: got MemoryError: no", FAILURE_USER_CODE},
        {PYTHON, TRACEBACK "ValueError: the worker said:\nMemoryError", FAILURE_USER_CODE},
        {PYTHON, TRACEBACK "RuntimeError: cold", FAILURE_USER_CODE},
        {PYTHON, TRACEBACK "acme.MemoryError", FAILURE_USER_CODE},
        {PYTHON,
         TRACEBACK "MemoryError\n\nThe above exception was the direct cause of the following "
                   "exception:\n\n" TRACEBACK "ValueError: x",
         FAILURE_USER_CODE}, // the program's own words come last
        {PYTHON, "Traceback (most recent call last):\n", FAILURE_USER_CODE},
        {PYTHON, "MemoryError", FAILURE_USER_CODE}, // no traceback
    };
    are(cases, ARRAY_LEN(cases));
}

static void long_texts_are_looked_at_from_both_ends(void **state) {
    (void)state;
    static const struct {
        size_t before, behind;
        enum failure_class is;
    } cases[] = {
        {1000, 1000, FAILURE_OOM_PYTHON},    {60000, 0, FAILURE_OOM_PYTHON},
        {5000000, 0, FAILURE_OOM_PYTHON},    {5000000, 15000, FAILURE_OOM_PYTHON},
        {1000, 5000000, FAILURE_OOM_PYTHON}, {2500000, 2500000, FAILURE_USER_CODE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text = {0};
        for (size_t n = 0; n < cases[i].before; n++) {
            buf_add_char(&text, n % 80 == 79 ? '\n' : 'x');
        }
        buf_add_text(&text, "\n" TRACEBACK "MemoryError\n");
        for (size_t n = 0; n < cases[i].behind; n++) {
            buf_add_char(&text, n % 80 == 79 ? '\n' : 'x');
        }
        assert_int_equal(exception(PYTHON, buf_text(&text), ""), cases[i].is);
        assert_int_equal(exception(PYTHON, "", buf_text(&text)), cases[i].is);
        buf_fini(&text);
    }
}

static const struct {
    const char *reason;
    enum failure_class is;
} losses[] = {
    {"Container killed by YARN for exceeding memory limits. 5.5 GB of 5.5 GB physical memory "
     "used. Consider boosting spark.yarn.executor.memoryOverhead.",
     FAILURE_CONTAINER_KILLED},
    {"Container killed by YARN for exceeding physical memory limits. 9 GB of 9 GB",
     FAILURE_CONTAINER_KILLED},
    {"Container killed by YARN for exceeding virtual memory limits.", FAILURE_CONTAINER_KILLED},
    {"Container from a bad node: container_1_17_01_000002 on host: n1. Exit status: 143. "
     "Diagnostics: Container [pid=1] is running 5B beyond the 'PHYSICAL' memory limit.",
     FAILURE_CONTAINER_KILLED},
    {"Container from a bad node: container_1675123200000_0017_01_000002 on host: node-1. Exit "
     "status: 137. Diagnostics: [x]Container killed on request. Exit code is 137",
     FAILURE_CONTAINER_KILLED},
    {"\nThe executor with id 3 exited with exit code 137(SIGKILL, possible container OOM).\n",
     FAILURE_CONTAINER_KILLED},
    {"The executor with ID 3 (registered at 1 ms) was found with exit code 1. container "
     "statuses: termination reason: OOMKilled",
     FAILURE_CONTAINER_KILLED},
    {"Command exited with code 137", FAILURE_CONTAINER_KILLED},
    {"The node was low on resource: memory.", FAILURE_CONTAINER_KILLED},
    {"Command exited with code 52", FAILURE_OOM},
    {"The executor with id 3 exited with exit code 52(JVM OOM).", FAILURE_OOM},
    {"Container from a bad node: container_1 on host: n1. Exit status: 52. Diagnostics: "
     "[2025-06-01 04:10:00]Exception from container-launch.\nExit code: 52\n.",
     FAILURE_OOM},
    {"Command exited with code 50", FAILURE_EXECUTOR_LOST},
    {"Command exited with code 1", FAILURE_EXECUTOR_LOST},
    {"Command exited with code 1370", FAILURE_EXECUTOR_LOST},
    {"Container from a bad node: container_1 on host: n1. Exit status: 143. Diagnostics: "
     "Container killed on request. Exit code is 143",
     FAILURE_EXECUTOR_LOST},
    {"Container container_1_17_01_000002 on host: node137 was preempted.", FAILURE_EXECUTOR_LOST},
    {"Container marked as failed: was preempted. Exit status: 137", FAILURE_EXECUTOR_LOST},
    {"Executor heartbeat timed out after 137000 ms", FAILURE_EXECUTOR_LOST},
    {"Remote RPC client disassociated. Likely due to containers exceeding thresholds, or "
     "network issues. Check driver logs for WARN messages.",
     FAILURE_EXECUTOR_LOST},
    {"worker lost", FAILURE_EXECUTOR_LOST},
    {"exit", FAILURE_EXECUTOR_LOST},
    {"exit code", FAILURE_EXECUTOR_LOST},
    {"", FAILURE_EXECUTOR_LOST},
};

static void lost_executors_are_classed(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
        struct str reason = str_of(losses[i].reason);
        struct event_task task = {.result = TASK_EXECUTOR_LOST, .error = reason};
        if (failure_of_loss(reason) != losses[i].is || failure_of_task(&task) != losses[i].is) {
            fail_msg("%s is class %d, not %d", losses[i].reason, failure_of_loss(reason),
                     losses[i].is);
        }
    }
}

static void other_results_have_classes_of_their_own(void **state) {
    (void)state;
    struct event_task task = {.result = TASK_FETCH_FAILED, .error = STR("Connection reset")};
    assert_int_equal(failure_of_task(&task), FAILURE_FETCH_FAILED);
    task.error = STR("org.apache.spark.shuffle.FetchFailedException: failed to allocate" AT
                     "\nCaused by: io.netty.util.internal.OutOfDirectMemoryError: failed");
    assert_int_equal(failure_of_task(&task), FAILURE_OOM_DIRECT);
    task = (struct event_task){.result = TASK_RESULT_LOST};
    assert_int_equal(failure_of_task(&task), FAILURE_OTHER);
    task = (struct event_task){.result = TASK_EXCEPTION}; // nothing is said at all
    assert_int_equal(failure_of_task(&task), FAILURE_USER_CODE);
}

static void the_drivers_memory_is_told_by_the_error_of_an_execution(void **state) {
    (void)state;
    static const struct {
        const char *error;
        bool is;
    } cases[] = {
        {"Not enough memory to build and broadcast the table to all worker nodes.", true},
        {OOM ": Not enough memory to build and broadcast the table(s) [t].", true},
        {"{\"errorClass\":\"LEGACY\",\"messageParameters\":{\"message\":\"Not enough memory to "
         "build and broadcast the table\"}}",
         true},
        {"java.util.concurrent.ExecutionException: x" AT "\nCaused by: " OOM
         ": Not enough memory to build and broadcast the table",
         true},
        {OOM ": Java heap space" AT, true},
        {"Job aborted due to stage failure: Task 1 in stage 0.0 failed 4 times, most recent "
         "failure: Lost task 1.3 in stage 0.0 (TID 4) (n executor 5): " OOM ": Java heap space",
         false},
        {"org.apache.spark.SparkException: Could not execute broadcast in 300 secs.", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(failure_is_drivers_oom(str_of(cases[i].error)), cases[i].is);
    }
    int64_t counts[FAILURE_CLASS_COUNT];
    for (int i = 0; i < FAILURE_CLASS_COUNT; i++) {
        counts[i] = 1 << i;
    }
    assert_int_equal(failure_ooms(counts), 1 << FAILURE_OOM | 1 << FAILURE_OOM_DIRECT |
                                               1 << FAILURE_OOM_EXECUTION |
                                               1 << FAILURE_OOM_OFF_HEAP | 1 << FAILURE_OOM_GPU |
                                               1 << FAILURE_OOM_PYTHON);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_class_of_an_exception_tells),
        cmocka_unit_test(other_classes_are_the_programs_own),
        cmocka_unit_test(engines_say_it_in_their_texts),
        cmocka_unit_test(causes_count_and_quoted_ones_do_not),
        cmocka_unit_test(the_last_line_of_a_traceback_tells),
        cmocka_unit_test(long_texts_are_looked_at_from_both_ends),
        cmocka_unit_test(lost_executors_are_classed),
        cmocka_unit_test(other_results_have_classes_of_their_own),
        cmocka_unit_test(the_drivers_memory_is_told_by_the_error_of_an_execution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
