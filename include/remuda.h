/* SPDX-License-Identifier: MIT */
/*
 * remuda.h - the plugin ABI of remuda, version 1: the only file a plugin includes.
 *
 * Needs:   libc; C99, C11, C17 or C++20; gcc or clang. Nothing to link with.
 *              cc -shared -fPIC hello.c -o hello.so && remuda run ./hello.so
 * Owns:    the layout of everything below. A plugin exports one data symbol,
 *          remuda_plugin_v1; the host checks it, stores its table of functions in the
 *          plugin, and only then calls it. Once released, it grows at its end only.
 * Returns: 0 or a count; an error is -errno. What a plugin returns is read the same way.
 * Threads: a ctx belongs to one thread at a time. remuda_cancelled, remuda_draining,
 *          remuda_log and remuda_finish may be called from any.
 * Memory:  strings from the host are NUL-terminated and live as long as the ctx.
 *
 * docs/PLUGINS.md is the guide; this file is the reference.
 */
#ifndef REMUDA_H
#define REMUDA_H

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define REMUDA_MAGIC     0x52454d55u /* "REMU" */
#define REMUDA_ABI       1           /* must be equal, or the plugin is refused */
#define REMUDA_ABI_MINOR 0           /* of the functions that this header knows */

/* -DREMUDA_NEED_MINOR=0 lets a plugin load into an older host; it then asks REMUDA_HAS
 * before it calls what came later. */
#ifndef REMUDA_NEED_MINOR
#define REMUDA_NEED_MINOR REMUDA_ABI_MINOR
#endif

