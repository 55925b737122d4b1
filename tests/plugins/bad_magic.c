/* SPDX-License-Identifier: MIT */
/* bad_magic - a shared object that only looks like a plugin. Refused at load. */
#include <remuda.h>

const remuda_api *remuda_api_;

const remuda_plugin remuda_plugin_v1 = {
    .magic = 0x46414b45u, /* "FAKE" */
    .size = sizeof(remuda_plugin),
    .abi = REMUDA_ABI,
    .route_size = sizeof(remuda_route),
    .option_size = sizeof(remuda_option),
    .job_size = sizeof(remuda_job),
    .api = &remuda_api_,
    .name = "bad_magic",
};
