/* SPDX-License-Identifier: MIT */
/*
 * plugin_open - from an image to a declaration that fits.        [worker]
 */
#ifndef WORKER_PLUGIN_OPEN_H
#define WORKER_PLUGIN_OPEN_H

#include "include/remuda.h"

#include <stddef.h>

struct heritage_image;

enum { PLUGIN_WHY_BYTES = 512 };

/** dlopens the image and checks magic, size, ABI and minor before any function of the plugin
 *  is called (its constructors have run), then gives it the host's table. *handle_out is
 *  never closed. NULL, and why. */
const remuda_plugin *plugin_open(const struct heritage_image *image, void **handle_out,
                                 char why[static PLUGIN_WHY_BYTES]);

#endif
