/* SPDX-License-Identifier: BSD-3-Clause */
#include "headers.h"

uint64_t
headers_write_ip6(
	const struct tcp *tcp, const struct rill_conn *conn, void *ip, uint8_t ecn, uint16_t tcp_len)
{
	const struct rill_options *set = conn_options(tcp, conn);

	ip6_write_header(ip, conn->addrs6.laddr, conn->addrs6.raddr, tcp_len, IPPROTO_TCP,
		(uint8_t)set->ttl, (uint8_t)(set->dscp << 2 | ecn),
		flow_label(tcp->flow_key, conn->ts_offset));
	return checksum_bytes(&conn->addrs6, sizeof(conn->addrs6)) + RTE_BE16(IPPROTO_TCP) +
	       RTE_BE16(tcp_len);
}