/* clang-format off */
#ifdef __cplusplus
extern "C" {
#define REMUDA_OPT_ = {} /* this field may be left out */
#define REMUDA_AS_(T, p) static_cast<T>(p)
#define REMUDA_LIST_(T, ...)                                                             \
    [] { static const T list[] = { __VA_ARGS__, {} }; return &list[0]; }()
/* By way of a static: gcc would export the lists as unique symbols, which are one for all
 * plugins of the process. */
#define REMUDA_DEFINE_(...)                                                              \
    static const remuda_plugin remuda_own_ = __VA_ARGS__;                                \
    const remuda_plugin remuda_plugin_v1 = remuda_own_
#else
#define REMUDA_OPT_
#define REMUDA_AS_(T, p) ((T)(p))
#define REMUDA_LIST_(T, ...) (const T[]){ __VA_ARGS__, { 0 } }
#define REMUDA_DEFINE_(...)  const remuda_plugin remuda_plugin_v1 = __VA_ARGS__
#endif

/* ---- types ---------------------------------------------------------------------- */

/* a unit of work: a request, a task, a job, a start or a check */
typedef struct remuda_ctx remuda_ctx;

/* a running sub-operation; lives as long as its parent's ctx */
typedef struct remuda_task remuda_task;
/* a limit of concurrency, per worker and plugin section */
typedef struct remuda_sem remuda_sem;

typedef struct remuda_bytes {
    const void *p;
    size_t n; /* bytes */
} remuda_bytes;

/** Answers a request. 0: answered; 400 to 599: the host's error page; REMUDA_PENDING: in
 *  EVENT mode only; -errno: 500 and one log line (-ETIMEDOUT: 504, -EMSGSIZE: 413,
 *  -ECANCELED: nothing, the client has gone). Anything else, or 0 without an answer, is a
 *  bug: 500 and a log line that says so. */
typedef int (*remuda_handler)(remuda_ctx *c);

/** A task. 0 or -errno. */
typedef int (*remuda_fn)(remuda_ctx *c, void *arg);

/** A job in a process of its own. *out from remuda_alloc. 0 or -errno. */
typedef int (*remuda_job_fn)(remuda_ctx *c, remuda_bytes in, remuda_bytes *out);

/** Gives memory back; the host may call it from any thread. */
typedef void (*remuda_free_fn)(void *p);

/* For remuda_send, in the place of a free function: copied at once, always right; neither
 * copied nor freed, for constants and remuda_alloc. */
#ifdef __cplusplus
#define REMUDA_COPY   (static_cast<remuda_free_fn>(nullptr))
#define REMUDA_STATIC (reinterpret_cast<remuda_free_fn>(static_cast<intptr_t>(-1)))
#else
#define REMUDA_COPY   ((remuda_free_fn)0)
#define REMUDA_STATIC ((remuda_free_fn)(intptr_t)-1)
#endif

/* How a handler runs: one of the first three, with flags. */
enum {
    REMUDA_SYNC = 0,        /* may block: holds a slot, and a thread of the worker */
    REMUDA_ASYNC = 1,       /* a coroutine on the loop: waits suspend it; never block */
    REMUDA_EVENT = 2,       /* a callback on the loop: must not wait; may answer later */
    REMUDA_STREAM_IN = 256, /* start when the head is in; remuda_read the body */
    REMUDA_LONG = 512       /* endless by nature: a drain ends waits by -ESHUTDOWN */
};
enum { REMUDA_PENDING = 1 }; /* what an EVENT handler returns that will remuda_finish */

/* What remuda_get tells. */
enum {
    REMUDA_METHOD,
    REMUDA_PATH,    /* percent-decoded, without dot segments (RFC 3986, 5.2.4) */
    REMUDA_QUERY,   /* as it was sent, without the question mark */
    REMUDA_SCHEME,  /* "http", or "https" where a trusted proxy says so */
    REMUDA_PEER,    /* address of the client, without its port; "" on a unix socket */
    REMUDA_ID,      /* of this request: the log lines have it too */
    REMUDA_TARGET,  /* as it was sent (RFC 9112, 3.2) */
    REMUDA_PATTERN, /* the route that matched, with its mount */
    REMUDA_ROLE,    /* of this process: "worker", "job" or "check" */
    REMUDA_HOST     /* what the client asked: by a trusted proxy, the target, or Host */
};

enum { REMUDA_ON_LOOP, REMUDA_ON_POOL };                 /* where a task runs */
enum { REMUDA_ALL, REMUDA_ANY };                         /* what remuda_wait waits for */
enum { REMUDA_READABLE = 1, REMUDA_WRITABLE = 2 };       /* events of remuda_ready */
enum { REMUDA_ERROR = 3, REMUDA_WARN = 4, REMUDA_INFO = 6, REMUDA_DEBUG = 7 }; /* log */
#define REMUDA_FOREVER UINT32_MAX                        /* for every `ms`: no limit */

/* Types of options: any text, "42", "yes", "16m" (bytes), "1500ms" or "2s". */
enum { REMUDA_STRING, REMUDA_INT, REMUDA_BOOL, REMUDA_SIZE, REMUDA_DURATION };

/* ---- what a plugin declares; each list ends with an element of zeros ------------- */

typedef struct remuda_route {
    const char *method REMUDA_OPT_; /* "GET" answers HEAD too */
    const char *path REMUDA_OPT_;   /* "/users/:id", "/files/" followed by *rest */
    remuda_handler fn REMUDA_OPT_;
    uint32_t mode REMUDA_OPT_;
    uint32_t reserved REMUDA_OPT_;
    void *arg REMUDA_OPT_;          /* for remuda_arg */
} remuda_route;

typedef struct remuda_option {
    const char *name REMUDA_OPT_;
    uint32_t type REMUDA_OPT_;
    uint32_t reserved REMUDA_OPT_;
    const char *fallback REMUDA_OPT_; /* NULL: the key is required */
    const char *help REMUDA_OPT_;     /* one line */
} remuda_option;

typedef struct remuda_job {
    const char *name REMUDA_OPT_;
    remuda_job_fn fn REMUDA_OPT_;
} remuda_job;

/* ---- what the host gives: append only, no entry is NULL -------------------------- */
/* What a host has not built yet answers -ENOSYS. Plugins call the functions below it. */

typedef struct remuda_api {
    size_t size;         /* of the host's table */
    uint32_t abi, minor; /* of the host */
    const char *(*get)(remuda_ctx *, int what);
    const char *(*header)(remuda_ctx *, const char *name);
    int (*header_at)(remuda_ctx *, size_t i, const char **name, const char **value);
    const char *(*query)(remuda_ctx *, const char *name);
    const char *(*param)(remuda_ctx *, const char *name);
    int (*body)(remuda_ctx *, remuda_bytes *out);
    int64_t (*read)(remuda_ctx *, void *buf, size_t n);
    int (*set)(remuda_ctx *, const char *name, const char *value);
    int (*add)(remuda_ctx *, const char *name, const char *value);
    int (*send)(remuda_ctx *, int status, const char *type, const void *p, size_t n,
                remuda_free_fn own);
    int (*file)(remuda_ctx *, int status, const char *type, int fd, uint64_t off,
                uint64_t n);
    int (*begin)(remuda_ctx *, int status, const char *type);
    int (*write)(remuda_ctx *, const void *p, size_t n);
    int (*event)(remuda_ctx *, const char *name, const char *data, size_t n);
    int (*sleep)(remuda_ctx *, uint32_t ms);
    int (*ready)(remuda_ctx *, int fd, int events, uint32_t ms);
    remuda_task *(*spawn)(remuda_ctx *, int where, remuda_fn fn, void *arg);
    int (*wait)(remuda_ctx *, remuda_task *const *t, size_t n, int how, uint32_t ms);
    int (*result)(remuda_task *);
    int (*deadline)(remuda_ctx *, uint32_t ms);
    int (*cancelled)(remuda_ctx *);
    int (*draining)(remuda_ctx *);
    remuda_sem *(*sem)(remuda_ctx *, const char *name, uint32_t permits);
    int (*acquire)(remuda_ctx *, remuda_sem *, uint32_t ms);
    void (*release)(remuda_ctx *, remuda_sem *);
    int (*call)(remuda_ctx *, const char *job, remuda_bytes in, remuda_bytes *out,
                uint32_t ms);
    void (*finish)(remuda_ctx *, int rc);
    void *(*alloc)(remuda_ctx *, size_t n);
    size_t (*mark)(remuda_ctx *);
    void (*rewind)(remuda_ctx *, size_t mark);
    void (*cleanup)(remuda_ctx *, remuda_free_fn fn, void *p);
    const char *(*conf)(remuda_ctx *, const char *name);
    int64_t (*conf_num)(remuda_ctx *, const char *name);
    void *(*state)(remuda_ctx *);
    void *(*arg)(remuda_ctx *);
    void (*log)(remuda_ctx *, int level, const char *msg);
    void *(*loop)(remuda_ctx *);
} remuda_api;

/* ---- what the plugin gives; in C++ keep the fields in this order ----------------- */

typedef struct remuda_plugin {
    uint32_t magic, size;
    uint16_t abi, need_minor;
    uint16_t route_size, option_size, job_size; /* strides: elements may grow */
    uint16_t reserved[3] REMUDA_OPT_;
    const remuda_api **api; /* the host stores its table here before any call */
    const char *name REMUDA_OPT_;
    const char *version REMUDA_OPT_;
    const remuda_route *routes REMUDA_OPT_;
    const remuda_option *options REMUDA_OPT_; /* keys of its [plugin] section */
    const remuda_job *jobs REMUDA_OPT_;       /* what remuda_call may run */
    /** Rules between keys: 0, or -errno after a remuda_log that says what is wrong. In
     *  a throw-away process, without start. */
    int (*check)(remuda_ctx *c) REMUDA_OPT_;
    /** Once per process, on its loop thread, before any request. *state is what
     *  remuda_state returns. 0, or -errno: the worker does not start, and a reload
     *  changes nothing. */
    int (*start)(remuda_ctx *c, void **state) REMUDA_OPT_;
    /** Once per process, on its loop thread, after the last request. */
    void (*stop)(remuda_ctx *c, void *state) REMUDA_OPT_;
} remuda_plugin;

#define REMUDA_EXPORT __attribute__((visibility("default")))
extern __attribute__((visibility("hidden"))) const remuda_api *remuda_api_;
extern REMUDA_EXPORT const remuda_plugin remuda_plugin_v1; /* the only exported symbol */

/*  REMUDA_PLUGIN(.name = "hello",
 *      REMUDA_ROUTES(
 *          REMUDA_GET("/hello", hello),
 *          REMUDA_POST("/users/:id", post_user, .mode = REMUDA_ASYNC)));  */
#define REMUDA_PLUGIN(...)                                                               \
    const remuda_api *remuda_api_;                                                       \
    REMUDA_DEFINE_({ .magic = REMUDA_MAGIC, .size = sizeof(remuda_plugin),               \
        .abi = REMUDA_ABI, .need_minor = REMUDA_NEED_MINOR,                              \
        .route_size = sizeof(remuda_route), .option_size = sizeof(remuda_option),        \
        .job_size = sizeof(remuda_job), .api = &remuda_api_, __VA_ARGS__ })

#define REMUDA_ROUTES(...)  .routes  = REMUDA_LIST_(remuda_route,  __VA_ARGS__)
#define REMUDA_OPTIONS(...) .options = REMUDA_LIST_(remuda_option, __VA_ARGS__)
#define REMUDA_JOBS(...)    .jobs    = REMUDA_LIST_(remuda_job,    __VA_ARGS__)

#define REMUDA_GET(path, ...)          REMUDA_ROUTE("GET",    path, __VA_ARGS__)
#define REMUDA_POST(path, ...)         REMUDA_ROUTE("POST",   path, __VA_ARGS__)
#define REMUDA_PUT(path, ...)          REMUDA_ROUTE("PUT",    path, __VA_ARGS__)
#define REMUDA_DELETE(path, ...)       REMUDA_ROUTE("DELETE", path, __VA_ARGS__)
#define REMUDA_ROUTE(verb, at, ...)    { .method = verb, .path = at, .fn = __VA_ARGS__ }
#define REMUDA_OPTION(key, kind, ...)                                                    \
    { .name = key, .type = kind, .fallback = __VA_ARGS__ }
#define REMUDA_JOB(job, function)      { .name = job, .fn = function }

/** Does the host that runs us have this function? For -DREMUDA_NEED_MINOR. */
#define REMUDA_HAS(f)                                                                    \
    (offsetof(remuda_api, f) + sizeof remuda_api_->f <= remuda_api_->size)

#define REMUDA_FN_ static inline

/* ---- the request; tasks may ask too ---------------------------------------------- */

/** One of REMUDA_METHOD to REMUDA_HOST; "" if unknown. Never NULL. */
REMUDA_FN_ const char *remuda_get(remuda_ctx *c, int what)
{ return remuda_api_->get(c, what); }
/** A request header by name in any case; repeated ones are joined by ", " (RFC 9110,
 *  5.3). NULL: absent. */
REMUDA_FN_ const char *remuda_header(remuda_ctx *c, const char *name)
{ return remuda_api_->header(c, name); }
/** The i-th header line as it came, from 0. -ENOENT past the last. */
REMUDA_FN_ int remuda_header_at(remuda_ctx *c, size_t i, const char **name,
                                const char **value)
{ return remuda_api_->header_at(c, i, name, value); }
/** The first value of that name in the query string, decoded. NULL: absent. */
REMUDA_FN_ const char *remuda_query(remuda_ctx *c, const char *name)
{ return remuda_api_->query(c, name); }
/** A variable of the route's path (":id", "*rest": without its mark). NULL: no such
 *  variable. */
REMUDA_FN_ const char *remuda_param(remuda_ctx *c, const char *name)
{ return remuda_api_->param(c, name); }
/** The whole body, without its framing; out->p is never NULL and lives as long as c.
 *  Waits and fails as remuda_read does; -EALREADY after one in REMUDA_STREAM_IN. */
REMUDA_FN_ int remuda_body(remuda_ctx *c, remuda_bytes *out)
{ return remuda_api_->body(c, out); }
/** The next piece of the body, at most n bytes: the count, 0 at the end, or -errno. Waits
 *  in REMUDA_STREAM_IN; after what has come -ECANCELED (the client has left), -ETIMEDOUT
 *  (body_timeout), -EMSGSIZE, -EPROTO (chunks). -EBUSY: another task reads. */
REMUDA_FN_ int64_t remuda_read(remuda_ctx *c, void *buf, size_t n)
{ return remuda_api_->read(c, buf, n); }

/* ---- the response ---------------------------------------------------------------- */
/* Of a request's ctx only: -EPERM in a task. -EALREADY for a second one; -ETIMEDOUT once
 * the host has answered 504. Framing is the host's: Content-Length, Transfer-Encoding,
 * Date, Connection, and no body for HEAD, 204 and 304 (RFC 9112, 6.3). `type` is the
 * Content-Type; NULL: none. */

/** Replaces a header; before send, file or begin. -EINVAL for a name that is no token,
 *  for CR, LF or NUL, and for the host's own fields. */
REMUDA_FN_ int remuda_set(remuda_ctx *c, const char *name, const char *value)
{ return remuda_api_->set(c, name, value); }
/** One more line of that name: Set-Cookie, Link. Errors as above. */
REMUDA_FN_ int remuda_add(remuda_ctx *c, const char *name, const char *value)
{ return remuda_api_->add(c, name, value); }
/** A complete response of n bytes. From here on they are the host's, even on error:
 *  `own` is REMUDA_COPY, REMUDA_STATIC or the function that frees p. */
REMUDA_FN_ int remuda_send(remuda_ctx *c, int status, const char *type, const void *p,
                           size_t n, remuda_free_fn own)
{ return remuda_api_->send(c, status, type, p, n, own); }
/** A complete response of n bytes of an open regular file, from `off`. The host closes
 *  fd, even on error. */
REMUDA_FN_ int remuda_file(remuda_ctx *c, int status, const char *type, int fd,
                           uint64_t off, uint64_t n)
{ return remuda_api_->file(c, status, type, fd, off, n); }
/** Starts a streamed response. It ends well when the handler returns 0; otherwise the
 *  connection is cut, so that the client can tell. */
REMUDA_FN_ int remuda_begin(remuda_ctx *c, int status, const char *type)
{ return remuda_api_->begin(c, status, type); }
/** Streams n bytes, all of them: waits while the client is slow. -ECANCELED once it has
 *  gone. */
REMUDA_FN_ int remuda_write(remuda_ctx *c, const void *p, size_t n)
{ return remuda_api_->write(c, p, n); }

/* ---- waiting --------------------------------------------------------------------- */
/* Suspends an ASYNC handler, blocks the thread of a SYNC one, is -EDEADLK in EVENT. A
 * wait ends with -ECANCELED when the client has gone or request_timeout is over, with
 * -ETIMEDOUT at the deadline.
 * `ms` are milliseconds, or REMUDA_FOREVER. */

/** Waits that long; 0 lets others run. */
REMUDA_FN_ int remuda_sleep(remuda_ctx *c, uint32_t ms)
{ return remuda_api_->sleep(c, ms); }
/** Waits until fd is REMUDA_READABLE or _WRITABLE: the events seen, or -ETIMEDOUT. fd
 *  stays the plugin's. */
REMUDA_FN_ int remuda_ready(remuda_ctx *c, int fd, int events, uint32_t ms)
{ return remuda_api_->ready(c, fd, events, ms); }
/** Starts fn on the loop, as a coroutine, or on a thread of the pool. Never NULL:
 *  result has the error. */
REMUDA_FN_ remuda_task *remuda_spawn(remuda_ctx *c, int where, remuda_fn fn, void *arg)
{ return remuda_api_->spawn(c, where, fn, arg); }
/** REMUDA_ALL: 0 or the first error; REMUDA_ANY: the index that ended first. Cancels
 *  the others and joins them before it returns, so their args may live on the caller's
 *  stack. */
REMUDA_FN_ int remuda_wait(remuda_ctx *c, remuda_task *const *t, size_t n, int how,
                           uint32_t ms)
{ return remuda_api_->wait(c, t, n, how, ms); }
/** What an ended task returned; -EINPROGRESS before. */
REMUDA_FN_ int remuda_result(remuda_task *t)
{ return remuda_api_->result(t); }
/** From now on every wait of c and of its tasks fails with -ETIMEDOUT after ms. Only
 *  ever shortens. */
REMUDA_FN_ int remuda_deadline(remuda_ctx *c, uint32_t ms)
{ return remuda_api_->deadline(c, ms); }
/** 0, or the -errno that the next wait would return: for loops that compute. Any
 *  thread, until c ends. */
REMUDA_FN_ int remuda_cancelled(remuda_ctx *c)
{ return remuda_api_->cancelled(c); }
/** 1 when this process goes away soon: a long handler should come to an end. Any
 *  thread. */
REMUDA_FN_ int remuda_draining(remuda_ctx *c)
{ return remuda_api_->draining(c); }
/** The semaphore of that name; the first call makes it. Another number later is only
 *  logged. */
REMUDA_FN_ remuda_sem *remuda_semaphore(remuda_ctx *c, const char *name,
                                        uint32_t permits)
{ return remuda_api_->sem(c, name, permits); }
/** Takes a permit, first come first served; it goes back by release, or when c ends. */
REMUDA_FN_ int remuda_acquire(remuda_ctx *c, remuda_sem *s, uint32_t ms)
{ return remuda_api_->acquire(c, s, ms); }
/** Gives back a permit that c holds. */
REMUDA_FN_ void remuda_release(remuda_ctx *c, remuda_sem *s)
{ remuda_api_->release(c, s); }
/** Runs a declared job in a process of its own, which is killed at the time limit.
 *  -ECONNRESET: it crashed. */
REMUDA_FN_ int remuda_call(remuda_ctx *c, const char *job, remuda_bytes in,
                           remuda_bytes *out, uint32_t ms)
{ return remuda_api_->call(c, job, in, out, ms); }
/** EVENT: gives c back, exactly once, with what a handler returns; from any thread,
 *  even before the handler has returned REMUDA_PENDING. c is gone after it. */
REMUDA_FN_ void remuda_finish(remuda_ctx *c, int rc)
{ remuda_api_->finish(c, rc); }

/* ---- memory, configuration, state ------------------------------------------------ */

/** n bytes, 16-byte aligned, freed with c. Never NULL; out of memory ends the worker. */
REMUDA_FN_ void *remuda_alloc(remuda_ctx *c, size_t n)
{ return remuda_api_->alloc(c, n); }
/** How full that memory is, for the next one: for handlers that run for hours. */
REMUDA_FN_ size_t remuda_mark(remuda_ctx *c)
{ return remuda_api_->mark(c); }
/** Frees what was allocated since the mark. */
REMUDA_FN_ void remuda_rewind(remuda_ctx *c, size_t mark)
{ remuda_api_->rewind(c, mark); }
/** Calls fn(p) when c ends; last registered, first called. */
REMUDA_FN_ void remuda_cleanup(remuda_ctx *c, remuda_free_fn fn, void *p)
{ remuda_api_->cleanup(c, fn, p); }
/** A declared option of this plugin's section, or its fallback; checked before start.
 *  NULL if it was not declared. */
REMUDA_FN_ const char *remuda_conf(remuda_ctx *c, const char *name)
{ return remuda_api_->conf(c, name); }
/** The same as a number: bytes for SIZE, milliseconds for DURATION, 0 or 1 for BOOL. */
REMUDA_FN_ int64_t remuda_conf_num(remuda_ctx *c, const char *name)
{ return remuda_api_->conf_num(c, name); }
/** What start stored: one per plugin section and process. Static variables are shared
 *  by all sections that load the same file. */
REMUDA_FN_ void *remuda_state(remuda_ctx *c)
{ return remuda_api_->state(c); }
/** The route's arg. */
REMUDA_FN_ void *remuda_arg(remuda_ctx *c)
{ return remuda_api_->arg(c); }
/** This worker's struct ev_loop *; NULL off the loop thread. Not covered by the ABI's
 *  promise. */
REMUDA_FN_ void *remuda_loop(remuda_ctx *c)
{ return remuda_api_->loop(c); }

/* ---- formatting, on top of the above: no varargs cross the ABI ------------------- */

/** vprintf into the arena. */
__attribute__((format(printf, 2, 0), nonnull(2)))
REMUDA_FN_ remuda_bytes remuda_vformat(remuda_ctx *c, const char *format, va_list ap)
{
    remuda_bytes b = { "", 0 };
    va_list again;
    char *text;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n <= 0)
        return b;
    text = REMUDA_AS_(char *, remuda_alloc(c, REMUDA_AS_(size_t, n) + 1));
    vsnprintf(text, REMUDA_AS_(size_t, n) + 1, format, ap);
    b.p = text;
    b.n = REMUDA_AS_(size_t, n);
    return b;
}

