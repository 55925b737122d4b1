/* SPDX-License-Identifier: MIT */
/*
 * image - the plugin files of one generation, copied before any worker loads them.
 */
#ifndef MASTER_IMAGE_H
#define MASTER_IMAGE_H

#include "common/heritage.h"
#include "master/fault.h"

struct conf;

/** In the order of conf->plugins; sections with the same path share a descriptor. Paths
 *  point into the conf. */
struct images {
    struct heritage_image item[HERITAGE_IMAGES];
    size_t count;
};

/** 0, or an exit status with *fault filled and nothing open. */
int images_open(struct images *images, const struct conf *conf, struct fault *fault);

/** Accepts a closed one. Workers keep their own copies of the descriptors. */
void images_close(struct images *images);

#endif
