// operator: see operator.h. Called by decode for the RDDs of a stage and by state for plans, a few
// times for each; nothing here keeps a name.
#include "model/operator.h"

#include <stddef.h>

#include "base/mem.h"

struct word_works {
    const char *word;
    unsigned works;
};

static const struct word_works rdds[] = {
    {"FileScanRDD", WORK_FILES},
    {"HadoopRDD", WORK_FILES},
    {"NewHadoopRDD", WORK_FILES},
    {"BinaryFileRDD", WORK_FILES},
    {"WholeTextFileRDD", WORK_FILES | WORK_TEXT},
    {"JDBCRDD", WORK_JDBC},
    {"JdbcRDD", WORK_JDBC},
    {"DataSourceRDD", WORK_TABLE},
    {"CartesianRDD", WORK_CARTESIAN},
    {"UnsafeCartesianRDD", WORK_CARTESIAN},
    {"PythonRDD", WORK_PYTHON_RDD},
};

// Calls of SparkContext, which name the RDDs after the path that they read.
static const struct word_works calls[] = {
    {"textFile", WORK_FILES | WORK_TEXT},
    {"wholeTextFiles", WORK_FILES | WORK_TEXT},
    {"binaryFiles", WORK_FILES},
    {"sequenceFile", WORK_FILES},
    {"objectFile", WORK_FILES},
    {"hadoopFile", WORK_FILES},
    {"hadoopRDD", WORK_FILES},
    {"newAPIHadoopFile", WORK_FILES},
    {"newAPIHadoopRDD", WORK_FILES},
    {"cartesian", WORK_CARTESIAN},
};

// Of operators, by a part of their names. Python's one by one come before those in batches, whose
// names hold theirs.
static const struct word_works parts[] = {
    {"ArrowEvalPython", WORK_PYTHON_BATCHES},   {"BatchEvalPython", WORK_PYTHON_ROWS},
    {"InPandas", WORK_PYTHON_BATCHES},          {"InArrow", WORK_PYTHON_BATCHES},
    {"InPySpark", WORK_PYTHON_BATCHES},         {"ArrowAggregatePython", WORK_PYTHON_BATCHES},
    {"ArrowWindowPython", WORK_PYTHON_BATCHES}, {"CartesianProduct", WORK_CARTESIAN},
};

// Formats of files, as the word after "Scan" has them.
static const struct word_works formats[] = {
    {"parquet", WORK_FILES},
    {"orc", WORK_FILES},
    {"avro", WORK_FILES},
    {"delta", WORK_FILES},
    {"binaryFile", WORK_FILES},
    {"text", WORK_FILES | WORK_TEXT},
    {"csv", WORK_FILES | WORK_TEXT},
    {"json", WORK_FILES | WORK_TEXT},
    {"xml", WORK_FILES | WORK_TEXT},
    {"hive", WORK_FILES},
};

static struct str first_word(struct str name) {
    size_t len = 0;
    while (len < name.len && name.p[len] != ' ') {
        len++;
    }
    return (struct str){name.p, len};
}

static struct str second_word(struct str name) {
    size_t from = first_word(name).len;
    while (from < name.len && name.p[from] == ' ') {
        from++;
    }
    return first_word((struct str){name.p + from, name.len - from});
}

static unsigned works_of(const struct word_works *words, size_t count, struct str name) {
    for (size_t i = 0; i < count; i++) {
        if (str_is(name, words[i].word)) {
            return words[i].works;
        }
    }
    return 0;
}

unsigned rdd_works(struct str name) {
    return works_of(rdds, ARRAY_LEN(rdds), name);
}

static unsigned scan_works(struct str name) {
    struct str of = second_word(name);
    if (str_contains(of, STR("JDBC")) || str_contains(of, STR("Jdbc"))) {
        return WORK_JDBC;
    }
    unsigned works = works_of(formats, ARRAY_LEN(formats), of);
    return works != 0 ? works : WORK_TABLE;
}

unsigned operator_works(struct str name) {
    if (operator_is_scan(name)) {
        return operator_is_local_scan(name) ? 0 : scan_works(name);
    }
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (str_contains(name, str_of(parts[i].word))) {
            return parts[i].works;
        }
    }
    return works_of(calls, ARRAY_LEN(calls), name);
}

static bool ends_in(struct str text, struct str end) {
    return text.len >= end.len && str_eq((struct str){text.p + text.len - end.len, end.len}, end);
}

// "Scan parquet", "GpuBatchScan", "MicroBatchScan[rate]", "FileSourceScanExecTransformer".
bool operator_is_scan(struct str node) {
    struct str word = first_word(node);
    const char *more = memchr(word.p, '[', word.len);
    word.len = more != NULL ? (size_t)(more - word.p) : word.len;
    bool scan = ends_in(word, STR("Scan")) ||
                (ends_in(word, STR("Transformer")) && str_contains(word, STR("Scan")));
    return scan && !str_contains(word, STR("InMemory"));
}

bool operator_is_local_scan(struct str node) {
    struct str of = second_word(node);
    return operator_is_scan(node) &&
           (str_contains(first_word(node), STR("LocalTableScan")) ||
            str_starts(of, STR("ExistingRDD")) || str_starts(of, STR("OneRowRelation")));
}

bool operator_is_range(struct str node) {
    struct str word = first_word(node);
    return ends_in(word, STR("Range")) || str_is(word, "RangeExecTransformer");
}

bool operator_is_native(struct str node) {
    static const char *const beginnings[] = {"Gpu", "Photon", "Comet", "Velox", "Native"};
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        if (str_starts(node, str_of(beginnings[i]))) {
            return true;
        }
    }
    struct str word = first_word(node);
    return ends_in(word, STR("Transformer")) || str_is(word, "ColumnarExchange") ||
           str_is(word, "ColumnarBroadcastExchange");
}

bool operator_is_foreign(struct str node) {
    return str_contains(node, STR("Python")) || str_contains(node, STR("InPandas")) ||
           operator_is_native(node);
}
