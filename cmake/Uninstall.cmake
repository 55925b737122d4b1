# SPDX-License-Identifier: MIT
#
# Uninstall - removes what the last `cmake --install` of this build put in place, then the
# folders of ours that are empty by that. Run by the target `uninstall`.
if(NOT EXISTS ${MANIFEST})
    message(STATUS "nothing installed from this build (no ${MANIFEST})")
    return()
endif()
file(STRINGS ${MANIFEST} files)
foreach(file ${files})
    set(path "$ENV{DESTDIR}${file}")
    if(EXISTS "${path}" OR IS_SYMLINK "${path}")
        message(STATUS "removing ${path}")
        file(REMOVE "${path}")
    endif()
    get_filename_component(folder "${path}" DIRECTORY)
    file(GLOB left "${folder}/*")
    if(folder MATCHES "/remuda$" AND NOT left)
        file(REMOVE_RECURSE "${folder}")
    endif()
endforeach()
file(REMOVE ${MANIFEST})
