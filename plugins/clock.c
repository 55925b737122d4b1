/* SPDX-License-Identifier: MIT */
/*
 * clock - the time, once a second, as server-sent events.
 *
 * GET /time     an event "time" each second, until the client leaves; "bye" when the worker does
 * GET /clock    a page that shows it
 *
 * In a browser: new EventSource("/time"). It comes back by itself after "bye".
 */
#include <remuda.h>

#include <time.h>

static int tell(remuda_ctx *c)
{
    int rc = 0;

    while (rc == 0) {
        char text[32];
        struct tm now;
        time_t seconds = time(NULL);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &now));
        rc = remuda_event(c, "time", "%s", text);
        if (rc == 0)
            rc = remuda_sleep(c, 1000);
    }
    return rc == -ESHUTDOWN ? remuda_event(c, "bye", "%s", "until soon") : rc;
}

static int page(remuda_ctx *c)
{
    static const char html[] =
        "<!doctype html><meta charset=utf-8><title>clock</title><h1 id=t>...</h1>\n"
        "<script>\n"
        "new EventSource('time').addEventListener('time',\n"
        "    e => document.getElementById('t').textContent = e.data);\n"
        "</script>\n";

    return remuda_send(c, 200, "text/html; charset=utf-8", html, sizeof html - 1,
                       REMUDA_STATIC);
}

REMUDA_PLUGIN(.name = "clock",
              REMUDA_ROUTES(REMUDA_GET("/time", tell, .mode = REMUDA_ASYNC | REMUDA_LONG),
                            REMUDA_GET("/clock", page, .mode = REMUDA_ASYNC)));
