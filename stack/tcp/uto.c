/* SPDX-License-Identifier: BSD-3-Clause */
#include "uto.h"

#include "timers.h"

uint32_t
uto_adopt_ms(uint32_t own_ms, uint32_t remote_ms)
{
	uint32_t lower = own_ms != 0 ? RTE_MIN(own_ms, UTO_L_LIMIT_MS) : UTO_L_LIMIT_MS;
	uint32_t upper = RTE_MAX(own_ms, UTO_U_LIMIT_MS);
	uint32_t longer = RTE_MAX(own_ms, remote_ms);

	if (remote_ms == 0)
		return own_ms;
	longer = RTE_MAX(longer, lower);
	return RTE_MIN(longer, upper); /* [5482 3.1] */
}

uint32_t
uto_adopted_ms(const struct tcp *tcp, const struct rill_conn *conn)
{
	const struct sidecar *sidecar = conn_sidecar(tcp, conn);
	uint32_t remote_ms =
		sidecar != NULL && (sidecar->flags & SIDECAR_UTO) ? sidecar->remote_uto_ms : 0;

	return uto_adopt_ms((uint32_t)conn_options(tcp, conn)->user_timeout_ms, remote_ms);
}

uint32_t
uto_keepalive_ms(const struct tcp *tcp, const struct rill_conn *conn)
{
	return conn_options(tcp, conn)->user_timeout_option ? uto_adopted_ms(tcp, conn) : 0;
}

bool
uto_outlasts_retries(const struct tcp *tcp, const struct rill_conn *conn)
{
	return conn_options(tcp, conn)->user_timeout_option && conn_is_synchronized(conn) &&
	       (conn_outstanding(conn) > 0 || conn->txq_bytes > 0) &&
	       uto_adopted_ms(tcp, conn) != 0;
}

/* More than U_LIMIT never counts, whatever the connection's own timeout is. */
static uint32_t
cut_to_limit(uint32_t seconds)
{
	return RTE_MIN(seconds, UTO_U_LIMIT_MS / 1000);
}

uint16_t
uto_of_syn(const struct rill_options *options, const struct segment *syn)
{
	if (!options->user_timeout_option || !(syn->has & SEG_HAS_UTO))
		return 0;
	return (uint16_t)cut_to_limit(syn->uto_s);
}

void
uto_take(struct tcp *tcp, struct rill_conn *conn, uint32_t seconds)
{
	struct sidecar *sidecar;

	if (!conn_options(tcp, conn)->user_timeout_option)
		return; /* [5482 3] */
	sidecar = conn_need_sidecar(tcp, conn);
	if (sidecar == NULL)
		return;
	sidecar->flags |= SIDECAR_UTO;
	sidecar->remote_uto_ms = cut_to_limit(seconds) * 1000;
	timers_review(tcp, conn);
}

void
uto_offer(const struct rill_options *set, struct segment_options *options)
{
	if (!set->user_timeout_option || set->user_timeout_ms == 0)
		return;
	options->has |= SEG_HAS_UTO;
	options->uto_s = ((uint32_t)set->user_timeout_ms + 999) / 1000;
}

void
uto_changed(const struct tcp *tcp, struct rill_conn *conn)
{
	struct sidecar *sidecar = conn_sidecar(tcp, conn);

	conn->modes &= (uint16_t)~MODE_UTO_DUE;
	if (!conn_options(tcp, conn)->user_timeout_option) {
		if (sidecar != NULL)
			sidecar->flags &= (uint16_t)~SIDECAR_UTO;
		return;
	}
	if (conn_options(tcp, conn)->user_timeout_ms == 0)
		return; /* a value of zero must not be sent [5482 3.3] */
	conn->modes |= MODE_UTO_DUE;
	if (conn_is_synchronized(conn)) /* an idle connection has nothing else to put it on */
		conn->flags |= CONN_ACK_NOW;
}
