# SPDX-License-Identifier: MIT
#
# Install - what `cmake --install` puts where, and the target `uninstall`.
#
#   bin/remuda, include/remuda.h, lib/.../remuda/*.so (see remuda_plugin),
#   share/doc/remuda/: the papers, and remuda.ini as an example to copy to etc/remuda/.
# Nothing is put in etc/: an upgrade or uninstall must never touch a config in use.
if(TARGET remuda)
    install(TARGETS remuda RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES include/remuda.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL)
install(FILES conf/remuda.ini README.md LICENSE CHANGELOG.md
    DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

add_custom_target(uninstall COMMENT "uninstall" VERBATIM
    COMMAND ${CMAKE_COMMAND} -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
        -P ${PROJECT_SOURCE_DIR}/cmake/Uninstall.cmake)
