/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_SETTINGS_H
#define DOCTOR_SETTINGS_H

/* What rill-doctor was told: the host that a program is to be, and how to say what it found. */

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

struct doctor_settings {
	struct host host;
	uint32_t max_conns, buffers;
	bool json;
};

extern const struct options doctor_options;

/* The configuration to look at. */
void doctor_configure(const struct doctor_settings *settings, struct rill_config *config);

#endif
