# SPDX-License-Identifier: MIT
remuda_unit(test_access_log SOURCES worker/access_log.c LIBS common)
