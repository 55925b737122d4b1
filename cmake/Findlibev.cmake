# SPDX-License-Identifier: MIT
#
# Findlibev - libev::libev. Debian's libev-dev has neither a pkg-config nor a CMake file.
find_path(LIBEV_INCLUDE_DIR ev.h PATH_SUFFIXES libev)
find_library(LIBEV_LIBRARY ev)

if(LIBEV_INCLUDE_DIR)
    file(STRINGS ${LIBEV_INCLUDE_DIR}/ev.h lines REGEX "define EV_VERSION_M(AJOR|INOR)")
    string(REGEX REPLACE ".*MAJOR ([0-9]+).*MINOR ([0-9]+).*" "\\1.\\2" LIBEV_VERSION "${lines}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libev
    REQUIRED_VARS LIBEV_LIBRARY LIBEV_INCLUDE_DIR VERSION_VAR LIBEV_VERSION
    REASON_FAILURE_MESSAGE "on Debian: apt-get install libev-dev")

if(libev_FOUND AND NOT TARGET libev::libev)
    add_library(libev::libev UNKNOWN IMPORTED)
    set_target_properties(libev::libev PROPERTIES IMPORTED_LOCATION ${LIBEV_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${LIBEV_INCLUDE_DIR})
endif()
mark_as_advanced(LIBEV_INCLUDE_DIR LIBEV_LIBRARY)
