/* SPDX-License-Identifier: MIT */
/* no_symbol - a library like any other. Refused: it exports no remuda_plugin_v1. */
extern const int no_symbol_answer;

__attribute__((visibility("default"))) const int no_symbol_answer = 42;
