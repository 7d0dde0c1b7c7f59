// doctor: see the header: makes the checks in their order and prints what they say, as lines for
// people or as one JSON object. Called by the commands doctor and check.
#include "commands/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"

static const struct {
    const char *name;
    bool kafka, connect;
    void (*look)(struct doctor *doctor);
} checks[] = {
#define DOCTOR_CHECK(name, kafka, connect) {#name, kafka, connect, doctor_##name},
#include "commands/doctor_checks.def"
#undef DOCTOR_CHECK
};

static const char *const marks[DOCTOR_MARKS] = {"ok", "warn", "FAIL", "skipped"};
static const char *const colors[DOCTOR_MARKS] = {"\033[32m", "\033[33m", "\033[1;31m", "\033[2m"};

int doctor_left_ms(const struct doctor *doctor, int most_ms) {
    int64_t left_ms = doctor->deadline_ms - clock_mono_ms();
    return left_ms < 100 ? 100 : left_ms < most_ms ? (int)left_ms : most_ms;
}

static void print_line(const struct doctor *doctor, enum doctor_mark mark, const char *text,
                       const char *remedy) {
    bool color = doctor->args->color_out;
    printf("%s%-7s%s  %-8s  %s\n", color ? colors[mark] : "", marks[mark], color ? "\033[0m" : "",
           doctor->check, text);
    if (remedy[0] != '\0') {
        printf("%-7s  %-8s  -> %s\n", "", "", remedy);
    }
    fflush(stdout);
}

void doctor_say(struct doctor *doctor, enum doctor_mark mark, const char *remedy, const char *fmt,
                ...) {
    char text[1024];
    struct buf shown = {0}, mends = {0};
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    buf_add_printable(&shown, str_of(text));
    buf_add_printable(&mends, str_of(remedy));
    doctor->said[mark]++;
    if (doctor->json) {
        json_begin_object(&doctor->writer);
        json_member_text(&doctor->writer, "check", doctor->check);
        json_member_text(&doctor->writer, "mark", marks[mark]);
        json_member_text(&doctor->writer, "text", buf_text(&shown));
        json_member_text(&doctor->writer, "remedy", buf_text(&mends));
        json_end_object(&doctor->writer);
    } else {
        print_line(doctor, mark, buf_text(&shown), buf_text(&mends));
    }
    buf_fini(&shown);
    buf_fini(&mends);
}

static void begin(struct doctor *doctor) {
    if (doctor->json) {
        doctor->writer = (struct json_writer){.out = &doctor->page};
        json_begin_object(&doctor->writer);
        json_member_list(&doctor->writer, "checks");
    }
}

static int end(struct doctor *doctor) {
    unsigned failed = doctor->said[DOCTOR_FAIL], warned = doctor->said[DOCTOR_WARN];
    int code = failed > 0 ? EXIT_FAILED : EXIT_FINE;
    if (doctor->json) {
        json_end_list(&doctor->writer);
        json_member_bool(&doctor->writer, "ok", failed == 0);
        json_member_i64(&doctor->writer, "failed", failed);
        json_member_i64(&doctor->writer, "warned", warned);
        json_end_object(&doctor->writer);
        buf_add_char(&doctor->page, '\n');
    } else {
        buf_printf(&doctor->page, "%u failed, %u warned\n", failed, warned);
    }
    int printed = command_print(doctor->args, &doctor->page);
    buf_fini(&doctor->page);
    return printed == EXIT_FINE ? code : printed;
}

int doctor_examine(const struct command_args *args, const struct config *config, bool connect_only,
                   bool json, int64_t timeout_ms, int64_t records_max) {
    struct doctor doctor = {.args = args,
                            .config = config,
                            .json = json,
                            .deadline_ms = clock_mono_ms() + timeout_ms,
                            .records_max = records_max,
                            .lag = -1,
                            .check = "settings"};
    begin(&doctor);
    doctor_say(&doctor, DOCTOR_OK, "", "%s",
               args->config_file != NULL ? args->config_file : "defaults and environment");
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (connect_only && !checks[i].connect) {
            continue;
        }
        doctor.check = checks[i].name;
        if (checks[i].kafka && !doctor.answered) {
            doctor_say(&doctor, DOCTOR_SKIPPED, "", "not looked at: no broker answers");
        } else {
            checks[i].look(&doctor);
        }
    }
    return end(&doctor);
}
