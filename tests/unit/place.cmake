# SPDX-License-Identifier: MIT
#
# Where a request runs: the rules, the rules at work, the loads, the message.
remuda_unit(test_worker_place SOURCES worker/place.c)
remuda_unit(test_worker_place_sim SOURCES worker/place.c LIBS m)
remuda_unit(test_worker_load SOURCES worker/load.c LIBS common)
remuda_unit(test_worker_admit SOURCES worker/load.c LIBS common)
remuda_unit(test_worker_handoff_message SOURCES worker/handoff_message.c LIBS common)
remuda_unit(test_worker_handoff_hostile SOURCES worker/handoff_message.c LIBS common)
