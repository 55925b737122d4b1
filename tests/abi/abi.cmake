# SPDX-License-Identifier: MIT
#
# What a plugin author relies on: the layout of the ABI, the header in every compiler, and
# the samples of the guide. Read by tests/unit/abi.cmake.
set(abi ${PROJECT_SOURCE_DIR}/tests/abi)

add_executable(abi_layout ${abi}/layout.c)
target_link_libraries(abi_layout PRIVATE remuda_host)
target_include_directories(abi_layout PRIVATE ${PROJECT_SOURCE_DIR}/include)
add_test(NAME abi.golden
    COMMAND ${Python3_EXECUTABLE} ${abi}/abi.py golden $<TARGET_FILE:abi_layout>)
set(tests abi.golden)

# These compile by themselves, so one build runs them.
if(NOT REMUDA_SANITIZE)
    add_test(NAME abi.compilers COMMAND ${Python3_EXECUTABLE} ${abi}/abi.py compilers)
    add_test(NAME abi.samples COMMAND ${Python3_EXECUTABLE} ${abi}/abi.py samples
        ${PROJECT_SOURCE_DIR}/docs/PLUGINS.md)
    add_test(NAME abi.selftest COMMAND ${Python3_EXECUTABLE} ${abi}/abi.py selftest)
    list(APPEND tests abi.compilers abi.samples abi.selftest)
endif()
foreach(test ${tests})
    set_tests_properties(${test} PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
    remuda_test_env(${test} CC=${CMAKE_C_COMPILER})
endforeach()
