# SPDX-License-Identifier: MIT
remuda_unit(test_witness SOURCES tests/chaos/witness/answer.c tests/chaos/witness/plan.c
    LIBS common)
