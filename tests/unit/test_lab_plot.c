/* SPDX-License-Identifier: MIT */
/*
 * test_lab_plot - axes have round ends and ticks; a picture is well-formed and complete.
 */
#include "cli/axis.h"
#include "cli/svg.h"
#include "common/check.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- axes ---- */

static const struct {
    bool is_log;
    double least, greatest; /* values added */
    double low, high;       /* ends wanted */
    size_t ticks;
} axes[] = {
    {false, 8, 160, 0, 200, 5},    /* by 50 */
    {false, 80, 400, 0, 400, 5},   /* by 100 */
    {false, 0.1, 0.2, 0, 0.2, 5},  /* by 0.05 */
    {false, 0, 11, 0, 15, 4},      /* by 5: 2 is too small */
    {false, 0, 0, 0, 1, 6},        /* nothing but 0 */
    {false, -3, 7, -4, 8, 7},      /* by 2 */
    {true, 8, 160, 5, 200, 6},     /* 5 10 20 50 100 200 */
    {true, 1, 10000, 1, 10000, 5}, /* powers of ten alone */
    {true, 0.001, 0.001, 0.001, 0.002, 2},
    {true, 3, 4, 2, 5, 2},
    {true, 1e-9, 1e9, 1e-9, 1e9, 19},
};

static void ends_and_ticks_are_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(axes); i++) {
        struct axis axis;

        axis_init(&axis, axes[i].is_log);
        axis_add(&axis, axes[i].least);
        axis_add(&axis, axes[i].greatest);
        axis_settle(&axis);
        if (fabs(axis.low - axes[i].low) > 1e-12 * fabs(axes[i].low) ||
            fabs(axis.high - axes[i].high) > 1e-12 * fabs(axes[i].high) ||
            axis.tick_count != axes[i].ticks)
            fail_msg("axis %zu: %g to %g, %zu ticks", i, axis.low, axis.high,
                     axis.tick_count);
        for (size_t t = 0; t < axis.tick_count; t++) {
            const double at = axis_place(&axis, axis.tick[t]);

            assert_true(at > -1e-9 && at < 1 + 1e-9);
        }
        assert_true(fabs(axis_place(&axis, axis.low)) < 1e-9);
        assert_true(fabs(axis_place(&axis, axis.high) - 1) < 1e-9);
    }
}

static void equal_ratios_are_equal_distances_on_a_log_axis(void **state)
{
    struct axis axis;

    (void)state;
    axis_init(&axis, true);
    axis_add(&axis, 1);
    axis_add(&axis, 1000);
    axis_settle(&axis);
    assert_true(fabs(axis_place(&axis, 10) - 1.0 / 3) < 1e-9);
    assert_true(fabs(axis_place(&axis, 100) - 2.0 / 3) < 1e-9);
}

static void what_cannot_be_shown_is_not_taken(void **state)
{
    struct axis axis;

    (void)state;
    axis_init(&axis, true);
    axis_add(&axis, 0);
    axis_add(&axis, -5);
    axis_add(&axis, NAN);
    axis_add(&axis, INFINITY);
    assert_false(axis.has_value);
    axis_settle(&axis);
    assert_true(axis.low > 0 && axis.high > axis.low);
    axis_init(&axis, false);
    assert_true(axis_takes(&axis, 0) && axis_takes(&axis, -5));
    assert_false(axis_takes(&axis, NAN) || axis_takes(&axis, -INFINITY));
}

/* ---- pictures ---- */

