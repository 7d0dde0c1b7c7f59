// render_manifest: a SparkApplication of the Spark operator, as YAML. Called by `stoker advise
// kubernetes`. What the manifest has a field for stands in its field, the rest as properties; every
// text is quoted, so nothing in it can be taken for anything but text.
#include "present/render_advice.h"

#include <ctype.h>
#include <string.h>

#include "base/compiler.h"

enum { NAME_MAX_BYTES = 63 }; // of a name of Kubernetes

void render_manifest_name(const char *text, char out[RENDER_NAME_SIZE]) {
    size_t len = 0;
    for (; *text != '\0' && len < NAME_MAX_BYTES; text++) {
        unsigned char c = (unsigned char)*text;
        char to = isalnum(c) && c < 0x80 ? (char)tolower(c) : '-';
        if (to != '-' || (len > 0 && out[len - 1] != '-')) {
            out[len++] = to;
        }
    }
    while (len > 0 && out[len - 1] == '-') {
        len--;
    }
    out[len] = '\0';
    if (len == 0) {
        memcpy(out, "spark", sizeof "spark");
    } else if (isdigit((unsigned char)out[0])) { // a service is called after it
        memmove(out + 2, out, len < NAME_MAX_BYTES - 2 ? len + 1 : NAME_MAX_BYTES - 2);
        memcpy(out, "s-", 2);
        out[NAME_MAX_BYTES] = '\0';
    }
}

static const char *type_of(const struct render_manifest *manifest) {
    const char *dot = strrchr(manifest->main_file, '.');
    return dot != NULL && strcmp(dot, ".py") == 0                              ? "Python"
           : dot != NULL && (strcmp(dot, ".R") == 0 || strcmp(dot, ".r") == 0) ? "R"
                                                                               : "Scala";
}

static void add_text(struct buf *out, int indent, const char *key, const char *value) {
    buf_printf(out, "%*s%s: ", indent, "", key);
    buf_add_json(out, str_of(value));
    buf_add_char(out, '\n');
}

// Properties whose keys begin so, without that, as a map; nothing if there are none.
static void add_members(struct buf *out, int indent, const char *field,
                        const struct recommendation *r, const char *beginning) {
    unsigned count = 0;
    for (uint32_t i = 0; i < r->setting_count; i++) {
        const char *key = r->settings[i].key;
        if (str_starts(str_of(key), str_of(beginning))) {
            if (count++ == 0) {
                buf_printf(out, "%*s%s:\n", indent, "", field);
            }
            buf_printf(out, "%*s", indent + 2, "");
            buf_add_json(out, str_of(key + strlen(beginning)));
            buf_add_text(out, ": ");
            buf_add_json(out, str_of(r->settings[i].value));
            buf_add_char(out, '\n');
        }
    }
}

static const char *value_of(const struct recommendation *r, const char *key) {
    for (uint32_t i = 0; i < r->setting_count; i++) {
        if (strcmp(r->settings[i].key, key) == 0) {
            return r->settings[i].value;
        }
    }
    return NULL;
}

enum form { FORM_TEXT, FORM_PLAIN };

// Of a pod, in the order of the manifest.
static const struct {
    const char *field, *driver, *executor;
    enum form form;
} pod_fields[] = {
    {"cores", "spark.driver.cores", "spark.executor.cores", FORM_PLAIN},
    {"coreRequest", "spark.kubernetes.driver.request.cores",
     "spark.kubernetes.executor.request.cores", FORM_TEXT},
    {"coreLimit", "spark.kubernetes.driver.limit.cores", "spark.kubernetes.executor.limit.cores",
     FORM_TEXT},
    {"memory", "spark.driver.memory", "spark.executor.memory", FORM_TEXT},
    {"memoryOverhead", "spark.driver.memoryOverhead", "spark.executor.memoryOverhead", FORM_TEXT},
    {"serviceAccount", "spark.kubernetes.authenticate.driver.serviceAccountName", NULL, FORM_TEXT},
};

static const struct {
    const char *field, *key;
} allocation_fields[] = {
    {"enabled", "spark.dynamicAllocation.enabled"},
    {"minExecutors", "spark.dynamicAllocation.minExecutors"},
    {"initialExecutors", "spark.dynamicAllocation.initialExecutors"},
    {"maxExecutors", "spark.dynamicAllocation.maxExecutors"},
};

