/* SPDX-License-Identifier: MIT */
/*
 * fuzz_conf - any bytes as a config file: loaded or refused, never worse.
 *
 * The bytes are a file in memory, named by its descriptor. What loads must dump, and the
 * dump must load again to the same configuration, save for lines that an ini cannot hold
 * (a reference whose value is longer than a line).
 */
#include "conf/dump.h"
#include "conf/load.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf *load(const void *data, size_t size)
{
    static char *const environment[] = {NULL};
    struct conf_source src = {.environment = environment};
    struct conf_errors errors;
    struct conf *conf = NULL;
    char path[64], refused[128];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    /* a memfd is everyone's, which root refuses to read */
    if (fd == -1 || fchmod(fd, S_IRUSR | S_IWUSR) < 0 ||
        write(fd, data, size) != (ssize_t)size)
        abort();
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    (void)snprintf(refused, sizeof(refused), "%s: refused by the ini parser", path);
    src.file = path;
    if (conf_load(&src, &conf, &errors) == 0 && errors.count != 0)
        abort();
    if (conf == NULL && errors.count == 0)
        abort();
    for (size_t i = 0; i < errors.count; i++) {
        if (strcmp(errors.line[i], refused) == 0)
            abort(); /* our reader lets nothing through that inih does not take */
    }
    conf_errors_fini(&errors);
    (void)close(fd);
    return conf;
}

static void abort_on_change(void *arg, const char *key, const char *running,
                            const char *wanted)
{
    (void)arg;
    (void)fprintf(stderr, "%s: '%s' became '%s'\n", key, running, wanted);
    abort();
}

static void dump(const struct conf *conf, char **out, size_t *n, enum conf_dump_mode mode)
{
    FILE *stream = open_memstream(out, n);

    if (stream == NULL)
        abort();
    conf_dump(stream, conf, mode, true);
    (void)fclose(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *first = load(data, size);
    struct conf *second;
    char *text;
    size_t n;

    if (first == NULL)
        return 0;
    dump(first, &text, &n, CONF_DUMP_JSON);
    free(text);
    dump(first, &text, &n, CONF_DUMP_INI);
    second = load(text, n);
    free(text);
    if (second != NULL) {
        (void)conf_diff(first, second, CONF_RELOAD, abort_on_change, NULL);
        (void)conf_diff(first, second, CONF_RESTART, abort_on_change, NULL);
    }
    conf_destroy(&first);
    conf_destroy(&second);
    return 0;
}
