/* SPDX-License-Identifier: MIT */
/*
 * lab_spawn - fork and exec of this program.                                [lab]
 *
 * Called:  by lab_server.c.
 * Fails:   before the fork with errno, behind it with exit status 71.
 */
#include "cli/lab_spawn.h"

#include "common/check.h"
#include "common/version.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORDS_MAX = 64, WORD_MAX = PATH_MAX + 32, EXIT_OS = 71 };

static char self[] = "/proc/self/exe";

/* ---- the plugin ---- */

/* Beside the executable where it was built, then where plugins are installed. */
static const char *find_plugin(char out[static PATH_MAX])
{
    static const char installed[] = REMUDA_PLUGIN_DIR "/lab.so";
    static const char beside[] = "plugins/lab.so";
    const ssize_t n = readlink(self, out, PATH_MAX - sizeof(beside));
    char *slash;

    out[n < 0 ? 0 : n] = '\0';
    slash = strrchr(out, '/');
    if (slash != NULL) {
        memcpy(slash + 1, beside, sizeof(beside));
        if (access(out, R_OK) == 0)
            return out;
    }
    return access(installed, R_OK) == 0 ? installed : NULL;
}

bool lab_spawn_has_plugin(const char **missing_out)
{
    char path[PATH_MAX];

    *missing_out = REMUDA_PLUGIN_DIR "/lab.so";
    return find_plugin(path) != NULL;
}

/* ---- the command line ---- */

struct words {
    char *item[WORDS_MAX + 1]; /* NULL at the end */
    size_t count;
    bool is_full;
};

static void add(struct words *words, const char *text)
{
    if (words->count < WORDS_MAX)
        words->item[words->count] = strdup(text);
    if (words->count == WORDS_MAX || words->item[words->count] == NULL)
        words->is_full = true;
    else
        words->count++;
}

static void define(struct words *words, const char *setting, const char *value)
{
    char text[WORD_MAX];

    (void)snprintf(text, sizeof(text), "%s%s", setting, value);
    add(words, "-D");
    add(words, text);
}

static void define_number(struct words *words, const char *setting, unsigned n)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", n == 0 ? 1 : n);
    define(words, setting, text);
}

static void fill_words(struct words *words, const struct lab_shape *shape,
                       const char *address_file)
{
    char path[PATH_MAX];
    const char *plugin = find_plugin(path);

    *words = (struct words){.count = 0};
    add(words, "remuda");
    add(words, "run");
    define(words, "server.listen=", "127.0.0.1:0");
    define(words, "server.address_file=", address_file);
    define(words, "server.class=", shape->klass == NULL ? "thread" : shape->klass);
    define_number(words, "server.workers=", shape->workers);
    define_number(words, "server.threads=", shape->threads);
    define(words, "log.access=", "off");
    for (const char *const *more = shape->more; more != NULL && *more != NULL; more++)
        define(words, *more, "");
    add(words, plugin == NULL ? "lab.so" : plugin);
}

static void free_words(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->item[i]);
}

/* ---- the process ---- */

/* Nothing of ours that would configure it: the experiment alone says what runs. */
static void clean_environment(const char *notify)
{
    static const char *const ours[] = {"REMUDA__", "WATCHDOG_", "LISTEN_",
                                       "RUNTIME_DIRECTORY"};
    char name[256];
    char **item = environ;

    while (*item != NULL) {
        const size_t n = strcspn(*item, "=");
        bool is_ours = false;

        for (size_t i = 0; i < COUNT_OF(ours); i++)
            is_ours = is_ours || strncmp(*item, ours[i], strlen(ours[i])) == 0;
        if (is_ours && n < sizeof(name)) {
            memcpy(name, *item, n);
            name[n] = '\0';
            unsetenv(name);
            item = environ; /* they moved up */
        } else {
            item++;
        }
    }
    setenv("NOTIFY_SOCKET", notify, 1);
}

static _Noreturn void become(struct words *words, const char *notify, const char *log,
                             pid_t parent)
{
    const struct rlimit no_core = {0, 0}; /* some experiments crash on purpose */
    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    setpgid(0, 0);
    setrlimit(RLIMIT_CORE, &no_core);
    clean_environment(notify);
    /* it may have died before the kernel knew that we care */
    if (prctl(PR_SET_PDEATHSIG, SIGQUIT) < 0 || getppid() != parent)
        _exit(EXIT_OS);
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(EXIT_OS);
    execv(self, words->item);
    _exit(EXIT_OS);
}

pid_t lab_spawn(const struct lab_shape *shape, const char *address_file, const char *log,
                const char *notify)
{
    struct words words;
    const pid_t parent = getpid();
    pid_t pid = -1;
    int error;

    fill_words(&words, shape, address_file);
    errno = E2BIG;
    if (!words.is_full)
        pid = fork();
    if (pid == 0)
        become(&words, notify, log, parent);
    error = errno;
    free_words(&words);
    errno = error;
    return pid;
}
