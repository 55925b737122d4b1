/* SPDX-License-Identifier: MIT */
/*
 * launch - how this process was started, so that it can be started again.    [master]
 *
 * Owns:    copies of the arrays; the texts lie where the kernel has put them.
 * Called:  by main.c first of all; by upgrade.c for the words of the next image.
 * Fails:   out of memory. A path that cannot be found out is "": then an upgrade says so.
 *
 * A trial is told by a flag, which a program that knows nothing of it refuses; the image
 * that goes on is told by the environment, with its pid, as LISTEN_PID is.
 */
#include "master/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char trial_flag[] = "--upgrade-trial=";
static const char variable[] = "REMUDA_UPGRADE";
static const char self[] = "/proc/self/exe";

/* ---- the binary ---- */

static bool is_running_image(const char *path)
{
    struct stat here, running;

    return path[0] != '\0' && strncmp(path, "/proc/", 6) != 0 && stat(path, &here) == 0 &&
           stat(self, &running) == 0 && here.st_dev == running.st_dev &&
           here.st_ino == running.st_ino;
}

static bool join(char out[static PATH_MAX], const char *directory, size_t n,
                 const char *name)
{
    return snprintf(out, PATH_MAX, "%.*s/%s", (int)n, directory, name) < PATH_MAX;
}

static bool find_from_here(const char *name, char out[static PATH_MAX])
{
    char here[PATH_MAX];

    if (getcwd(here, sizeof(here)) == NULL)
        return false;
    return join(out, here, strlen(here), strncmp(name, "./", 2) == 0 ? name + 2 : name);
}

static bool find_in_path(const char *name, char out[static PATH_MAX])
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        const size_t n = strcspn(path, ":");

        if (n > 0 && join(out, path, n, name) && is_running_image(out))
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

/* The kernel's name for it, when the one we were started by does not lead there. */
static void find_by_kernel(char out[static PATH_MAX])
{
    static const char gone[] = " (deleted)";
    ssize_t n = readlink(self, out, PATH_MAX - 1);

    out[n < 0 ? 0 : n] = '\0';
    n -= (ssize_t)strlen(gone);
    if (n > 0 && strcmp(out + n, gone) == 0)
        out[n] = '\0';
}

/* By the name as given, links in it unresolved: a link that is turned to the next version is
 * how many install. */
static void find_binary(const char *name, char out[static PATH_MAX])
{
    bool is_found;

    out[0] = '\0';
    if (strchr(name, '/') == NULL)
        is_found = find_in_path(name, out);
    else if (name[0] == '/')
        is_found = snprintf(out, PATH_MAX, "%s", name) < PATH_MAX;
    else
        is_found = find_from_here(name, out);
    if (!is_found || !is_running_image(out))
        find_by_kernel(out);
}

/* ---- what we are told ---- */

/* "3,4"; false: no two numbers. */
static bool read_pair(const char *text, char between, long *a, long *b)
{
    char *end;

    *a = strtol(text, &end, 10);
    if (end == text || *end != between || *a < 0 || *a > INT_MAX)
        return false;
    text = end + 1;
    *b = strtol(text, &end, 10);
    return end != text && *end == '\0' && *b >= 0 && *b <= INT_MAX;
}

static void take_flag(struct launch *launch, int *argc, char **argv)
{
    long estate_fd, verdict_fd;

    if (*argc < 2 || strncmp(argv[1], trial_flag, strlen(trial_flag)) != 0 ||
        !read_pair(argv[1] + strlen(trial_flag), ',', &estate_fd, &verdict_fd))
        return;
    launch->estate_fd = (int)estate_fd;
    launch->verdict_fd = (int)verdict_fd;
    memmove(&argv[1], &argv[2], (size_t)(*argc - 1) * sizeof(*argv)); /* the NULL too */
    --*argc;
}

static void take_variable(struct launch *launch)
{
    const char *text = getenv(variable);
    long estate_fd, pid;

    if (text != NULL && launch->verdict_fd < 0 &&
        read_pair(text, ':', &estate_fd, &pid) && pid == (long)getpid())
        launch->estate_fd = (int)estate_fd;
    unsetenv(variable);
}

/* ---- arrays of texts ---- */

static size_t count_texts(char *const *texts)
{
    size_t n = 0;

    while (texts[n] != NULL)
        n++;
    return n;
}

/* A copy of the array with one more text at `at`. */
static char **copy_with(char *const *texts, size_t at, char *text)
{
    const size_t n = count_texts(texts);
    char **copy = calloc(n + 2, sizeof(*copy));

    if (copy == NULL)
        return NULL;
    memcpy(copy, texts, at * sizeof(*copy));
    copy[at] = text;
    memcpy(copy + at + (text != NULL), texts + at, (n - at) * sizeof(*copy));
    return copy;
}

bool launch_note(struct launch *launch, int *argc, char **argv)
{
    static char nameless[] = "remuda";

    *launch = (struct launch){.argv = argv, .estate_fd = -1, .verdict_fd = -1};
    take_flag(launch, argc, argv);
    take_variable(launch);
    find_binary(*argc > 0 ? argv[0] : nameless, launch->binary);
    launch->environment = copy_with(environ, count_texts(environ), NULL);
    return launch->environment != NULL;
}

void launch_fini(struct launch *launch)
{
    free(launch->environment);
    launch->environment = NULL;
}

char **launch_trial_argv(const struct launch *launch, int estate_fd, int verdict_fd,
                         char word[static LAUNCH_WORD])
{
    snprintf(word, LAUNCH_WORD, "%s%d,%d", trial_flag, estate_fd, verdict_fd);
    return copy_with(launch->argv, launch->argv[0] == NULL ? 0 : 1, word);
}

char **launch_next_environment(const struct launch *launch, int estate_fd,
                               char word[static LAUNCH_WORD])
{
    snprintf(word, LAUNCH_WORD, "%s=%d:%ld", variable, estate_fd, (long)getpid());
    return copy_with(launch->environment, 0, word);
}
