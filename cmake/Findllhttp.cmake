# SPDX-License-Identifier: MIT
#
# Findllhttp - llhttp::llhttp on both Debians; LLHTTP_VERSION says which.
#
#   Debian 13  libllhttp-dev 9.2.1: the static library (-DREMUDA_LLHTTP_SHARED=ON: the shared)
#   Debian 12  node-llhttp 8.1.0: C sources only, compiled here
#
# 8.x must have LLHTTP_STRICT_MODE=1 in its own files *and* in all that include its header
# (the definition is PUBLIC): Debian's default of 0 takes any two bytes for the end of a
# chunk and lets a header be smuggled behind a bare CR (CVE-2023-30589). 9.x is always strict.
option(REMUDA_LLHTTP_SHARED "Link the shared llhttp where there is one" OFF)
if(REMUDA_LLHTTP_SHARED)
    find_library(LLHTTP_LIBRARY llhttp)
else()
    find_library(LLHTTP_LIBRARY NAMES libllhttp.a llhttp)
endif()

if(LLHTTP_LIBRARY)
    find_path(LLHTTP_INCLUDE_DIR llhttp.h)
    set(wanted LLHTTP_LIBRARY)
else()
    find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp)
    find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp)
    set(wanted LLHTTP_SOURCE_DIR)
endif()

set(LLHTTP_VERSION)
if(LLHTTP_INCLUDE_DIR)
    foreach(part MAJOR MINOR PATCH)
        file(STRINGS ${LLHTTP_INCLUDE_DIR}/llhttp.h line REGEX "LLHTTP_VERSION_${part} ")
        string(REGEX MATCH "[0-9]+" number "${line}")
        list(APPEND LLHTTP_VERSION ${number})
    endforeach()
    list(JOIN LLHTTP_VERSION . LLHTTP_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(llhttp
    REQUIRED_VARS ${wanted} LLHTTP_INCLUDE_DIR VERSION_VAR LLHTTP_VERSION
    REASON_FAILURE_MESSAGE
        "on Debian: apt-get install libllhttp-dev (13) or node-llhttp (12)")

if(llhttp_FOUND AND LLHTTP_VERSION VERSION_LESS 8.1)
    message(FATAL_ERROR "llhttp ${LLHTTP_VERSION} is too old: 8.1.0 or newer is needed")
endif()
if(llhttp_FOUND AND NOT TARGET llhttp::llhttp)
    if(LLHTTP_LIBRARY)
        add_library(llhttp::llhttp UNKNOWN IMPORTED)
        set_target_properties(llhttp::llhttp PROPERTIES IMPORTED_LOCATION ${LLHTTP_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${LLHTTP_INCLUDE_DIR})
    else()
        add_library(remuda_llhttp STATIC ${LLHTTP_SOURCE_DIR}/api.c
            ${LLHTTP_SOURCE_DIR}/http.c ${LLHTTP_SOURCE_DIR}/llhttp.c)
        target_link_libraries(remuda_llhttp PRIVATE remuda_flags)
        target_compile_options(remuda_llhttp PRIVATE -O2 -w)
        target_compile_definitions(remuda_llhttp PUBLIC LLHTTP_STRICT_MODE=1)
        target_include_directories(remuda_llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
        set_target_properties(remuda_llhttp PROPERTIES POSITION_INDEPENDENT_CODE ON)
        add_library(llhttp::llhttp ALIAS remuda_llhttp)
    endif()
endif()
if(LLHTTP_VERSION VERSION_LESS 9 AND LLHTTP_LIBRARY)
    # A packaged 8.x library was built loose: its strictness cannot be asked for any more.
    message(FATAL_ERROR "a prebuilt llhttp ${LLHTTP_VERSION} is not strict: remove it, "
        "or give the sources with -DLLHTTP_LIBRARY= -DLLHTTP_SOURCE_DIR=")
endif()
mark_as_advanced(LLHTTP_LIBRARY LLHTTP_INCLUDE_DIR LLHTTP_SOURCE_DIR)
