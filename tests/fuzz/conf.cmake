# SPDX-License-Identifier: MIT
remuda_fuzz(fuzz_conf LIBS conf)
