// terminal: see the header. Called by the commands; must never write to a stream that is no
// terminal.
#include "commands/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/span.h"

bool terminal_color(int fd, const char *choice) {
    if (choice != NULL && strcmp(choice, "auto") != 0) {
        return strcmp(choice, "always") == 0;
    }
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool refused = no_color != NULL && no_color[0] != '\0';
    bool dumb = term == NULL || strcmp(term, "dumb") == 0;
    return !refused && !dumb && isatty(fd);
}

int terminal_width(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        return 100;
    }
    return size.ws_col < 40 ? 40 : size.ws_col > 120 ? 120 : size.ws_col;
}

void progress_begin(struct progress *progress, const char *what) {
    *progress = (struct progress){
        .what = what, .started_ms = clock_mono_ms(), .on = isatty(STDERR_FILENO) != 0};
}

static void draw(struct progress *progress, uint64_t done, uint64_t total, double elapsed_s) {
    char amount[SPAN_TEXT_SIZE], rate[SPAN_TEXT_SIZE], left[SPAN_TEXT_SIZE];
    const char *more = progress->more == NULL ? "" : progress->more;
    span_format_bytes((double)done, amount);
    span_format_bytes((double)done / elapsed_s, rate);
    if (total == 0) {
        fprintf(stderr, "\r\033[K%s  %s  %s/s%s", progress->what, amount, rate, more);
    } else {
        double share = done < total ? (double)done / (double)total : 1;
        char bar[31];
        for (int i = 0; i < 30; i++) {
            bar[i] = i < (int)(share * 30) ? '#' : '.';
        }
        bar[30] = '\0';
        span_format_seconds(share > 0 ? elapsed_s * (1 - share) / share : 0, left);
        fprintf(stderr, "\r\033[K%s  [%s] %3.0f %%  %s  %s/s  %s left%s", progress->what, bar,
                100 * share, amount, rate, left, more);
    }
    fflush(stderr);
    progress->visible = true;
}

// Whether to draw now.
static bool is_due(struct progress *progress) {
    int64_t now = progress->on ? clock_mono_ms() : 0;
    if (!progress->on || now - progress->started_ms < 1000 || now - progress->shown_ms < 100) {
        return false;
    }
    progress->shown_ms = now;
    return true;
}

void progress_update(struct progress *progress, uint64_t done_bytes, uint64_t total_bytes) {
    if (is_due(progress)) {
        double elapsed_s = (double)(progress->shown_ms - progress->started_ms) / 1000;
        draw(progress, done_bytes, total_bytes, elapsed_s);
    }
}

void progress_words(struct progress *progress, const char *words) {
    if (is_due(progress)) {
        struct str line = str_of(words);
        line.len = str_cut_utf8(line, (size_t)terminal_width(STDERR_FILENO) - 1);
        fprintf(stderr, "\r\033[K%.*s", (int)line.len, line.p);
        fflush(stderr);
        progress->visible = true;
    }
}

void progress_end(struct progress *progress) {
    if (progress->visible) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        progress->visible = false;
    }
}
