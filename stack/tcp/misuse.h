/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_TCP_MISUSE_H
#define RILL_TCP_MISUSE_H

/*
 * Misuse of a handle by the application (a call after on_close has returned): an assertion in debug
 * builds; in release builds, while the slot is not in use again, an error.
 */

#include "tcp.h"

#define MISUSE_CHECK(conn, error)                                                                  \
	do {                                                                                       \
		RILL_DCHECK((conn)->flags &CONN_LIVE);                                             \
		if (!((conn)->flags & CONN_LIVE))                                                  \
			return (error);                                                            \
	} while (0)

#endif
