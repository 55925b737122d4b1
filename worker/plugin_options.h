/* SPDX-License-Identifier: MIT */
/*
 * plugin_options - what a plugin declares against what its ini section holds.   [worker]
 */
#ifndef WORKER_PLUGIN_OPTIONS_H
#define WORKER_PLUGIN_OPTIONS_H

struct plugin;

/** Fills p->options from p->declared and p->conf. The number of mistakes, one line each. */
int plugin_options_load(struct plugin *p, void (*complain)(const char *line));

#endif
