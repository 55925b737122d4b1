/* SPDX-License-Identifier: MIT */
/*
 * svg - one plot as one self-contained picture.                                 [lab]
 *
 * Owns:    the layout and the colours.
 * Called:  see svg.h.
 * Fails:   never by itself.
 */
#include "cli/svg.h"

#include "cli/axis.h"

#include <math.h>

/* In pixels of the view box. Each series of several has a line of the legend. */
enum {
    WIDTH = 640,
    LEFT = 72,
    RIGHT = 616,
    TOP = 64,
    PLOT_HEIGHT = 276,
    BELOW = 56,
    LEGEND_LINE = 18
};

struct frame {
    FILE *out;
    const struct lab_plot *plot;
    struct axis x, y;
    int top, bottom; /* of the plot */
};

static const char style[] =
    "<style>"
    "text{font:13px system-ui,sans-serif;fill:#1f2328}"
    ".t{font-size:16px;font-weight:600}.e{text-anchor:end}.c{text-anchor:middle}"
    ".b{fill:#fff}.g{stroke:#d8dbe0}.a{stroke:#59636e}"
    ".p{fill:none;stroke:currentColor;stroke-width:2;stroke-dasharray:6 4}"
    ".m{fill:currentColor}"
    ".k{color:#59636e}.s0{color:#0072b2}.s1{color:#c44e00}.s2{color:#00805d}"
    ".s3{color:#8f4a7c}"
    "@media(prefers-color-scheme:dark){"
    "text{fill:#e6e6e6}.b{fill:#16181d}.g{stroke:#33373f}.a{stroke:#9aa4b0}"
    ".k{color:#9aa4b0}.s0{color:#56b4e9}.s1{color:#f0894a}.s2{color:#3fc79a}"
    ".s3{color:#d69ac4}}"
    "</style>\n";

/* Marks around the place that an M before them names: told apart without colours, too. */
static const char *const mark[LAB_SERIES] = {
    "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
    "m-4.5-4.5h9v9h-9z",
    "m0-6l5.5 10h-11z",
    "m0-6l6 6l-6 6l-6-6z",
};

static void write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte == '&')
            fputs("&amp;", out);
        else if (byte == '<')
            fputs("&lt;", out);
        else if (byte == '>')
            fputs("&gt;", out);
        else
            fputc(byte < ' ' ? ' ' : byte, out); /* XML has no other controls */
    }
}

/* ---- the frame ---- */

static void measure(struct frame *f)
{
    axis_init(&f->x, f->plot->is_log_x);
    axis_init(&f->y, f->plot->is_log_y);
    for (size_t s = 0; s < f->plot->count; s++)
        for (size_t i = 0; i < f->plot->series[s].count; i++) {
            const struct lab_point *point = &f->plot->series[s].point[i];

            axis_add(&f->x, point->x);
            axis_add(&f->y, point->predicted);
            axis_add(&f->y, point->measured);
        }
    axis_settle(&f->x);
    axis_settle(&f->y);
    f->top = TOP + (f->plot->count > 1 ? LEGEND_LINE * (int)f->plot->count : 0);
    f->bottom = f->top + PLOT_HEIGHT;
}

static double place_x(const struct frame *f, double value)
{
    return LEFT + (RIGHT - LEFT) * axis_place(&f->x, value);
}

static double place_y(const struct frame *f, double value)
{
    return f->bottom - (f->bottom - f->top) * axis_place(&f->y, value);
}

static void write_head(const struct frame *f, const char *title, const char *description)
{
    const int height = f->bottom + BELOW;

    fprintf(f->out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
            "width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"t d\">\n"
            "<title id=\"t\">",
            WIDTH, height, WIDTH, height);
    write_text(f->out, title);
    fputs("</title>\n<desc id=\"d\">", f->out);
    write_text(f->out, description);
    fputs("</desc>\n", f->out);
    fputs(style, f->out);
    fprintf(f->out,
            "<rect class=\"b\" width=\"%d\" height=\"%d\"/>\n"
            "<text class=\"t\" x=\"16\" y=\"26\">",
            WIDTH, height);
    write_text(f->out, title);
    fputs("</text>\n", f->out);
}

