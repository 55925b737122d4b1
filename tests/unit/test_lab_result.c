/* SPDX-License-Identifier: MIT */
/*
 * test_lab_result - rows, their verdicts, and how both reports say them.
 */
#include "cli/lab_report.h"
#include "cli/lab_result.h"
#include "common/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- one row ---- */

static const struct {
    enum lab_rule rule;
    double predicted, tolerance, band, measured;
    bool agrees;
} rows[] = {
    {LAB_NEAR, 400, 0.05, 0, 380, true},
    {LAB_NEAR, 400, 0.05, 0, 420, true},
    {LAB_NEAR, 400, 0.05, 0, 379.9, false},
    {LAB_NEAR, 400, 0.05, 0, 420.1, false},
    {LAB_NEAR, 0, 0.05, 0, 0, true},
    {LAB_NEAR, 10, 0.05, 4, 6, true}, /* the band counts, not the share */
    {LAB_NEAR, 10, 0.05, 4, 14.1, false},
    {LAB_AT_MOST, 8, 0, 0, 8, true},
    {LAB_AT_MOST, 8, 0, 0, 0, true},
    {LAB_AT_MOST, 8, 0, 0, 8.1, false},
    {LAB_AT_MOST, 8, 0.1, 0, 8.8, true},
    {LAB_AT_LEAST, 100, 0, 0, 1e6, true},
    {LAB_AT_LEAST, 100, 0, 0, 99, false},
    {LAB_SHOWN, 0, 0, 0, 12345, true},
    {LAB_NEAR, 400, 0.05, 0, NAN, false},
    {LAB_AT_MOST, 400, 0.05, 0, NAN, false},
    {LAB_AT_LEAST, 400, 0.05, 0, NAN, false},
};

static void rows_are_judged_by_their_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct lab_row what = {
            .unit = "",
            .rule = rows[i].rule,
            .predicted = rows[i].predicted,
            .tolerance = rows[i].tolerance,
            .band = rows[i].band,
        };
        struct lab_result r = {.row_count = 0};
        struct lab_row *row = lab_result_predict(&r, &what, "x");

        assert_false(lab_row_agrees(row)); /* not before it is measured */
        lab_result_measure(row, rows[i].measured);
        if (lab_row_agrees(row) != rows[i].agrees)
            fail_msg("row %zu", i);
    }
}

/* ---- all of them ---- */

static void the_verdict_is_that_of_all_rows(void **state)
{
    static struct lab_result r;
    const struct lab_row near = {.unit = "", .predicted = 10, .tolerance = 0.1};
    const struct lab_row shown = {.unit = "", .rule = LAB_SHOWN};
    struct lab_row *first, *second;
    size_t judged;

    (void)state;
    assert_int_equal(lab_result_verdict(&r), LAB_NOT_RUN);
    first = lab_result_predict(&r, &near, "first");
    second = lab_result_predict(&r, &near, "second");
    lab_result_measure(lab_result_predict(&r, &shown, "third"), 1);
    lab_result_measure(first, 10);
    assert_int_equal(lab_result_verdict(&r), LAB_NOT_RUN);
    lab_result_measure(second, 20);
    assert_int_equal(lab_result_verdict(&r), LAB_DISAGREES);
    assert_int_equal(lab_result_agreeing(&r, &judged), 1);
    assert_int_equal(judged, 2);
    lab_result_measure(second, 11);
    assert_int_equal(lab_result_verdict(&r), LAB_AGREES);
    r.has_failed = true; /* requests, though the figures are right */
    assert_int_equal(lab_result_verdict(&r), LAB_DISAGREES);
    (void)snprintf(r.why, sizeof(r.why), "interrupted");
    assert_int_equal(lab_result_verdict(&r), LAB_NOT_RUN);
}

static void points_go_to_the_series_of_their_name(void **state)
{
    static struct lab_result r;

    (void)state;
    lab_result_point(&r, "a", (struct lab_point){1, 2, 3});
    lab_result_point(&r, "b", (struct lab_point){4, 5, 6});
    lab_result_point(&r, "a", (struct lab_point){7, 8, 9});
    assert_int_equal(r.plot.count, 2);
    assert_int_equal(r.plot.series[0].count, 2);
    assert_int_equal(r.plot.series[1].count, 1);
    assert_true(r.plot.series[0].point[1].x > 6.9);
    lab_result_point(&r, "a", (struct lab_point){2, 10, 11}); /* in the order of x */
    lab_result_point(&r, "a", (struct lab_point){2, 12, 13});
    assert_int_equal(r.plot.series[0].count, 4);
    assert_true(r.plot.series[0].point[0].x < 1.1);
    assert_true(r.plot.series[0].point[1].predicted < 10.1);
    assert_true(r.plot.series[0].point[2].predicted > 11.9);
    assert_true(r.plot.series[0].point[3].x > 6.9);
}

/* ---- what is said of them ---- */

static const struct lab_experiment experiment = {
    .number = 2,
    .name = "two",
    .title = "a \"title\"",
    .setup = "set-up \\ path",
    .law = "law",
};

