# SPDX-License-Identifier: MIT
#
# Version - writes generated/common/version.h.
#
# Included by the top CMakeLists.txt it makes the target remuda_version; that target runs
# this same file as a script at each build, so the commit is never stale. The header is
# touched only when its content changes.
if(NOT CMAKE_SCRIPT_MODE_FILE)
    set(version_command ${CMAKE_COMMAND}
        -DSOURCE=${PROJECT_SOURCE_DIR}
        -DHEADER=${PROJECT_BINARY_DIR}/generated/common/version.h
        -DREMUDA_VERSION=${PROJECT_VERSION}
        -DREMUDA_SANITIZERS=${REMUDA_SANITIZE}
        -DREMUDA_PLUGIN_DIR=${CMAKE_INSTALL_FULL_LIBDIR}/remuda
        -DREMUDA_CONF_DIR=${CMAKE_INSTALL_FULL_SYSCONFDIR}/remuda
        -P ${CMAKE_CURRENT_LIST_FILE})
    execute_process(COMMAND ${version_command} COMMAND_ERROR_IS_FATAL ANY)
    add_custom_target(remuda_version COMMAND ${version_command} VERBATIM
        COMMENT "version.h")
    return()
endif()

# Tarballs have no commit. safe.directory: CI and containers build clones they do not own.
set(REMUDA_COMMIT unknown)
if(EXISTS ${SOURCE}/.git)
    execute_process(
        COMMAND git -c "safe.directory=*" describe --always --dirty --abbrev=12 --exclude=*
        WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE described ERROR_QUIET
        OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
    if(failed EQUAL 0 AND described)
        set(REMUDA_COMMIT ${described})
    endif()
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/version.h.in ${HEADER} @ONLY)
