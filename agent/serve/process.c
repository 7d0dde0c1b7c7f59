// process: what /proc/self says about this process. Called by the agent's loop once per page.
// Must never fail: a number that cannot be had is -1 and left out of the page.
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/exposition.h"

// Reads a small file whole; "" if it cannot be read.
static void read_text(const char *path, char *out, size_t cap) {
    out[0] = '\0';
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        out[fread(out, 1, cap - 1, file)] = '\0';
        fclose(file);
    }
}

static int64_t count_fds(void) {
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return -1;
    }
    int64_t count = -1; // not the one that lists them
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

// Unix time of a start given in ticks since the boot. Worked out once: both clocks drift apart, and
// a start time that wanders looks like a restart.
static double start_time_s(unsigned long long ticks, double ticks_per_s) {
    static double start_s = -1;
    struct timespec up;
    if (start_s < 0 && clock_gettime(CLOCK_BOOTTIME, &up) == 0) {
        double age_s = (double)up.tv_sec + (double)up.tv_nsec / 1e9 - (double)ticks / ticks_per_s;
        start_s = floor(((double)clock_wall_ms() / 1e3 - age_s) * 100) / 100;
    }
    return start_s;
}

void exposition_read_process(struct exposition_process *out) {
    *out = (struct exposition_process){-1, -1, -1, -1, -1, -1, -1};
    char text[2048];
    read_text("/proc/self/stat", text, sizeof text);
    // The name in parentheses may hold anything; the fields follow its last ')'.
    const char *fields = strrchr(text, ')');
    unsigned long long user, kernel, start, bytes;
    long long threads, pages;
    if (fields != NULL && sscanf(fields,
                                 ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d "
                                 "%*d %*d %lld %*d %llu %llu %lld",
                                 &user, &kernel, &threads, &start, &bytes, &pages) == 6) {
        double ticks_per_s = (double)sysconf(_SC_CLK_TCK);
        out->cpu_seconds = (double)(user + kernel) / ticks_per_s;
        out->start_time_seconds = start_time_s(start, ticks_per_s);
        out->virtual_bytes = (int64_t)bytes;
        out->resident_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE);
        out->threads = (int64_t)threads;
    }
    out->open_fds = count_fds();
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        out->max_fds = (int64_t)limit.rlim_cur;
    }
}
