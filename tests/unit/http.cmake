# SPDX-License-Identifier: MIT
add_library(http_transcript STATIC ${CMAKE_CURRENT_LIST_DIR}/http_transcript.c)
target_link_libraries(http_transcript PRIVATE remuda_host PUBLIC remuda_http)

remuda_unit(test_http_forwarded LIBS http)
remuda_unit(test_http_guard LIBS http_transcript)
remuda_unit(test_http_parser LIBS http_transcript)
remuda_unit(test_http_proxy_header LIBS http)
remuda_unit(test_http_request LIBS http)
remuda_unit(test_http_response LIBS http)
remuda_unit(test_http_router LIBS http)
remuda_unit(test_http_sse LIBS http)
remuda_unit(test_http_target LIBS http)
