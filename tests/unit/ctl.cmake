# SPDX-License-Identifier: MIT
remuda_unit(test_ctl_args LIBS cli)
remuda_unit(test_ctl_show LIBS cli)
