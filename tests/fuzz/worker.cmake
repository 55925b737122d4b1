# SPDX-License-Identifier: MIT
remuda_fuzz(handoff LIBS worker)
