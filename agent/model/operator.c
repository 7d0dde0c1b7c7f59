// operator: see operator.h. Called by decode for the RDDs of a stage and by state for plans, a few
// times for each; nothing here keeps a name.
#include "model/operator.h"

#include <ctype.h>
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
    {"CoalescedRDD", WORK_COALESCED},
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

uint32_t operator_shape(struct str name) {
    uint32_t hash = 2166136261u; // FNV-1a, over letters alone
    bool any = false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (isalpha(c)) {
            hash = (hash ^ c) * 16777619u;
            any = true;
        }
    }
    return any ? hash : 0;
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

uint32_t rdd_shape(struct str name) {
    bool path = memchr(name.p, '/', name.len) != NULL;
    return !path && ends_in(name, STR("RDD")) ? operator_shape(name) : 0;
}

bool operator_is_local_scan(struct str node) {
    struct str of = second_word(node);
    bool unnamed = str_is(first_word(node), "Scan") && of.len == 0; // an RDD of objects
    return operator_is_scan(node) &&
           (unnamed || str_contains(first_word(node), STR("LocalTableScan")) ||
            str_starts(of, STR("ExistingRDD")) || str_starts(of, STR("OneRowRelation")));
}

enum join_way operator_join_way(struct str node) {
    static const struct {
        const char *part;
        enum join_way way;
    } ways[] = {
        {"CartesianProduct", JOIN_WAY_CARTESIAN},  {"NestedLoopJoin", JOIN_WAY_NESTED},
        {"BroadcastHashJoin", JOIN_WAY_BROADCAST}, {"SortMergeJoin", JOIN_WAY_SHUFFLED},
        {"ShuffledHashJoin", JOIN_WAY_SHUFFLED},   {"ShuffledSymmetricHashJoin", JOIN_WAY_SHUFFLED},
        {"CometHashJoin", JOIN_WAY_SHUFFLED},
    };
    struct str word = first_word(node);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (str_contains(word, str_of(ways[i].part))) {
            return ways[i].way;
        }
    }
    return JOIN_WAY_NONE;
}

static enum join_type type_of_word(struct str word) {
    static const struct {
        const char *word;
        enum join_type type;
    } types[] = {
        {"Inner", JOIN_INNER},
        {"Cross", JOIN_INNER},
        {"LeftOuter", JOIN_LEFT_OUTER},
        {"LeftSingle", JOIN_LEFT_OUTER},
        {"RightOuter", JOIN_RIGHT_OUTER},
        {"FullOuter", JOIN_FULL_OUTER},
        {"LeftSemi", JOIN_LEFT_SEMI},
        {"LeftAnti", JOIN_LEFT_SEMI},
        {"ExistenceJoin", JOIN_LEFT_SEMI},
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_is(word, types[i].word)) {
            return types[i].type;
        }
    }
    return JOIN_UNKNOWN;
}

// The type is a word outside of the brackets around keys and conditions.
enum join_type operator_join_type(struct str text) {
    unsigned depth = 0;
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        char c = i < text.len ? text.p[i] : ' ';
        bool opens = c == '[' || c == '(', closes = c == ']' || c == ')';
        if (opens || closes || c == ' ' || c == ',') {
            enum join_type type =
                depth == 0 ? type_of_word((struct str){text.p + from, i - from}) : JOIN_UNKNOWN;
            if (type != JOIN_UNKNOWN) {
                return type;
            }
            depth = opens ? depth + 1 : depth - (closes && depth > 0);
            from = i + 1;
        }
    }
    return JOIN_UNKNOWN;
}

bool operator_is_shuffle(struct str node) {
    struct str word = first_word(node);
    return (ends_in(word, STR("Exchange")) || ends_in(word, STR("ExchangeExecTransformer"))) &&
           !str_contains(word, STR("Broadcast")) && !str_contains(word, STR("Reused"));
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

bool operator_is_transition(struct str node) {
    struct str word = first_word(node);
    return str_contains(word, STR("ColumnarToRow")) || str_contains(word, STR("RowToColumnar")) ||
           str_contains(word, STR("RowToVeloxColumnar")) ||
           str_contains(word, STR("ColumnarToCarrierRow"));
}

bool operator_is_work(struct str node) {
    static const char *const words[] = {
        "Filter",
        "Project",
        "HashAggregate",
        "ObjectHashAggregate",
        "SortAggregate",
        "Sort",
        "Window",
        "WindowGroupLimit",
        "Expand",
        "Generate",
        "Exchange",
        "BroadcastExchange",
        "MapPartitions",
        "MapElements",
        "FlatMapGroups",
        "TakeOrderedAndProject",
        "CoGroup",
        "AppendColumns",
        "DeserializeToObject",
        "SerializeFromObject",
    };
    struct str word = first_word(node);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_is(word, words[i])) {
            return true;
        }
    }
    return operator_join_way(node) != JOIN_WAY_NONE ||
           (operator_works(node) & (WORK_PYTHON_ROWS | WORK_PYTHON_BATCHES | WORK_FILES)) != 0;
}

bool operator_is_foreign(struct str node) {
    return str_contains(node, STR("Python")) || str_contains(node, STR("InPandas")) ||
           operator_is_native(node);
}
