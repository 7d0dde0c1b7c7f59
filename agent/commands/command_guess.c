// command_guess: what someone may have meant by a word that is no command or option. Called by
// command.c for its complaints.
#include "commands/command_priv.h"

const char *command_nearest(const char *typed) {
    const char *best = NULL;
    unsigned distance = 3, count;
    const struct command *const *all = commands(&count);
    for (unsigned i = 0; i < count; i++) {
        unsigned d = str_distance(str_of(typed), str_of(all[i]->name));
        if (!all[i]->hidden && d < distance) {
            distance = d;
            best = all[i]->name;
        }
    }
    return best;
}

struct guess {
    struct str typed;
    const char *best;
    unsigned distance;
};

static void compare_option(void *ctx, const struct command_option *option) {
    struct guess *guess = ctx;
    unsigned d = str_distance(guess->typed, str_of(option->name));
    if (d < guess->distance) {
        guess->distance = d;
        guess->best = option->name;
    }
}

const char *command_nearest_option(const struct command *command, const char *typed) {
    struct guess guess = {.typed = {typed, strcspn(typed, "=")}, .distance = 3};
    command_each_option(command, compare_option, &guess);
    return guess.best;
}

struct beginning {
    struct str typed;
    unsigned count;
};

static void compare_beginning(void *ctx, const struct command_option *option) {
    struct beginning *beginning = ctx;
    beginning->count += str_starts(str_of(option->name), beginning->typed);
}

unsigned command_count_beginning(const struct command *command, const char *typed) {
    struct beginning beginning = {.typed = {typed, strcspn(typed, "=")}};
    command_each_option(command, compare_beginning, &beginning);
    return beginning.count;
}
