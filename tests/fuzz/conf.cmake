# SPDX-License-Identifier: MIT
remuda_fuzz(conf LIBS conf)
