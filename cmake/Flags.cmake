# SPDX-License-Identifier: MIT
#
# What every line of C is compiled with.
#
#   remuda_flags  warnings, hardening, sanitizers: host and plugins
#   remuda_host   the host's own: GNU extensions, position independent executable, includes
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_C_COMPILER_ID MATCHES "^(GNU|Clang)$")
    message(FATAL_ERROR "remuda is built with gcc or clang, not ${CMAKE_C_COMPILER_ID}")
endif()

add_library(remuda_flags INTERFACE)
target_compile_options(remuda_flags INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wstrict-prototypes -Wvla
    -Wcast-qual -Wwrite-strings
    -fstack-protector-strong -fstack-clash-protection)
target_link_options(remuda_flags INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    # our whole numbers have names, and names are enum constants
    target_compile_options(remuda_flags INTERFACE -Wno-enum-float-conversion)
endif()
if(REMUDA_WERROR)
    target_compile_options(remuda_flags INTERFACE -Werror)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    target_compile_options(remuda_flags INTERFACE -fcf-protection=full)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
    target_compile_options(remuda_flags INTERFACE -mbranch-protection=standard)
endif()

# FORTIFY replaces the calls that the sanitizers intercept, and needs an optimiser: one or
# the other. Some compilers preset a lower level, hence -U first.
if(REMUDA_SANITIZE)
    target_compile_options(remuda_flags INTERFACE
        -fsanitize=${REMUDA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(remuda_flags INTERFACE -fsanitize=${REMUDA_SANITIZE})
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        # false alarms in instrumented code (gcc 14: memory being poisoned counts as read)
        target_compile_options(remuda_flags INTERFACE -Wno-maybe-uninitialized)
    endif()
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(remuda_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
if(REMUDA_COVERAGE) # of gcc; atomic, for threads
    target_compile_options(remuda_flags INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(remuda_flags INTERFACE --coverage)
endif()
if(REMUDA_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "REMUDA_FUZZ needs clang (use the preset 'fuzz')")
    endif()
    target_compile_options(remuda_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The layers end in executables only, so -fPIE and not the dearer -fPIC.
add_library(remuda_host INTERFACE)
target_link_libraries(remuda_host INTERFACE remuda_flags)
target_compile_definitions(remuda_host INTERFACE _GNU_SOURCE)
target_compile_options(remuda_host INTERFACE -fPIE)
target_link_options(remuda_host INTERFACE -pie)
target_include_directories(remuda_host INTERFACE
    ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
