/* SPDX-License-Identifier: MIT */
/*
 * svg - one plot as one self-contained picture: what was predicted and what was measured.
 *
 * Small (a few KiB), without scripts and outside references, readable on light and dark,
 * with title and description for those who do not see it.
 *
 * Owns:    nothing. Pure, but for what it writes.
 * Called:  by lab.c (--svg).
 * Fails:   as the stream does: ask ferror.
 */
#ifndef CLI_SVG_H
#define CLI_SVG_H

#include "cli/lab_result.h"

#include <stdio.h>

/** Predictions become dashed lines, measurements marks, one colour and shape per series.
 * Texts are UTF-8, escaped here. A point that an axis cannot show (NAN; not above 0 on a
 * logarithmic one) is left out, and a line ends there. A plot without titles or points is
 * an empty frame. */
void svg_write_plot(FILE *out, const char *title, const char *description,
                    const struct lab_plot *plot);

#endif
