# SPDX-License-Identifier: MIT
remuda_fuzz(fuzz_http_parser LIBS http_transcript)
remuda_fuzz(fuzz_http_target LIBS http)
