/* SPDX-License-Identifier: BSD-3-Clause */
/* Lanes for embedders: no port, no thread, no clock. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_mbuf.h>

#include "eal.h"
#include "errtext.h"
#include "netif.h"
#include "runner.h"

/* EAL takes its memory once: room for a few lanes like the first, and the embedder's own pools. */
#define EMBED_LANES 4

/* What an embedder's lane refers to, for as long as it lives. */
struct embedded {
	struct rill_options options;
	uint8_t secret[RILL_SECRET_LEN];
	char name[CONFIG_NAME_MAX + 1];
	struct pools pools;
};

static int
embed_start_eal(const struct rill_lane_config *config)
{
	const struct eal_setup setup = {
		.bytes = EMBED_LANES * pools_bytes(&config->limits, config->mtu, 1)};

	return eal_start(&setup);
}

static bool
is_zero_mac(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, sizeof(zero)) == 0;
}

/* Puts what was chosen in the place of what was not given. */
static int
embed_fill(struct embedded *embedded, struct rill_lane_config *config)
{
	int err = 0;

	if (config->options != NULL)
		embedded->options = *config->options;
	else
		rill_options_default(&embedded->options);
	if (config->secret != NULL)
		memcpy(embedded->secret, config->secret, sizeof(embedded->secret));
	else
		err = secret_draw(embedded->secret);
	if (config->name != NULL)
		snprintf(embedded->name, sizeof(embedded->name), "%s", config->name);
	else
		pools_choose_name(embedded->name, sizeof(embedded->name));
	if (is_zero_mac(config->mac))
		secret_mac(embedded->secret, config->mac);
	config->options = &embedded->options;
	config->secret = embedded->secret;
	config->name = embedded->name;
	return err;
}

static int
embed_make(struct embedded *embedded, const struct rill_lane_config *config, struct rill_lane **lane)
{
	const struct pools_setup pools = {
		.name = embedded->name,
		.numa_node = config->numa_node,
		.mtu = config->mtu,
		.buffers = config->limits.buffers,
	};
	struct lane_setup setup = {
		.config = *config,
		/* Whoever takes the frames can do whatever a port can but the checksums. */
		.netif_caps = NETIF_TX_CHAINS,
		.tx_chain_max = PORT_CHAIN_MAX,
		.owner = embedded,
	};
	int err = pools_create(&embedded->pools, &pools);

	if (err != 0)
		return err;
	setup.buf_pool = embedded->pools.buf;
	setup.control_pool = embedded->pools.control;
	err = lane_create(&setup, lane);
	if (err != 0)
		pools_free(&embedded->pools);
	else
		pools_set_owner(&embedded->pools, &(*lane)->owner);
	return err;
}

int
rill_lane_create(const struct rill_lane_config *config, struct rill_lane **lane)
{
	struct rill_lane_config filled = *config;
	struct embedded *embedded;
	int err = config_check_lane(config);

	*lane = NULL;
	if (err != 0)
		return err;
	config_fill_limits(&filled.limits);
	if (filled.mtu == 0)
		filled.mtu = RTE_ETHER_MTU;
	err = embed_start_eal(&filled);
	if (err != 0)
		return err;
	embedded = calloc(1, sizeof(*embedded));
	if (embedded == NULL)
		return error_set(-ENOMEM, "no memory for a lane");
	err = embed_fill(embedded, &filled);
	if (err == 0)
		err = embed_make(embedded, &filled, lane);
	if (err != 0)
		free(embedded);
	return err;
}

void
rill_lane_destroy(struct rill_lane *lane)
{
	struct embedded *embedded;

	if (lane == NULL)
		return;
	RILL_ASSERT(lane->stack == NULL); /* a stack's lanes end with it */
	embedded = lane->setup.owner;
	pools_set_owner(&embedded->pools, NULL);
	lane_destroy(lane);
	pools_free(&embedded->pools);
	free(embedded);
}

unsigned int
rill_lane_take(struct rill_lane *lane, struct rte_mbuf *out[], unsigned int cap)
{
	struct outbox *outbox = &lane->outbox;
	unsigned int n = RTE_MIN(outbox_count(outbox), cap);

	outbox_turn_over(outbox, us32(lane->now));
	for (unsigned int i = 0; i < n; i++) {
		out[i] = outbox->ring[(outbox->taken + i) & (OUTBOX_SIZE - 1)];
		lane->counters.tx_bytes += out[i]->pkt_len;
	}
	lane->counters.tx_packets += n;
	outbox_took(outbox, n);
	outbox_set_credit(outbox, OUTBOX_SIZE);
	return n;
}
