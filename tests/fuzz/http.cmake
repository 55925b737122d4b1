# SPDX-License-Identifier: MIT
remuda_fuzz(http_parser LIBS http_transcript)
remuda_fuzz(http_target LIBS http)
remuda_fuzz(proxy_header LIBS http)
remuda_fuzz(forwarded LIBS http)
