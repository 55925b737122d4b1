# SPDX-License-Identifier: MIT
#
# The coroutines, twice (see test_coro.c), and the public header.
foreach(variant test_coro test_coro_ucontext test_coro_overflow)
    remuda_unit(${variant}
        SOURCES worker/coro.c worker/coro_switch.c
        LIBS common m ${CMAKE_DL_LIBS})
endforeach()
target_compile_definitions(test_coro_ucontext PRIVATE REMUDA_CORO_UCONTEXT=1)

include(${PROJECT_SOURCE_DIR}/tests/abi/abi.cmake)
