# SPDX-License-Identifier: MIT
remuda_unit(test_lab_plot LIBS cli m)
