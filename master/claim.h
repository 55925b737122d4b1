/* SPDX-License-Identifier: MIT */
/*
 * claim - are the descriptors of an estate what they claim to be, and is its binary one whose
 * workers ours can live with?
 */
#ifndef MASTER_CLAIM_H
#define MASTER_CLAIM_H

#include "master/estate.h"

/** What this binary is. */
void claim_abi(struct estate_abi *out);

/** Pure. 0, or 78 with *fault. */
int claim_check_abi(const struct estate_abi *theirs, const struct estate_abi *ours,
                    struct fault *fault);

/** Changes nothing. 0, or an exit status with *fault. */
int claim_check(const struct estate *estate, struct fault *fault);

#endif
