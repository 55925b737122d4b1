/* SPDX-License-Identifier: MIT */
/*
 * check_plugins - from [plugin NAME] sections to files and struct conf_plugin.   [master]
 *
 * Owns:    nothing.
 * Called:  by load.c.
 * Fails:   each mistake is noted at the section, or its path. What is in the file is for
 *          the worker to judge: the master never looks into it.
 */
#include "conf/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void refuse(struct conf_book *book, const struct book_plugin *plugin,
                   enum mistake mistake, const char *a, const char *b)
{
    const struct setting *path = &plugin->setting[PLUGIN_OPTION_path];
    struct place place = {&path->origin,
                          book_join(book, "plugin", " ", plugin->value.name), "path"};

    if (path->origin.from == CONF_FROM_DEFAULT)
        place.origin = &plugin->value.origin;
    mistake_add(book->errors, &place, mistake, a, b);
}

/* NULL, or why the file cannot be a plugin. */
static const char *examine(const char *path)
{
    struct stat st;

    if (stat(path, &st) == -1)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "not a regular file";
    return access(path, R_OK) == -1 ? strerror(errno) : NULL;
}

/* A name of the ini counts from its directory, one of the command line from ours. */
static const char *make_absolute(struct conf_book *book, const struct conf_origin *origin,
                                 const char *path)
{
    char here[4096];
    const char *slash =
        origin->from == CONF_FROM_FILE ? strrchr(origin->name, '/') : NULL;
    const char *base = getcwd(here, sizeof(here));

    if (path[0] == '/')
        return path;
    if (strncmp(path, "./", 2) == 0)
        path += 2;
    if (slash != NULL)
        base = book_copy_n(book, origin->name, (size_t)(slash - origin->name));
    return base != NULL ? book_join(book, base, "/", path) : path;
}

static const char *search(struct conf_book *book, const char *name)
{
    const struct conf_list *directories = &book->conf->server.plugin_path;
    struct stat st;

    for (size_t i = 0; i < directories->count; i++) {
        const char *path =
            book_join(book, directories->item[i], "/", book_join(book, name, ".so", ""));

        if (stat(path, &st) == 0)
            return path;
    }
    return NULL;
}

/* hello is a name; hello.so, ./hello and /usr/lib/x/hello.so are files. */
static bool is_name(const char *path)
{
    size_t n = strlen(path);

    return strchr(path, '/') == NULL && (n < 3 || strcmp(path + n - 3, ".so") != 0);
}

static void find_file(struct conf_book *book, struct book_plugin *plugin)
{
    struct setting *setting = &plugin->setting[PLUGIN_OPTION_path];
    const char *written = plugin->value.path;
    const char *path;
    const char *wrong;

    if (written[0] == '\0') {
        refuse(book, plugin, MISTAKE_PLUGIN_NO_PATH, NULL, NULL);
        return;
    }
    if (book->is_retold)
        return; /* found and absolute; a generation that runs has its own copy of it */
    path = is_name(written) ? search(book, written)
                            : make_absolute(book, &setting->origin, written);
    if (path == NULL) {
        refuse(book, plugin, MISTAKE_PLUGIN_NOT_FOUND, written,
               book->setting[OPTION_server_plugin_path].text);
        return;
    }
    wrong = examine(path);
    if (wrong != NULL)
        refuse(book, plugin, MISTAKE_PLUGIN_FILE, path, wrong);
    plugin->value.path = path;
    setting->text = path; /* a dump may be loaded from another directory */
}

static void inherit_limits(const struct conf_limits *limits, struct book_plugin *plugin)
{
    if (plugin->setting[PLUGIN_OPTION_body].text[0] == '\0')
        plugin->value.body_bytes = limits->body_bytes;
    if (plugin->setting[PLUGIN_OPTION_body_timeout].text[0] == '\0')
        plugin->value.body_timeout_ms = limits->body_timeout_ms;
    if (plugin->setting[PLUGIN_OPTION_body_min_rate].text[0] == '\0')
        plugin->value.body_min_rate_bytes = limits->body_min_rate_bytes;
    if (plugin->setting[PLUGIN_OPTION_request_timeout].text[0] == '\0')
        plugin->value.request_timeout_ms = limits->request_timeout_ms;
}

void check_plugins(struct conf_book *book)
{
    struct conf_origin file = {CONF_FROM_FILE, book->conf->file, 0};
    struct place place = {.origin = book->conf->file[0] != '\0' ? &file : NULL};
    struct conf_plugin *all = book_alloc(book, (book->plugin_count + 1) * sizeof(*all));
    char count[24];

    if (book->plugin_count == 0)
        mistake_add(book->errors, &place, MISTAKE_NO_PLUGIN, NULL, NULL);
    if (book->plugin_count > BOOK_PLUGINS) {
        (void)snprintf(count, sizeof(count), "%zu", book->plugin_count);
        mistake_add(book->errors, &place, MISTAKE_PLUGIN_COUNT, count, "1 to 64");
    }
    for (size_t i = 0; all != NULL && i < book->plugin_count; i++) {
        struct book_plugin *plugin = book->plugin[i];

        find_file(book, plugin);
        inherit_limits(&book->conf->limits, plugin);
        plugin->value.options = (struct conf_pairs){plugin->own.item, plugin->own.count};
        all[i] = plugin->value;
    }
    book->conf->plugins = (struct conf_plugins){all, book->plugin_count};
}
