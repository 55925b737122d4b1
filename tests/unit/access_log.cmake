# SPDX-License-Identifier: MIT
remuda_unit(test_access_log SOURCES worker/access_log.c worker/access_format.c
    worker/access_value.c worker/access_escape.c LIBS common)
