# SPDX-License-Identifier: MIT
remuda_unit(test_conf_types LIBS conf)
remuda_unit(test_conf_cpus LIBS conf)
remuda_unit(test_conf_table LIBS conf)
remuda_unit(test_conf_load LIBS conf)
remuda_unit(test_conf_plugins LIBS conf)
remuda_unit(test_conf_dump LIBS conf)
remuda_unit(test_conf_retell LIBS conf)
remuda_unit(test_conf_mistakes LIBS conf)
target_link_options(test_conf_mistakes PRIVATE
    -Wl,--wrap=geteuid,--wrap=arena_alloc,--wrap=ini_parse_stream)
