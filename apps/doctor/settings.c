/* SPDX-License-Identifier: BSD-3-Clause */
#include "settings.h"

#define PROGRAM "rill-doctor"

#define FIELD(name) offsetof(struct doctor_settings, name)

static const struct option_def defs[] = {
	HOST_OPTION_ROWS("the addresses of a port, of either family, or ranges of IPv4: the i-th --ip belongs to the i-th "
		"--dev (default none)"),
	{"max-conns", "N", "connections of one lane; 0: Rill's default (default 0)", option_set_count,
		FIELD(max_conns), 0, (1u << 30) - 1},
	{"buffers", "N", "NIC buffers of each lane; 0: Rill's default (default 0)", option_set_count,
		FIELD(buffers), 0, (1u << 30) - 1},
	{"json", NULL, "what is found as JSON", option_set_flag, FIELD(json)},
};

static void
set_default(void *settings)
{
	*(struct doctor_settings *)settings = (struct doctor_settings){
		.host.congestion_control = RILL_CC_CUBIC,
	};
}

/* A port can be looked at without an address. */
static enum options_result
finish(void *settings)
{
	struct doctor_settings *s = settings;

	host_default_dev(&s->host);
	return s->host.ips_count == 0 ? OPTIONS_RUN : host_check(&s->host, PROGRAM);
}

const struct options doctor_options = {
	.program = PROGRAM,
	.about = "looks at this machine and at DPDK devices: what Rill will do in hardware, what in "
		"software, what is missing, and what to do about it",
	.version = RILL_VERSION,
	.defs = defs,
	.count = sizeof(defs) / sizeof(defs[0]),
	.set_default = set_default,
	.finish = finish,
};

void
doctor_configure(const struct doctor_settings *settings, struct rill_config *config)
{
	host_configure(&settings->host, config);
	for (unsigned int i = settings->host.ips_count; i < config->ports_count; i++)
		config->ports[i].addrs_count = 0;
	config->limits.max_conns = settings->max_conns;
	config->limits.buffers = settings->buffers;
}
