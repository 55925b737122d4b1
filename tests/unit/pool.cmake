# SPDX-License-Identifier: MIT
remuda_unit(test_pool SOURCES worker/pool.c worker/signal_stack.c LIBS common)