static const char *draw(const struct lab_plot *plot, const char *title)
{
    static char *text;
    size_t size;

    free(text);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    svg_write_plot(out, title, "A <test> & \"more\"", plot);
    assert_int_equal(fclose(out), 0);
    return text;
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* Elements are closed in order, attributes are quoted, no stray & < >. */
static void assert_well_formed(const char *text)
{
    char open[16][16];
    size_t depth = 0, elements = 0;

    while (*text != '\0') {
        const size_t plain = strcspn(text, "<>&");

        text += plain;
        if (*text == '&') {
            assert_true(strncmp(text, "&amp;", 5) == 0 || strncmp(text, "&lt;", 4) == 0 ||
                        strncmp(text, "&gt;", 4) == 0);
            text++;
            continue;
        }
        if (*text == '\0')
            break;
        assert_int_equal(*text, '<');
        const bool closes = text[1] == '/';
        const char *name = text + 1 + closes, *end = strchr(text, '>');
        size_t length = 0;

        assert_non_null(end);
        while (islower((unsigned char)name[length]))
            length++;
        assert_true(length > 0 && length < sizeof(open[0]));
        size_t quotes = 0;
        for (const char *at = text; at < end; at++)
            quotes += *at == '"';
        assert_true(quotes % 2 == 0);
        if (closes) {
            assert_true(depth > 0);
            assert_true(strlen(open[depth - 1]) == length &&
                        strncmp(open[depth - 1], name, length) == 0);
            depth--;
        } else if (end[-1] != '/') {
            assert_true(depth < COUNT_OF(open));
            snprintf(open[depth++], sizeof(open[0]), "%.*s", (int)length, name);
        }
        elements++;
        text = end + 1;
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 10);
}

/* Where every path begins and every line goes is inside the view box. */
static void assert_inside(const char *text)
{
    int width, height;
    size_t points = 0;

    assert_int_equal(
        sscanf(strstr(text, "viewBox="), "viewBox=\"0 0 %d %d\"", &width, &height), 2);
    for (const char *at = strstr(text, "</style>"); *at != '\0'; at++) {
        double x, y;

        if ((*at == 'M' || *at == 'L') && sscanf(at + 1, "%lf %lf", &x, &y) == 2) {
            if (x < 6 || x > width - 6 || y < 6 || y > height - 6)
                fail_msg("%g %g of %d %d", x, y, width, height);
            points++;
        }
    }
    assert_true(points > 0);
}

static const struct lab_plot rates = {
    .x_title = "clients",
    .y_title = "req/s & <more>",
    .is_log_x = true,
    .count = 1,
    .series = {{.name = "5x8",
                .count = 5,
                .point = {{8, 80, 79.9},
                          {20, 200, 199},
                          {40, 400, 398},
                          {80, 400, 397},
                          {160, 400, 399}}}},
};

static void a_picture_is_well_formed(void **state)
{
    (void)state;
    const char *text = draw(&rates, "5 x 8 = 40 <&>");

    assert_well_formed(text);
    assert_inside(text);
    assert_int_equal(count(text, "<title id=\"t\">5 x 8 = 40 &lt;&amp;&gt;</title>"), 1);
    assert_int_equal(count(text, "<desc id=\"d\">A &lt;test&gt; &amp; \"more\"</desc>"),
                     1);
    assert_int_equal(count(text, ">clients</text>"), 1);
    assert_int_equal(count(text, ">req/s &amp; &lt;more&gt;</text>"), 1);
    assert_int_equal(count(text, "prefers-color-scheme:dark"), 1);
    assert_int_equal(count(text, "<script"), 0);
    assert_true(strlen(text) < 8192);
}

/* x: 5 to 200 over 72 to 616; y: 0 to 400 over 340 to 64. */
static void points_stand_where_they_belong(void **state)
{
    (void)state;
    const char *text = draw(&rates, "rates");

    assert_int_equal(count(text, "<g class=\"s0\">\n<path class=\"p\" "
                                 "d=\"M141.3 284.8L276.4 202.0L378.7 64.0L480.9 "
                                 "64.0L583.1 64.0\"/>\n"
                                 "<path class=\"m\" d=\"M141.3 284.9m"),
                     1);
    assert_int_equal(count(text, "<path class=\"m\" d=\"M"), 1 + 5); /* the legend's */
}

static void what_is_missing_leaves_a_gap(void **state)
{
    const struct lab_plot plot = {
        .count = 2,
        .series = {{.name = "a < b",
                    .count = 4,
                    .point = {{1, 1, NAN}, {2, NAN, 2}, {3, 3, 3}, {4, 4, INFINITY}}},
                   {.name = "other", .count = 1, .point = {{NAN, 1, 1}}}}};

    (void)state;
    const char *text = draw(&plot, "gaps");
    assert_well_formed(text);
    assert_inside(text);
    assert_int_equal(count(text, "m-14 0h28"), 1); /* the first stands alone */
    assert_int_equal(count(strstr(text, "<g class=\"s0\">"), "L"), 1);
    assert_int_equal(count(strstr(text, "<g class=\"s0\">"), "class=\"m\""), 2);
    assert_int_equal(count(text, ">a &lt; b</text>"), 1);
    assert_int_equal(count(text, ">other</text>"), 1);
    assert_int_equal(count(text, "nan"), 0);
}

static void a_full_plot_has_room(void **state)
{
    static struct lab_plot plot = {.count = LAB_SERIES, .is_log_y = true};

    (void)state;
    for (size_t s = 0; s < LAB_SERIES; s++) {
        plot.series[s].count = LAB_POINTS;
        for (size_t i = 0; i < LAB_POINTS; i++)
            plot.series[s].point[i] =
                (struct lab_point){(double)i, pow(10, (double)i / 3), pow(2, (double)s)};
    }
    const char *text = draw(&plot, "full");
    assert_well_formed(text);
    assert_inside(text);
}

static void an_empty_plot_is_an_empty_frame(void **state)
{
    const struct lab_plot plot = {.is_log_x = true};

    (void)state;
    const char *text = draw(&plot, "\tnothing\n");
    assert_well_formed(text);
    assert_int_equal(count(text, "> nothing </text>"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_and_ticks_are_round),
        cmocka_unit_test(equal_ratios_are_equal_distances_on_a_log_axis),
        cmocka_unit_test(what_cannot_be_shown_is_not_taken),
        cmocka_unit_test(a_picture_is_well_formed),
        cmocka_unit_test(points_stand_where_they_belong),
        cmocka_unit_test(what_is_missing_leaves_a_gap),
        cmocka_unit_test(a_full_plot_has_room),
        cmocka_unit_test(an_empty_plot_is_an_empty_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
