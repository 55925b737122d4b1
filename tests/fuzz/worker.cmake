# SPDX-License-Identifier: MIT
remuda_fuzz(fuzz_handoff LIBS worker)
