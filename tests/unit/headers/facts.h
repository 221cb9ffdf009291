/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_HEADERS_FACTS_H
#define TEST_HEADERS_FACTS_H

/* What one compiler makes of the public headers. Included by C and by C++, each fills in its own. */

#include <rill/rill.h>

#define FACTS(X)                                                                                   \
	X(sizeof(struct rill_addr))                                                                \
	X(sizeof(struct rill_endpoint))                                                            \
	X(sizeof(struct rill_prefix))                                                              \
	X(sizeof(struct rill_options))                                                             \
	X(sizeof(struct rill_handler))                                                             \
	X(sizeof(struct rill_conn_info))                                                           \
	X(sizeof(struct rill_limits))                                                              \
	X(sizeof(struct rill_lane_config))                                                         \
	X(sizeof(struct rill_timer))                                                               \
	X(sizeof(struct rill_port_config))                                                         \
	X(sizeof(struct rill_config))                                                              \
	X(sizeof(struct rill_stats))                                                               \
	X(offsetof(struct rill_conn_info, error))                                                  \
	X(offsetof(struct rill_config, on_lane_idle))                                              \
	X(offsetof(struct rill_stats, neighbors))                                                  \
	X(RILL_OPT_COUNT)                                                                          \
	X(RILL_DROP_COUNT)                                                                         \
	X(RILL_STATE_COUNT)                                                                        \
	X(RILL_CLOSE_REASON_COUNT)                                                                 \
	X(RILL_NEVER)

#ifdef __cplusplus
extern "C" {
#endif

/* Fills in up to room facts; returns how many there are. */
unsigned int facts_from_cxx(uint64_t *facts, unsigned int room);

/* The library's version, through a call from C++. */
const char *version_from_cxx(void);

#ifdef __cplusplus
}
#endif

#endif