#define SELECTOR "spark.kubernetes.node.selector."
#define DRIVER_ANNOTATION "spark.kubernetes.driver.annotation."
#define EXECUTOR_ANNOTATION "spark.kubernetes.executor.annotation."

static bool has_field(const char *key) {
    static const char *const other[] = {"spark.kubernetes.namespace",
                                        "spark.kubernetes.container.image"};
    static const char *const members[] = {SELECTOR, DRIVER_ANNOTATION, EXECUTOR_ANNOTATION};
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(pod_fields) && !found; i++) {
        found = strcmp(key, pod_fields[i].driver) == 0 ||
                (pod_fields[i].executor != NULL && strcmp(key, pod_fields[i].executor) == 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(allocation_fields) && !found; i++) {
        found = strcmp(key, allocation_fields[i].key) == 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(other) && !found; i++) {
        found = strcmp(key, other[i]) == 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(members) && !found; i++) {
        found = str_starts(str_of(key), str_of(members[i]));
    }
    return found;
}

static void add_pod(struct buf *out, const struct recommendation *r, bool driver) {
    buf_printf(out, "  %s:\n", driver ? "driver" : "executor");
    for (size_t i = 0; i < ARRAY_LEN(pod_fields); i++) {
        const char *key = driver ? pod_fields[i].driver : pod_fields[i].executor;
        const char *value = key == NULL ? NULL : value_of(r, key);
        if (value != NULL && pod_fields[i].form == FORM_PLAIN) {
            buf_printf(out, "    %s: %s\n", pod_fields[i].field, value);
        } else if (value != NULL) {
            add_text(out, 4, pod_fields[i].field, value);
        }
    }
    add_members(out, 4, "nodeSelector", r, SELECTOR);
    add_members(out, 4, "annotations", r, driver ? DRIVER_ANNOTATION : EXECUTOR_ANNOTATION);
}

static void add_properties(struct buf *out, const struct recommendation *r) {
    buf_add_text(out, "  sparkConf:\n");
    for (uint32_t i = 0; i < r->setting_count; i++) {
        if (!has_field(r->settings[i].key)) {
            buf_add_text(out, "    ");
            buf_add_json(out, str_of(r->settings[i].key));
            buf_add_text(out, ": ");
            buf_add_json(out, str_of(r->settings[i].value));
            buf_add_char(out, '\n');
        }
    }
}

void render_manifest(struct buf *out, const struct render_manifest *manifest,
                     const struct recommendation *r) {
    const char *type = type_of(manifest), *name_space = value_of(r, "spark.kubernetes.namespace");
    const char *image = value_of(r, "spark.kubernetes.container.image");
    buf_add_text(out, "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\n"
                      "metadata:\n");
    add_text(out, 2, "name", manifest->name);
    if (name_space != NULL) {
        add_text(out, 2, "namespace", name_space);
    }
    buf_printf(out, "spec:\n  type: %s\n", type);
    if (strcmp(type, "Python") == 0) {
        add_text(out, 2, "pythonVersion", "3");
    }
    buf_add_text(out, "  mode: cluster\n");
    if (image != NULL) {
        add_text(out, 2, "image", image);
    }
    buf_add_text(out, "  imagePullPolicy: IfNotPresent\n");
    add_text(out, 2, "mainApplicationFile", manifest->main_file);
    if (manifest->main_class[0] != '\0' && strcmp(type, "Scala") == 0) {
        add_text(out, 2, "mainClass", manifest->main_class);
    }
    add_text(out, 2, "sparkVersion", manifest->spark_version);
    buf_add_text(out, "  restartPolicy:\n    type: Never\n  dynamicAllocation:\n");
    for (size_t i = 0; i < ARRAY_LEN(allocation_fields); i++) {
        const char *value = value_of(r, allocation_fields[i].key);
        if (value != NULL) {
            buf_printf(out, "    %s: %s\n", allocation_fields[i].field, value);
        }
    }
    add_properties(out, r);
    add_pod(out, r, true);
    add_pod(out, r, false);
}
