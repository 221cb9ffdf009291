/* SPDX-License-Identifier: BSD-3-Clause */
#include "payload.h"

#include <rte_mbuf.h>

void
payload_fix(struct rte_mbuf *head)
{
	uint32_t len = 0;
	uint16_t segs = 0;

	for (const struct rte_mbuf *m = head; m != NULL; m = m->next) {
		len += m->data_len;
		segs++;
	}
	head->pkt_len = len;
	head->nb_segs = segs;
}

struct rte_mbuf *
payload_cut_front(struct rte_mbuf *head, uint32_t n)
{
	if (n < head->data_len) { /* the usual case */
		head->data_off = (uint16_t)(head->data_off + n);
		head->data_len = (uint16_t)(head->data_len - n);
		head->pkt_len -= n;
		return head;
	}
	while (head != NULL && n >= head->data_len) {
		struct rte_mbuf *next = head->next;

		n -= head->data_len;
		head->next = NULL;
		head->nb_segs = 1;
		rte_pktmbuf_free_seg(head);
		head = next;
	}
	if (head == NULL)
		return NULL;
	head->data_off = (uint16_t)(head->data_off + n);
	head->data_len = (uint16_t)(head->data_len - n);
	payload_fix(head);
	return head;
}

struct rte_mbuf *
payload_keep_front(struct rte_mbuf *head, uint32_t len)
{
	struct rte_mbuf *last = head;
	uint32_t left = len;

	while (left > last->data_len) {
		left -= last->data_len;
		last = last->next;
	}
	last->data_len = (uint16_t)left;
	if (last->next != NULL) {
		rte_pktmbuf_free(last->next);
		last->next = NULL;
	}
	payload_fix(head);
	return last;
}

int
payload_copy_into(struct rte_mbuf *tail, struct rte_mbuf *payload)
{
	uint32_t at = (uint32_t)tail->data_off + tail->data_len, len = payload->pkt_len;

	if (len > PAYLOAD_SMALL || payload->nb_segs != 1 || !RTE_MBUF_DIRECT(tail) ||
		rte_mbuf_refcnt_read(tail) != 1 || at + len > tail->buf_len)
		return 0;
	memcpy((char *)tail->buf_addr + at, rte_pktmbuf_mtod(payload, const char *), len);
	tail->data_len = (uint16_t)(tail->data_len + len);
	rte_pktmbuf_free(payload);
	return 1;
}
