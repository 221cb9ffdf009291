/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ICMP errors about our segments [9293 3.9.2.2, 5927].
 *
 * Anybody can send one, so it must quote something that is outstanding [5927 4.1], and then:
 *
 *   code 2, 3 of "unreachable"   end an attempt to open; in a synchronized state they are hints as
 *                                all others [5927 5.2]: SHLD-26 would let a stranger end
 * connections "fragmentation needed"       lowers the path MTU, if it is consistent (pathmtu.h) all
 * others                   are told to the application and change nothing [MUST-56]
 */
#include <errno.h>

#include "close.h"
#include "input.h"
#include "pathmtu.h"

/* Protocol or port unreachable: nobody is there who would ever answer. */
static bool
is_hard(const struct icmp_error *error)
{
	return error->err == ECONNREFUSED || error->err == ENOPROTOOPT;
}

/* Returns why the error is not believed, or RILL_DROP_COUNT. */
static enum rill_drop
conn_error(struct tcp *tcp, struct rill_conn *conn, const struct icmp_error *error)
{
	if (seq_lt(error->seq, conn->snd_una) || seq_geq(error->seq, conn->snd_nxt))
		return RILL_DROP_icmp_stale;
	if (error->err == EMSGSIZE)
		return pathmtu_too_big(tcp, conn, error->seq, error->mtu);
	if (is_hard(error) && !conn_is_synchronized(conn))
		conn_end(tcp, conn, RILL_CLOSE_REFUSED);
	else
		close_soft_error(tcp, conn, error->err);
	return RILL_DROP_COUNT;
}

void
tcp_icmp_error(struct tcp *tcp, const struct icmp_error *error)
{
	uint32_t handle = table_lookup(tcp->table, &error->tuple);
	enum rill_drop reason = RILL_DROP_icmp_stale; /* so are all of TIME-WAIT: nothing is out */

	if (handle != TABLE_MISS && table_kind(handle) == TABLE_CONN)
		reason = conn_error(tcp, tcp_conn_at(tcp, table_index(handle)), error);
	else if (handle != TABLE_MISS && table_kind(handle) == TABLE_SYN_RECEIVED)
		reason =
			half_open_unreachable(tcp, table_index(handle), error->seq, is_hard(error));
	if (reason != RILL_DROP_COUNT)
		count_drop(tcp->counters, reason);
}
