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

/* ---- several ranges ---- */

/* The body's parts against what was asked for, its type and its boundary. */
static void check_parts(const remuda_ctx *c, const struct span *want, size_t count)
{
    static const char type[] = "multipart/byteranges; boundary=";
    const char *boundary = c->type + sizeof(type) - 1, *at = c->bytes;
    char head[256];

    assert_memory_equal(c->type, type, sizeof(type) - 1);
    for (size_t i = 0; i < count; i++) {
        int n = snprintf(head, sizeof(head),
                         "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                         "Content-Range: bytes %d-%d/999\r\n\r\n",
                         boundary, (int)want[i].first,
                         (int)(want[i].first + want[i].count - 1));

        assert_memory_equal(at, head, (size_t)n);
        at += n;
        assert_memory_equal(at, thousand() + want[i].first, want[i].count);
        at += want[i].count;
        assert_memory_equal(at, "\r\n", 2);
        at += 2;
    }
    snprintf(head, sizeof(head), "--%s--\r\n", boundary);
    assert_string_equal(at, head);
}

static void test_parts(void **state)
{
    static const struct span wanted[] = {{500, 3}, {0, 1}, {998, 1}};
    static const struct pair asked[] = {{"Range", "bytes=500-502,0-0,-1"}, {NULL, NULL}};
    remuda_ctx host = {.line = ""}, c = {.asked = asked, .multipart = 5};
    remuda_ctx again = {.asked = asked, .multipart = 5};
    remuda_ctx less = {.asked = asked, .multipart = 4};
    struct site *site = start_site(&host);
    int before = open_descriptors();

    (void)state;
    assert_int_equal(ask(&c, site, "long.txt"), 206);
    check_parts(&c, wanted, 3);
    assert_null(answered(&c, "Content-Range"));
    assert_int_equal(ask(&again, site, "long.txt"), 206);
    assert_string_not_equal(c.type, again.type); /* the boundary cannot be foreseen */
    assert_int_equal(ask(&less, site, "long.txt"), 200);
    assert_int_equal(open_descriptors(), before);
    stop(&host, site);
}

/* ---- siblings ---- */

static void test_siblings(void **state)
{
    static const struct {
        const char *path, *accept;
        bool is_off;
        const char *bytes, *coding, *vary;
    } rows[] = {
        {"s.js", "gzip, br", false, "broetchen", "br", "Accept-Encoding"},
        {"s.js", "gzip", false, "zipped", "gzip", "Accept-Encoding"},
        {"s.js", "br;q=0.1, gzip", false, "zipped", "gzip", "Accept-Encoding"},
        {"s.js", "gzip;q=0", false, "not zipped", NULL, "Accept-Encoding"},
        {"s.js", NULL, false, "not zipped", NULL, "Accept-Encoding"},
        {"s.js", "gzip", true, "not zipped", NULL, NULL},
        {"UP.PNG", "gzip", false, "png", NULL, NULL}, /* is compressed in itself */
        {"stale.js", "gzip", false, "not zipped", NULL, "Accept-Encoding"},
        {"a.txt", "gzip", false, "a", NULL, "Accept-Encoding"}, /* there is none */
        {"s.js.gz", "gzip", false, "zipped", NULL, NULL},
    };
    remuda_ctx host = {.line = ""};
    struct site *site = start_site(&host);
    int before = open_descriptors();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct pair asked[] = {
            {rows[i].accept != NULL ? "Accept-Encoding" : NULL, rows[i].accept},
            {NULL, NULL}};
        remuda_ctx c = {.asked = asked, .is_precompressed = !rows[i].is_off};

        assert_int_equal(ask(&c, site, rows[i].path), 200);
        assert_string_equal(c.bytes, rows[i].bytes);
        if (rows[i].coding != NULL)
            assert_string_equal(answered(&c, "Content-Encoding"), rows[i].coding);
        else
            assert_null(answered(&c, "Content-Encoding"));
        if (rows[i].vary != NULL)
            assert_string_equal(answered(&c, "Vary"), rows[i].vary);
        else
            assert_null(answered(&c, "Vary"));
        assert_string_equal(c.type, type_of(rows[i].path)->name);
        assert_int_equal(open_descriptors(), before);
    }
    stop(&host, site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),   cmocka_unit_test(test_not_modified),
        cmocka_unit_test(test_ranges),   cmocka_unit_test(test_parts),
        cmocka_unit_test(test_siblings),
    };

    return cmocka_run_group_tests_name("static answer", tests, make_tree, remove_tree);
}
