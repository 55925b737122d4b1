# SPDX-License-Identifier: MIT
add_library(worker_fixture STATIC ${CMAKE_CURRENT_LIST_DIR}/worker_fixture.c
    ${CMAKE_CURRENT_LIST_DIR}/worker_handlers.c)
target_link_libraries(worker_fixture PRIVATE remuda_host cmocka::cmocka PUBLIC remuda_worker)

remuda_unit(test_worker_begun LIBS worker_fixture)
remuda_unit(test_worker_conn LIBS worker_fixture)
remuda_unit(test_worker_deadline LIBS worker)
remuda_unit(test_worker_done LIBS worker)
remuda_unit(test_worker_fault LIBS worker)
remuda_unit(test_worker_in LIBS worker)
remuda_unit(test_worker_lane LIBS worker)
remuda_unit(test_worker_leave LIBS worker_fixture)
remuda_unit(test_worker_drain LIBS worker_fixture)
remuda_unit(test_worker_wear LIBS worker_fixture)
remuda_unit(test_worker_inbox LIBS worker_fixture)
remuda_unit(test_worker_accept LIBS worker_fixture)
remuda_unit(test_worker_out LIBS worker)
remuda_unit(test_worker_overtime LIBS worker_fixture)
remuda_unit(test_worker_overtime_ask LIBS worker_fixture)
remuda_unit(test_worker_plugin_open LIBS worker)
target_compile_definitions(test_worker_plugin_open
    PRIVATE TEST_PLUGINS="${PROJECT_BINARY_DIR}/tests/plugins")
add_dependencies(test_worker_plugin_open test_plugin_modes test_plugin_bad_abi
    test_plugin_bad_magic test_plugin_bad_minor test_plugin_no_symbol)
remuda_unit(test_worker_plugin_options LIBS worker)
remuda_unit(test_worker_task LIBS worker_fixture)
remuda_unit(test_worker_turn LIBS worker)
target_link_options(test_worker_turn PRIVATE -Wl,--wrap=clock_mono_ns)
