/* SPDX-License-Identifier: MIT */
/* bad_abi - made for another ABI. Refused at load, naming both versions. */
#include <remuda.h>

const remuda_api *remuda_api_;

const remuda_plugin remuda_plugin_v1 = {
    .magic = REMUDA_MAGIC,
    .size = sizeof(remuda_plugin),
    .abi = REMUDA_ABI + 1,
    .route_size = sizeof(remuda_route),
    .option_size = sizeof(remuda_option),
    .job_size = sizeof(remuda_job),
    .api = &remuda_api_,
    .name = "bad_abi",
};
