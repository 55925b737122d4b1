/* SPDX-License-Identifier: MIT */
/*
 * test_static_answer - what the static plugin says of a file, and which part it sends.
 */
#include "tests/unit/static_tree.h"

static void test_fields(void **state)
{
    remuda_ctx host = {.line = ""}, c = {.cache_control = "max-age=60"};
    remuda_ctx plain = {.line = ""};
    struct site *site = start_site(&host);
    int64_t modified_s;

    (void)state;
    assert_int_equal(ask(&c, site, "a.txt"), 200);
    assert_string_equal(answered(&c, "Cache-Control"), "max-age=60");
    assert_string_equal(answered(&c, "Accept-Ranges"), "bytes");
    assert_string_equal(answered(&c, "X-Content-Type-Options"), "nosniff");
    assert_int_equal(answered(&c, "ETag")[0], '"');
    /* it was written a moment ago: its date is in the past all the same */
    assert_true(date_parse(answered(&c, "Last-Modified"), 0, &modified_s));
    assert_true(modified_s < time(NULL));
    assert_int_equal(ask(&plain, site, "a.txt"), 200);
    assert_null(answered(&plain, "Cache-Control"));
    assert_string_equal(answered(&plain, "ETag"), answered(&c, "ETag"));
    stop(&host, site);
}

static void test_not_modified(void **state)
{
    remuda_ctx host = {.line = ""}, first = {.line = ""};
    remuda_ctx c = {.cache_control = "no-cache"};
    struct site *site = start_site(&host);
    int before = open_descriptors();

    (void)state;
    assert_int_equal(ask(&first, site, "a.txt"), 200);
    const struct pair asked[] = {{"If-None-Match", answered(&first, "ETag")},
                                 {"Range", "bytes=0-0"},
                                 {NULL, NULL}};
    c.asked = asked;
    assert_int_equal(ask(&c, site, "a.txt"), 304);
    assert_int_equal(c.field_count, 2);
    assert_string_equal(answered(&c, "ETag"), answered(&first, "ETag"));
    assert_string_equal(answered(&c, "Cache-Control"), "no-cache");
    assert_int_equal(open_descriptors(), before);
    stop(&host, site);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *method, *range, *if_range;
        int want;
        const char *bytes, *content_range;
    } rows[] = {
        {"GET", "bytes=1-2", NULL, 206, "1", "bytes 1-1/2"},
        {"GET", "bytes=-1", NULL, 206, "1", "bytes 1-1/2"},
        {"GET", "bytes=0-1", NULL, 206, "01", "bytes 0-1/2"},
        {"GET", "bytes=2-", NULL, 416, "", "bytes */2"},
        {"GET", "bytes=2-1", NULL, 200, "01", NULL},
        {"GET", "lines=0-0", NULL, 200, "01", NULL},
        {"GET", "bytes=1-1", "\"x\"", 200, "01", NULL},
        {"HEAD", "bytes=1-1", NULL, 200, "01", NULL},
        {"HEAD", "bytes=2-", NULL, 200, "01", NULL},
    };
    remuda_ctx host = {.line = ""};
    struct site *site = start_site(&host);
    int before = open_descriptors();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct pair asked[] = {
            {"Range", rows[i].range},
            {rows[i].if_range != NULL ? "If-Range" : NULL, rows[i].if_range},
            {NULL, NULL}};
        remuda_ctx c = {.method = rows[i].method, .asked = asked};

        assert_int_equal(ask(&c, site, "two"), rows[i].want);
        assert_string_equal(c.bytes, rows[i].bytes);
        if (rows[i].content_range == NULL)
            assert_null(answered(&c, "Content-Range"));
        else
            assert_string_equal(answered(&c, "Content-Range"), rows[i].content_range);
        assert_int_equal(open_descriptors(), before);
    }
    stop(&host, site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_not_modified),
        cmocka_unit_test(test_ranges),
    };

    return cmocka_run_group_tests_name("static answer", tests, make_tree, remove_tree);
}
