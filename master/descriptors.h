/* SPDX-License-Identifier: MIT */
/*
 * descriptors - how many files a process of ours may have open.
 */
#ifndef MASTER_DESCRIPTORS_H
#define MASTER_DESCRIPTORS_H

struct conf;

/** As many as we may have: the soft limit becomes the hard one. Once, before workers are
 *  forked; logs why it cannot. */
void descriptors_raise(void);

/** One warning if a worker cannot hold the connections that this configuration allows it. */
void descriptors_compare(const struct conf *conf);

#endif
