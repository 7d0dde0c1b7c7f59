// config_env: settings from STOKER_SECTION__KEY variables. Called by the commands; must not trip
// over the variables that container platforms make of a service's name.
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "config_priv.h"

// KAFKA__CONSUMER__SESSION_TIMEOUT_MS: "__" separates; below kafka.* "_" stands for the dots of
// librdkafka's names, but for that of a _file twin.
static void env_key(const struct config *config, const char *name, char *key) {
    size_t n = 0;
    for (const char *p = name; *p != '\0'; p++) {
        if (p[0] == '_' && p[1] == '_') {
            key[n++] = '.';
            p++;
        } else {
            key[n++] = (char)tolower((unsigned char)*p);
        }
    }
    key[n] = '\0';
    const struct entry *map = config_find_map(config, key);
    if (map == NULL || strncmp(key, "kafka.", 6) != 0) {
        return;
    }
    for (char *p = key + strlen(map->setting->key) + 1; *p != '\0'; p++) {
        *p = *p == '_' && strcmp(p, "_file") != 0 ? '.' : *p;
    }
}

// A service called stoker, or stoker-x, in the same Kubernetes namespace gives every container
// STOKER_SERVICE_HOST, STOKER_X_SERVICE_PORT, STOKER_PORT_9571_TCP_ADDR and more.
static bool is_service_variable(const char *name) {
    if (strstr(name, "__") != NULL) {
        return false;
    }
    static const char *const marks[] = {"_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"};
    for (unsigned i = 0; i < ARRAY_LEN(marks); i++) {
        if (strstr(name, marks[i]) != NULL) {
            return true;
        }
    }
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, "_PORT") == 0;
}

void config_load_env(struct config *config, char *const *environment) {
    for (; *environment != NULL; environment++) {
        const char *variable = *environment;
        const char *equals = strchr(variable, '=');
        if (strncmp(variable, "STOKER_", 7) != 0 || equals == NULL) {
            continue;
        }
        char *name = mem_strndup(variable, (size_t)(equals - variable));
        char key[CONFIG_KEY_MAX + 1];
        if (strlen(name + 7) > CONFIG_KEY_MAX) {
            config_complain(config, "environment", "", "the name %.40s... is too long", name);
        } else if (!is_service_variable(name)) {
            env_key(config, name + 7, key);
            config_put(config, key, equals + 1, name, 0);
        }
        mem_free(name);
    }
}
