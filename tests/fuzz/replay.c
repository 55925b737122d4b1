/* SPDX-License-Identifier: MIT */
/*
 * replay - a fuzz target without a fuzzer: it runs over the files that are kept.  [tests]
 *
 *     replay_NAME FILE|FOLDER...     a folder that is not there is empty
 *
 * Each file goes in as it is, then what is left of it when its end is cut off, since what
 * stops in the middle is what a parser is asked most. Fails: as the target does; 1 if there
 * was no file at all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { REPLAY_PATH = 4096, REPLAY_CUTS = 16, REPLAY_MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static unsigned replayed;

/* In a block of its exact size, so that a sanitizer sees a read behind it. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void replay_file(const char *path)
{
    static uint8_t bytes[REPLAY_MOST];
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t n = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    fprintf(stderr, "%s: %zu bytes\n", path, n);
    give(bytes, n);
    for (size_t i = 1; i < REPLAY_CUTS && i < n; i++)
        give(bytes, n * i / REPLAY_CUTS);
    replayed++;
}

static void replay(const char *path)
{
    struct dirent **names;
    struct stat st;
    if (stat(path, &st) < 0 && errno == ENOENT)
        return;
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path);
        return;
    }
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char file[REPLAY_PATH];
        (void)snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            replay(file);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

int main(int argc, char **argv)
{
    if (LLVMFuzzerInitialize != NULL)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%u files replayed\n", replayed);
    return replayed > 0 ? 0 : 1;
}
