/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPT_FLAGS_H
#define SCRIPT_FLAGS_H

/* What lines of the peer and of the lane have in common. */

#include <stdint.h>

#include "wire.h"

/* SYN,ACK or none */
uint8_t take_flags(void);
/* 10:20,30:40 */
void take_sack(struct wire_sack *blocks, uint8_t *count);
/* not-ect, ect0, ect1, ce */
uint8_t take_ecn(void);

#endif