static void write_x_axis(const struct frame *f)
{
    for (size_t i = 0; i < f->x.tick_count; i++) {
        const double x = place_x(f, f->x.tick[i]);

        fprintf(f->out,
                "<path class=\"g\" d=\"M%.1f %dV%d\"/>"
                "<text class=\"c\" x=\"%.1f\" y=\"%d\">%g</text>\n",
                x, f->top, f->bottom, x, f->bottom + 18, f->x.tick[i]);
    }
    fprintf(f->out,
            "<path class=\"a\" d=\"M%d %dH%d\"/><text class=\"c\" x=\"%d\" y=\"%d\">",
            LEFT, f->bottom, RIGHT, (LEFT + RIGHT) / 2, f->bottom + 42);
    write_text(f->out, f->plot->x_title != NULL ? f->plot->x_title : "");
    fputs("</text>\n", f->out);
}

static void write_y_axis(const struct frame *f)
{
    const int middle = (f->top + f->bottom) / 2;

    for (size_t i = 0; i < f->y.tick_count; i++) {
        const double y = place_y(f, f->y.tick[i]);

        fprintf(f->out,
                "<path class=\"g\" d=\"M%d %.1fH%d\"/>"
                "<text class=\"e\" x=\"%d\" y=\"%.1f\">%g</text>\n",
                LEFT, y, RIGHT, LEFT - 8, y + 4, f->y.tick[i]);
    }
    fprintf(f->out, "<text class=\"c\" transform=\"translate(20 %d)rotate(-90)\">",
            middle);
    write_text(f->out, f->plot->y_title != NULL ? f->plot->y_title : "");
    fputs("</text>\n", f->out);
}

static void write_legend(const struct frame *f)
{
    fprintf(f->out,
            "<g class=\"k\"><path class=\"p\" d=\"M16 44h28\"/><path class=\"m\" "
            "d=\"M138 44%s\"/></g>"
            "<text x=\"52\" y=\"48\">predicted</text><text x=\"150\" "
            "y=\"48\">measured</text>\n",
            mark[0]);
    for (size_t s = 0; f->plot->count > 1 && s < f->plot->count; s++) {
        const int y = 44 + LEGEND_LINE * (int)(s + 1);

        fprintf(f->out, "<path class=\"m s%zu\" d=\"M30 %d%s\"/><text x=\"52\" y=\"%d\">",
                s, y, mark[s], y + 4);
        write_text(f->out, f->plot->series[s].name);
        fputs("</text>\n", f->out);
    }
}

/* ---- the points ---- */

static bool is_predicted(const struct frame *f, const struct lab_series *series, size_t i)
{
    return i < series->count && axis_takes(&f->x, series->point[i].x) &&
           axis_takes(&f->y, series->point[i].predicted);
}

/* A prediction without a neighbour is no line: it gets a dash of its own. */
static void write_predicted(const struct frame *f, const struct lab_series *series)
{
    bool is_line = false;

    fputs("<path class=\"p\" d=\"", f->out);
    for (size_t i = 0; i < series->count; i++) {
        const struct lab_point *point = &series->point[i];
        const bool is_shown = is_predicted(f, series, i);

        if (is_shown)
            fprintf(f->out, "%c%.1f %.1f", is_line ? 'L' : 'M', place_x(f, point->x),
                    place_y(f, point->predicted));
        if (is_shown && !is_line && !is_predicted(f, series, i + 1))
            fputs("m-14 0h28", f->out);
        is_line = is_shown;
    }
    fputs("\"/>\n", f->out);
}

static void write_measured(const struct frame *f, const struct lab_series *series,
                           const char *shape)
{
    for (size_t i = 0; i < series->count; i++) {
        const struct lab_point *point = &series->point[i];

        if (axis_takes(&f->x, point->x) && axis_takes(&f->y, point->measured))
            fprintf(f->out, "<path class=\"m\" d=\"M%.1f %.1f%s\"/>\n",
                    place_x(f, point->x), place_y(f, point->measured), shape);
    }
}

void svg_write_plot(FILE *out, const char *title, const char *description,
                    const struct lab_plot *plot)
{
    struct frame f = {.out = out, .plot = plot};

    measure(&f);
    write_head(&f, title, description);
    write_legend(&f);
    write_x_axis(&f);
    write_y_axis(&f);
    for (size_t s = 0; s < plot->count; s++) {
        fprintf(out, "<g class=\"s%zu\">\n", s);
        write_predicted(&f, &plot->series[s]);
        write_measured(&f, &plot->series[s], mark[s]);
        fputs("</g>\n", out);
    }
    fputs("</svg>\n", out);
}
