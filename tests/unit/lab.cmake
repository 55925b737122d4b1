# SPDX-License-Identifier: MIT
remuda_unit(test_lab_args LIBS cli)
remuda_unit(test_lab_erlang LIBS cli)
remuda_unit(test_lab_plot LIBS cli)
remuda_unit(test_lab_result LIBS cli)
remuda_unit(test_lab_run LIBS cli)
