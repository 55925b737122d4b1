# SPDX-License-Identifier: MIT
remuda_fuzz(handoff LIBS worker)

set(calls recv send sendmsg sendfile shutdown close ioctl clock_mono_ns)
list(TRANSFORM calls PREPEND -Wl,--wrap=)
remuda_fuzz(conn SOURCES ${CMAKE_CURRENT_LIST_DIR}/answers.c ${CMAKE_CURRENT_LIST_DIR}/fake_io.c
    LIBS worker_fixture http_transcript cmocka LINK ${calls})
