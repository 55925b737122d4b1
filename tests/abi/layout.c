/* SPDX-License-Identifier: MIT */
/*
 * layout - prints every size, offset and constant of include/remuda.h, one a line; abi.py
 * compares them with abi.golden. A changed line is a broken ABI; new lines at the end of
 * remuda_api are how it grows.
 */
#include <remuda.h>

#define STRUCT(T)   printf("%s %zu\n", #T, sizeof(T))
#define FIELD(T, f) printf("%s.%s %zu %zu\n", #T, #f, offsetof(T, f), sizeof(((T *)0)->f))
#define VALUE(v)    printf("%s %llu\n", #v, (unsigned long long)(v))

static void print_declarations(void)
{
    STRUCT(remuda_bytes);
    FIELD(remuda_bytes, p);
    FIELD(remuda_bytes, n);
    STRUCT(remuda_route);
    FIELD(remuda_route, method);
    FIELD(remuda_route, path);
    FIELD(remuda_route, fn);
    FIELD(remuda_route, mode);
    FIELD(remuda_route, reserved);
    FIELD(remuda_route, arg);
    STRUCT(remuda_option);
    FIELD(remuda_option, name);
    FIELD(remuda_option, type);
    FIELD(remuda_option, reserved);
    FIELD(remuda_option, fallback);
    FIELD(remuda_option, help);
    STRUCT(remuda_job);
    FIELD(remuda_job, name);
    FIELD(remuda_job, fn);
}

static void print_plugin(void)
{
    STRUCT(remuda_plugin);
    FIELD(remuda_plugin, magic);
    FIELD(remuda_plugin, size);
    FIELD(remuda_plugin, abi);
    FIELD(remuda_plugin, need_minor);
    FIELD(remuda_plugin, route_size);
    FIELD(remuda_plugin, option_size);
    FIELD(remuda_plugin, job_size);
    FIELD(remuda_plugin, reserved);
    FIELD(remuda_plugin, api);
    FIELD(remuda_plugin, name);
    FIELD(remuda_plugin, version);
    FIELD(remuda_plugin, routes);
    FIELD(remuda_plugin, options);
    FIELD(remuda_plugin, jobs);
    FIELD(remuda_plugin, check);
    FIELD(remuda_plugin, start);
    FIELD(remuda_plugin, stop);
}

static void print_values(void)
{
    VALUE(REMUDA_MAGIC);
    VALUE(REMUDA_ABI);
    VALUE(REMUDA_FOREVER);
    VALUE((uintptr_t)REMUDA_COPY);
    VALUE((uintptr_t)REMUDA_STATIC);
    VALUE(REMUDA_SYNC);
    VALUE(REMUDA_ASYNC);
    VALUE(REMUDA_EVENT);
    VALUE(REMUDA_STREAM_IN);
    VALUE(REMUDA_LONG);
    VALUE(REMUDA_PENDING);
    VALUE(REMUDA_METHOD);
    VALUE(REMUDA_PATH);
    VALUE(REMUDA_QUERY);
    VALUE(REMUDA_SCHEME);
    VALUE(REMUDA_PEER);
    VALUE(REMUDA_ID);
    VALUE(REMUDA_TARGET);
    VALUE(REMUDA_PATTERN);
    VALUE(REMUDA_ROLE);
    VALUE(REMUDA_HOST);
    VALUE(REMUDA_ON_LOOP);
    VALUE(REMUDA_ON_POOL);
    VALUE(REMUDA_ALL);
    VALUE(REMUDA_ANY);
    VALUE(REMUDA_READABLE);
    VALUE(REMUDA_WRITABLE);
    VALUE(REMUDA_STRING);
    VALUE(REMUDA_INT);
    VALUE(REMUDA_BOOL);
    VALUE(REMUDA_SIZE);
    VALUE(REMUDA_DURATION);
    VALUE(REMUDA_ERROR);
    VALUE(REMUDA_WARN);
    VALUE(REMUDA_INFO);
    VALUE(REMUDA_DEBUG);
}

/* Last, because it grows; so its size is not printed. */
static void print_api(void)
{
    FIELD(remuda_api, size);
    FIELD(remuda_api, abi);
    FIELD(remuda_api, minor);
    FIELD(remuda_api, get);
    FIELD(remuda_api, header);
    FIELD(remuda_api, header_at);
    FIELD(remuda_api, query);
    FIELD(remuda_api, param);
    FIELD(remuda_api, body);
    FIELD(remuda_api, read);
    FIELD(remuda_api, set);
    FIELD(remuda_api, add);
    FIELD(remuda_api, send);
    FIELD(remuda_api, file);
    FIELD(remuda_api, begin);
    FIELD(remuda_api, write);
    FIELD(remuda_api, event);
    FIELD(remuda_api, sleep);
    FIELD(remuda_api, ready);
    FIELD(remuda_api, spawn);
    FIELD(remuda_api, wait);
    FIELD(remuda_api, result);
    FIELD(remuda_api, deadline);
    FIELD(remuda_api, cancelled);
    FIELD(remuda_api, draining);
    FIELD(remuda_api, sem);
    FIELD(remuda_api, acquire);
    FIELD(remuda_api, release);
    FIELD(remuda_api, call);
    FIELD(remuda_api, finish);
    FIELD(remuda_api, alloc);
    FIELD(remuda_api, mark);
    FIELD(remuda_api, rewind);
    FIELD(remuda_api, cleanup);
    FIELD(remuda_api, conf);
    FIELD(remuda_api, conf_num);
    FIELD(remuda_api, state);
    FIELD(remuda_api, arg);
    FIELD(remuda_api, log);
    FIELD(remuda_api, loop);
    /* nothing may follow that is not above */
    _Static_assert(offsetof(remuda_api, loop) + sizeof(void *) == sizeof(remuda_api),
                   "print the new entries too, after loop");
}

int main(void)
{
    print_declarations();
    print_plugin();
    print_values();
    print_api();
    return 0;
}
