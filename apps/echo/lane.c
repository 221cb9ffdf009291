/* SPDX-License-Identifier: BSD-3-Clause */
#include "lane.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "http.h"
#include "proto.h"
#include "session.h"
#include "settings.h"

/* Rill's default for max_conns. */
#define CONNS_DEFAULT 16384u

int
echo_lane_init(struct echo_lane *lane, const struct echo_settings *settings)
{
	uint32_t conns = settings->max_conns != 0 ? settings->max_conns : CONNS_DEFAULT;
	bool http = settings->proto == &proto_http;

	memset(lane, 0, sizeof(*lane));
	lane->settings = settings;
	lane->proto = settings->proto;
	lane->max_message = settings->max_message;
	lane->idle_timeout_us = (uint64_t)settings->idle_timeout_ms * 1000;
	lane->verbose = settings->log_level >= ECHO_LOG_DEBUG;
	snprintf(lane->too_long, sizeof(lane->too_long),
		"error: message longer than %u bytes (--max-message)\n", settings->max_message);
	echo_lane_date(lane, 0);
	if (pool_init(&lane->sessions, sizeof(struct session), conns) != 0 ||
		pool_init(&lane->blocks, BYTES_BLOCK_SIZE,
			settings->hold_bytes / BYTES_BLOCK_SIZE) != 0 ||
		(http && pool_init(&lane->heads, HTTP_HEADERS_MAX, conns) != 0)) {
		echo_lane_fini(lane);
		return -ENOMEM;
	}
	return 0;
}

void
echo_lane_fini(struct echo_lane *lane)
{
	pool_fini(&lane->sessions);
	pool_fini(&lane->blocks);
	pool_fini(&lane->heads);
}

void
echo_lane_date(struct echo_lane *lane, int64_t unix_seconds)
{
	time_t t = (time_t)unix_seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(lane->date, sizeof(lane->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
}
