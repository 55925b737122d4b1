/* SPDX-License-Identifier: MIT */
/*
 * test_static_coding - which siblings an Accept-Encoding asks for, and what type a name has.
 */
#include "plugins/static/static.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_choose(void **state)
{
    static const struct {
        const char *accept, *want;
    } rows[] = {
        {NULL, ""},
        {"", ""},
        {"gzip", "gzip "},
        {"br", "br "},
        {"gzip, deflate, br", "br gzip "},
        {"gzip,deflate,br,zstd", "br gzip "},
        {"GZIP", "gzip "},
        {"x-gzip", "gzip "},
        {"deflate", ""},
        {"identity", ""},
        {"gzip;q=1, br;q=0.9", "gzip br "},
        {"gzip;q=0.5, br;q=0.6", "br gzip "},
        {"gzip;q=0.999, br;q=0.998", "gzip br "},
        {"gzip;q=0", ""},
        {"gzip;q=0.000, br", "br "},
        {"gzip ; q=0.5", "gzip "},
        {"gzip;Q=0.5", "gzip "},
        {"gzip;q=0.", ""},
        {"gzip;q=1.", "gzip "},
        {"gzip;q=1.000", "gzip "},
        {"gzip;q=0.001", "gzip "},
        {", ,gzip,", "gzip "},
        {"*", "br gzip "},
        {"*;q=0", ""},
        {"*;q=0, gzip", "gzip "},
        {"br;q=0, *", "gzip "},
        {"gzip;q=0.5, *;q=0.8", "br "}, /* and identity, which weighs more than gzip */
        {"identity;q=0", ""},
        {"identity;q=0, gzip", "gzip "},
        {"identity, gzip", "gzip "},
        {"identity, gzip;q=0.5", ""},
        {"identity;q=0.5, gzip;q=0.5, br;q=0.4", "gzip "},
        /* malformed: as if it were absent */
        {"gzip;q=2", ""},
        {"gzip;q=1.001", ""},
        {"gzip;q=0.5000", ""},
        {"gzip;q=-1", ""},
        {"gzip;q=.5", ""},
        {"gzip;q=", ""},
        {"gzip;q", ""},
        {"gzip;", ""},
        {"gzip;x=1", ""},
        {"gzip q=1", ""},
        {"gzip br", ""},
        {"gzip;q=1;q=1", ""},
        {"br, \"gzip\"", ""},
        {"gzip;q=nan", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct coding *chosen[CODINGS];
        size_t count = coding_choose(rows[i].accept, chosen), n = 0;
        char got[32] = "";

        for (size_t k = 0; k < count; k++)
            n += (size_t)snprintf(got + n, sizeof(got) - n, "%s ", chosen[k]->name);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s: %s, want %s", rows[i].accept, got, rows[i].want);
    }
}

static void test_types(void **state)
{
    static const struct {
        const char *path, *want;
        bool is_compressible;
    } rows[] = {
        {"a.html", "text/html; charset=utf-8", true},
        {"a.HTML", "text/html; charset=utf-8", true},
        {"a.b.js", "text/javascript; charset=utf-8", true},
        {"a.js.gz", "application/gzip", false},
        {"d/a.svg", "image/svg+xml", true},
        {"a.png", "image/png", false},
        {"a.wasm", "application/wasm", true},
        {"a.json", "application/json", true},
        {"d.css/a", "application/octet-stream", false},
        {"css", "application/octet-stream", false},
        {"a.", "application/octet-stream", false},
        {"a.nothing", "application/octet-stream", false},
        {"", "application/octet-stream", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_string_equal(type_of(rows[i].path)->name, rows[i].want);
        assert_int_equal(type_of(rows[i].path)->is_compressible, rows[i].is_compressible);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests_name("static coding", tests, NULL, NULL);
}
