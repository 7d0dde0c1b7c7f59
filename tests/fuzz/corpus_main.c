// corpus_main FOLDER: gives a fuzz target every file of its corpus, as the fuzzer does first: the
// unit tests' look at what the fuzzers have found. Linked with one target each (CMakeLists.txt). No
// file at all has failed.
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int play(const char *folder, const char *name) {
    static uint8_t bytes[1 << 20];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return perror(path), 1;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    printf("[ RUN      ] %s\n", name);
    fflush(stdout);
    uint8_t *exact = malloc(size + (size == 0)); // so that the sanitizer sees its end
    memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    printf("[       OK ] %s\n", name);
    return 0;
}

int main(int argc, char **argv) {
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    int files = 0, failed = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') {
            failed |= play(argv[1], entry->d_name);
            files++;
        }
    }
    if (files == 0) {
        fprintf(stderr, "no corpus in %s\n", argc == 2 ? argv[1] : "?");
    } else {
        closedir(folder);
    }
    return failed || files == 0;
}
