# SPDX-License-Identifier: MIT
#
# The static plugin: all but its handler is a library here, for tests and the fuzzer.
set(parts answer coding condition date multipart open range type)
list(TRANSFORM parts REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/plugins/static/\\1.c")
add_library(static_parts STATIC ${parts})
target_link_libraries(static_parts PRIVATE remuda_host)
target_include_directories(static_parts PUBLIC
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/plugins/static)

remuda_unit(test_static LIBS static_parts)
remuda_unit(test_static_answer LIBS static_parts)
remuda_unit(test_static_coding LIBS static_parts)
remuda_unit(test_static_condition LIBS static_parts)
remuda_unit(test_static_date LIBS static_parts)
remuda_unit(test_static_range LIBS static_parts)
