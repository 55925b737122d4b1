# SPDX-License-Identifier: MIT
remuda_unit(test_bench_args LIBS cli)
remuda_unit(test_bench_figures LIBS cli)
remuda_unit(test_bench_http LIBS cli)
remuda_unit(test_bench_load LIBS cli)
remuda_unit(test_bench_url LIBS cli)
remuda_unit(test_watch LIBS cli)
