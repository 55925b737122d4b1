# SPDX-License-Identifier: MIT
remuda_fuzz(static LIBS static_parts)
