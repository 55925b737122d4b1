# SPDX-License-Identifier: MIT
remuda_unit(test_loop_order LIBS libev)
