/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_OUTPUT_H
#define RILL_TCP_OUTPUT_H

#include "tcp.h"

/*
 * A connection says what it has to say, within the outbox's room; what must wait leaves it dirty.
 */
void output_conn(struct tcp *tcp, struct rill_conn *conn);

#endif