/** printf into the arena; lives as long as c. */
__attribute__((format(printf, 2, 3), nonnull(2)))
REMUDA_FN_ const char *remuda_format(remuda_ctx *c, const char *format, ...)
{
    remuda_bytes b;
    va_list ap;

    va_start(ap, format);
    b = remuda_vformat(c, format, ap);
    va_end(ap);
    return REMUDA_AS_(const char *, b.p);
}

/** A complete response of text/plain, UTF-8. Returns as remuda_send. */
__attribute__((format(printf, 3, 4), nonnull(3)))
REMUDA_FN_ int remuda_text(remuda_ctx *c, int status, const char *format, ...)
{
    remuda_bytes b;
    va_list ap;

    va_start(ap, format);
    b = remuda_vformat(c, format, ap);
    va_end(ap);
    return remuda_send(c, status, "text/plain; charset=utf-8", b.p, b.n, REMUDA_STATIC);
}

/** One server-sent event, after a begin if there was none. Each line of the text, however
 *  it ends, is one of data; `name` may be NULL; -EINVAL with CR or LF. Leaves the arena as
 *  it found it. Otherwise as remuda_write. */
__attribute__((format(printf, 3, 4), nonnull(3)))
REMUDA_FN_ int remuda_event(remuda_ctx *c, const char *name, const char *format, ...)
{
    size_t mark = remuda_mark(c);
    remuda_bytes b;
    va_list ap;
    int rc;

    va_start(ap, format);
    b = remuda_vformat(c, format, ap);
    va_end(ap);
    rc = remuda_api_->event(c, name, REMUDA_AS_(const char *, b.p), b.n);
    remuda_rewind(c, mark);
    return rc;
}

/** One log line, at most 1,023 bytes, with plugin, worker and request id. Any thread. */
__attribute__((format(printf, 3, 4), nonnull(3)))
REMUDA_FN_ void remuda_log(remuda_ctx *c, int level, const char *format, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    remuda_api_->log(c, level, text);
}

#undef REMUDA_FN_
#undef REMUDA_OPT_
#undef REMUDA_AS_
#ifdef __cplusplus
}
#endif
/* clang-format on */
#endif
