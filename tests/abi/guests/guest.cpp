// SPDX-License-Identifier: MIT
// guest - guest.c in C++20: lambdas as handlers, strings, exceptions, destructors.   [tests]
#include <remuda.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace
{

const char *language = "C++";

struct Counter {
    std::atomic<unsigned> asked{0};
};

// What may throw runs in here: an exception must not leave a handler.
template <typename Body> int guarded(remuda_ctx *c, Body body)
{
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return 503;
    } catch (const std::exception &error) {
        remuda_log(c, REMUDA_ERROR, "%s", error.what());
        return 500;
    }
}

int text(remuda_ctx *c, const std::string &text)
{
    return remuda_send(c, 200, "text/plain", text.data(), text.size(), REMUDA_COPY);
}

int hello(remuda_ctx *c)
{
    return guarded(c, [c] {
        const char *name = remuda_query(c, "name");
        remuda_set(c, "X-Guest", language);
        return text(c, std::string(remuda_conf(c, "greeting")) + ", " +
                           (name != nullptr ? name : "you") + " from " + language + "\n");
    });
}

int upper(remuda_ctx *c)
{
    return guarded(c, [c] {
        remuda_bytes body;
        int rc = remuda_body(c, &body);
        if (rc < 0)
            return rc;
        auto out = std::make_unique<char[]>(body.n + 1);
        const char *in = static_cast<const char *>(body.p);
        std::transform(in, in + body.n, out.get(), [](char byte) {
            return static_cast<char>(std::toupper(static_cast<unsigned char>(byte)));
        });
        return remuda_send(c, 200, "text/plain", out.release(), body.n,
                           [](void *p) { delete[] static_cast<char *>(p); });
    });
}

int add_twenty_one(remuda_ctx *c, void *arg)
{
    *static_cast<int *>(arg) += 21;
    return remuda_sleep(c, 1);
}

int fan(remuda_ctx *c)
{
    std::array<int, 2> part{};
    std::array task{remuda_spawn(c, REMUDA_ON_LOOP, add_twenty_one, &part[0]),
                    remuda_spawn(c, REMUDA_ON_POOL, add_twenty_one, &part[1])};
    int rc = remuda_wait(c, task.data(), task.size(), REMUDA_ALL, 5000);
    return rc < 0 ? rc : remuda_text(c, 200, "%d\n", part[0] + part[1]);
}

int fail(remuda_ctx *c)
{
    return guarded(c, []() -> int { throw std::runtime_error("thrown in a handler"); });
}

// Thrown on the coroutine's stack, with a wait on either side and a destructor between.
int across(remuda_ctx *c)
{
    bool is_unwound = false;
    struct Mark {
        bool &is_set;
        ~Mark() { is_set = true; }
    };
    try {
        Mark mark{is_unwound};
        if (int rc = remuda_sleep(c, 1); rc < 0)
            return rc;
        throw std::string("over a wait");
    } catch (const std::string &what) {
        int rc = remuda_sleep(c, 1);
        if (rc < 0 || what != "over a wait" || !is_unwound)
            return rc < 0 ? rc : 500;
    }
    return text(c, "caught\n");
}

int later(remuda_ctx *c)
{
    return guarded(c, [c]() -> int {
        std::thread([c] { remuda_finish(c, remuda_text(c, 200, "later\n")); }).detach();
        return REMUDA_PENDING;
    });
}

int start(remuda_ctx *c, void **state)
{
    return guarded(c, [state] {
        *state = new Counter;
        return 0;
    });
}

void stop(remuda_ctx *, void *state)
{
    delete static_cast<Counter *>(state);
}

} // namespace

REMUDA_PLUGIN(.name = "guest", .version = "1",
              REMUDA_ROUTES(
                  REMUDA_GET("/hello", hello), REMUDA_POST("/upper", upper),
                  REMUDA_GET("/nap",
                             [](remuda_ctx *c) {
                                 const char *ms = remuda_query(c, "ms");
                                 int rc = remuda_sleep(
                                     c, static_cast<uint32_t>(std::stoul(ms ? ms : "0")));
                                 return rc < 0 ? rc : text(c, "slept\n");
                             },
                             .mode = REMUDA_ASYNC),
                  REMUDA_GET("/fan", fan, .mode = REMUDA_ASYNC), REMUDA_GET("/fail", fail),
                  REMUDA_GET("/across", across, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/later", later, .mode = REMUDA_EVENT),
                  REMUDA_GET("/count",
                             [](remuda_ctx *c) {
                                 auto *counter = static_cast<Counter *>(remuda_state(c));
                                 return remuda_text(c, 200, "%u\n", counter->asked++);
                             })),
              REMUDA_OPTIONS(REMUDA_OPTION("greeting", REMUDA_STRING, "Howdy",
                                           .help = "what to say")),
              .start = start, .stop = stop);
