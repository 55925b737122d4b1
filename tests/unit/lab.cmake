# SPDX-License-Identifier: MIT
remuda_unit(test_lab_erlang LIBS cli)