static void json_is_as_documented(void **state)
{
    static const char wanted[] = "{\"version\": \"" /* as it may be */;
    static const char rest[] =
        "\"short\": false, \"experiments\": [\n"
        "  {\"number\": 2,\n"
        "    \"name\": \"two\", \"title\": \"a \\\"title\\\"\", \n"
        "    \"setup\": \"set-up \\\\ path\", \n"
        "    \"law\": \"law\", \n"
        "    \"missing\": null, \"verdict\": \"disagrees\", \"why\": null, \"seconds\": "
        "1.5, \n"
        "    \"rows\": [\n"
        "      {\"label\": \"8 clients\", \"unit\": \"req/s\", \"rule\": \"near\", "
        "\"predicted\": 80, \"tolerance\": 0.05, \"band\": null, \"measured\": 60, "
        "\"deviation\": -0.25, \"agrees\": false},\n"
        "      {\"label\": \"memory\", \"unit\": \"MiB\", \"rule\": \"shown\", "
        "\"predicted\": null, \"tolerance\": null, \"band\": null, \"measured\": null, "
        "\"deviation\": null, \"agrees\": null}],\n"
        "    \"plot\": {\"x\": \"clients\", \"y\": \"rate\", \"log_x\": true, "
        "\"log_y\": false, \"series\": [\n"
        "      {\"name\": \"s\", \"points\": [{\"x\": 8, \"predicted\": 80, "
        "\"measured\": "
        "null}]}]},\n"
        "    \"notes\": [\"tab\\u0009here\"]}\n"
        "], \"agree\": 0, \"of\": 1}\n";
    static struct lab_result r;
    struct lab_row *row;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    row = lab_result_predict(
        &r, &(struct lab_row){.unit = "req/s", .predicted = 80, .tolerance = 0.05},
        "8 clients");
    lab_result_measure(row, 60);
    lab_result_measure(
        lab_result_predict(&r, &(struct lab_row){.unit = "MiB", .rule = LAB_SHOWN},
                           "memory"),
        NAN);
    lab_result_point(&r, "s", (struct lab_point){8, 80, NAN});
    r.plot.x_title = "clients";
    r.plot.y_title = "rate";
    r.plot.is_log_x = true;
    r.seconds = 1.5;
    (void)snprintf(r.note[r.note_count++], LAB_NOTE_MAX, "tab\there");
    lab_json_begin(out, false);
    lab_json_experiment(out, &experiment, &r, true);
    lab_json_end(out, 0, 1);
    fclose(out);
    assert_memory_equal(text, wanted, sizeof(wanted) - 1);
    assert_string_equal(strstr(text, "\"short\""), rest);
    free(text);
}

static void text_says_prediction_then_measurement(void **state)
{
    static struct lab_result r;
    struct lab_report report = {.terminal = NULL};
    struct lab_row *row;
    char *text = NULL;
    size_t size;

    (void)state;
    report.out = open_memstream(&text, &size);
    lab_report_begin(&report, &experiment);
    row = lab_result_predict(
        &r, &(struct lab_row){.unit = "req/s", .predicted = 1000, .tolerance = 0.05},
        "8 clients");
    lab_report_prediction(&report, row);
    lab_result_measure(row, 900);
    lab_report_measurement(&report, row);
    lab_report_end(&report, &experiment, &r);
    fclose(report.out);
    assert_non_null(strstr(text, "   prediction\n     8 clients"));
    assert_non_null(strstr(text, "1000 req/s   +-5 %\n"));
    assert_non_null(strstr(text, "900 req/s    -10.0 %  DISAGREES\n"));
    assert_non_null(strstr(text, "verdict  disagrees: 0 of 1 figures"));
    assert_true(strstr(text, "prediction") < strstr(text, "measurement"));
    free(text);
}

static const struct {
    struct lab_row row;
    const char *says;
} rules[] = {
    {{.rule = LAB_NEAR, .tolerance = 0.05}, "8 ms   +-5 %\n"},
    {{.rule = LAB_NEAR, .band = 1.5, .tolerance = 0.05}, "8 ms   +-1.5 ms\n"},
    {{.rule = LAB_AT_MOST}, "8 ms   at most\n"},
    {{.rule = LAB_AT_MOST, .band = 1.5}, "8 ms   at most (+1.5 ms)\n"},
    {{.rule = LAB_AT_LEAST, .tolerance = 0.05}, "8 ms   at least (-5 %)\n"},
};

static void text_says_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct lab_row row = rules[i].row;
        struct lab_report report = {.terminal = NULL};
        char *text = NULL;
        size_t size;

        row.unit = "ms";
        row.predicted = 8;
        report.out = open_memstream(&text, &size);
        lab_report_prediction(&report, &row);
        fclose(report.out);
        assert_non_null(strstr(text, rules[i].says));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_judged_by_their_rule),
        cmocka_unit_test(the_verdict_is_that_of_all_rows),
        cmocka_unit_test(points_go_to_the_series_of_their_name),
        cmocka_unit_test(json_is_as_documented),
        cmocka_unit_test(text_says_prediction_then_measurement),
        cmocka_unit_test(text_says_the_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
