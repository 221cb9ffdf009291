/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair_path.h"

#include "pattern.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000ull

#define ETHER_LEN 14
#define ETHERTYPE_AT 12
#define IP_LEAST 20
#define ECN_MASK 3 /* of the second byte; all set: CE */
#define TCP_LEAST 20
#define IPPROTO_TCP_NUMBER 6

/* Purposes of the numbers that a seed yields. */
enum { DRAW_LOSS, DRAW_REORDER, DRAW_EXTRA, DRAW_MARK };

static uint64_t
draw(const struct path_setup *setup, enum path_kind kind, uint64_t n, unsigned int purpose)
{
	struct pattern p;

	pattern_seed(&p, setup->seed, n);
	p.state ^= pattern_next(&p) + (setup->number * 2 + (uint64_t)kind) * 4 + purpose;
	return pattern_next(&p);
}

/* From 0 to below 1, of 53 random bits. */
static double
fraction(uint64_t random)
{
	return (double)(random >> 11) * 0x1p-53;
}

bool
path_loses(const struct path_setup *setup, enum path_kind kind, uint64_t n)
{
	return fraction(draw(setup, kind, n, DRAW_LOSS)) < setup->loss;
}

uint64_t
path_extra_ns(const struct path_setup *setup, enum path_kind kind, uint64_t n)
{
	if (fraction(draw(setup, kind, n, DRAW_REORDER)) >= setup->reorder)
		return 0;
	return 1 + (uint64_t)(fraction(draw(setup, kind, n, DRAW_EXTRA)) * (double)setup->reorder_ns);
}

int
path_init(struct path *p, const struct path_setup *setup)
{
	memset(p, 0, sizeof(*p));
	p->setup = *setup;
	p->frames = malloc(PATH_SLOTS * sizeof(p->frames[0]));
	p->heap = malloc(PATH_SLOTS * sizeof(p->heap[0]));
	p->unused = malloc(PATH_SLOTS * sizeof(p->unused[0]));
	if (p->frames == NULL || p->heap == NULL || p->unused == NULL) {
		path_free(p);
		return -1;
	}
	while (p->spare < PATH_SLOTS) {
		p->unused[p->spare] = &p->frames[PATH_SLOTS - 1 - p->spare];
		p->spare++;
	}
	return 0;
}

void
path_free(struct path *p)
{
	free(p->frames);
	free(p->heap);
	free(p->unused);
}

enum path_kind
path_classify(const uint8_t *frame, uint32_t len)
{
	const uint8_t *ip = frame + ETHER_LEN;
	uint32_t ethertype, ip_header, ip_total, tcp_header;

	if (len < ETHER_LEN)
		return PATH_FOREIGN;
	ethertype = (uint32_t)frame[ETHERTYPE_AT] << 8 | frame[ETHERTYPE_AT + 1];
	if (ethertype == 0x0806)
		return PATH_ARP;
	if (ethertype != 0x0800 || len < ETHER_LEN + IP_LEAST || ip[9] != IPPROTO_TCP_NUMBER)
		return PATH_FOREIGN;
	ip_header = (ip[0] & 0x0fu) * 4;
	ip_total = (uint32_t)ip[2] << 8 | ip[3];
	if (ip_total < ip_header + TCP_LEAST || len < ETHER_LEN + ip_total)
		return PATH_FOREIGN;
	tcp_header = (uint32_t)(ip[ip_header + 12] >> 4) * 4;
	return ip_total > ip_header + tcp_header ? PATH_DATA : PATH_BARE;
}

static bool
before(const struct path_frame *a, const struct path_frame *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void
heap_push(struct path *p, struct path_frame *frame)
{
	uint32_t at = p->waiting++;

	while (at > 0 && before(frame, p->heap[(at - 1) / 2])) {
		p->heap[at] = p->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	p->heap[at] = frame;
}

static struct path_frame *
heap_pop(struct path *p)
{
	struct path_frame *first = p->heap[0], *last = p->heap[--p->waiting];
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < p->waiting) {
		if (child + 1 < p->waiting && before(p->heap[child + 1], p->heap[child]))
			child++;
		if (!before(p->heap[child], last))
			break;
		p->heap[at] = p->heap[child];
		at = child;
	}
	p->heap[at] = last;
	return first;
}

/* The link's turn of a frame: when it will have left the link; false if the queue is full. */
static bool
pass_link(struct path *p, uint32_t len, uint64_t now_ns, uint64_t *left_ns)
{
	uint64_t wait_ns = p->link_free_ns > now_ns ? p->link_free_ns - now_ns : 0;
	uint64_t queued;

	*left_ns = now_ns;
	if (p->setup.rate_bps == 0)
		return true;
	queued = (uint64_t)((double)wait_ns * (double)p->setup.rate_bps / 8e9);
	/* An empty queue takes any frame: it goes straight to the link. */
	if (queued > 0 && queued + len > p->setup.queue_bytes)
		return false;
	if (queued + len > p->counts.queue_most_bytes)
		p->counts.queue_most_bytes = queued + len;
	p->link_free_ns = now_ns + wait_ns + len * 8ull * NS_PER_S / p->setup.rate_bps;
	*left_ns = p->link_free_ns;
	return true;
}

/* Marks a frame CE; the checksum follows the change of one 16-bit word [1624 3]. */
static void
mark_ce(uint8_t *frame)
{
	uint8_t *ip = frame + ETHER_LEN;
	uint32_t more = (uint32_t)ECN_MASK - (ip[1] & ECN_MASK);
	uint32_t sum = (uint16_t)~(ip[10] << 8 | ip[11]) + more;

	sum = ~((sum & 0xffff) + (sum >> 16));
	ip[1] |= ECN_MASK;
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
}

static bool
is_marked(const struct path_setup *setup, const uint8_t *frame, enum path_kind kind, uint64_t n)
{
	return (frame[ETHER_LEN + 1] & ECN_MASK) != 0 &&
	       fraction(draw(setup, kind, n, DRAW_MARK)) < setup->mark;
}

static bool
keep(struct path *p, const uint8_t *data, uint32_t len, uint64_t due_ns, bool mark)
{
	struct path_frame *frame;

	if (p->spare == 0) {
		p->counts.queue_dropped++;
		return false;
	}
	frame = p->unused[--p->spare];
	frame->due_ns = due_ns;
	frame->order = p->order++;
	frame->len = (uint16_t)len;
	memcpy(frame->data, data, len);
	if (mark)
		mark_ce(frame->data);
	heap_push(p, frame);
	return true;
}

static bool
enter_tcp(struct path *p, const uint8_t *data, uint32_t len, enum path_kind kind, uint64_t now_ns)
{
	struct path_counts *c = &p->counts;
	uint64_t n = kind == PATH_DATA ? c->data++ : c->bare++;
	uint64_t left_ns, extra_ns;
	bool mark = is_marked(&p->setup, data, kind, n);

	if (path_loses(&p->setup, kind, n)) {
		if (kind == PATH_BARE) {
			c->lost_bare++;
			return false;
		}
		if (c->lost_data < PATH_LOST_MAX)
			p->lost[c->lost_data] = n;
		c->lost_data++;
		return false;
	}
	if (!pass_link(p, len, now_ns, &left_ns)) {
		c->queue_dropped++;
		return false;
	}
	extra_ns = path_extra_ns(&p->setup, kind, n);
	c->reordered += extra_ns > 0;
	if (!keep(p, data, len, left_ns + p->setup.delay_ns + extra_ns, mark))
		return false;
	c->marked += mark;
	return true;
}

bool
path_enter(struct path *p, const uint8_t *frame, uint32_t len, uint64_t now_ns)
{
	enum path_kind kind = path_classify(frame, len);

	if (len > PATH_FRAME_MAX) {
		p->counts.oversize++;
		return false;
	}
	switch (kind) {
	case PATH_ARP:
		p->counts.arp++;
		return keep(p, frame, len, now_ns, false);
	case PATH_FOREIGN:
		p->counts.foreign++;
		return false;
	default:
		return enter_tcp(p, frame, len, kind, now_ns);
	}
}

uint64_t
path_next_ns(const struct path *p)
{
	return p->waiting > 0 ? p->heap[0]->due_ns : UINT64_MAX;
}

const struct path_frame *
path_leave(struct path *p, uint64_t now_ns)
{
	struct path_frame *frame;

	if (p->waiting == 0 || p->heap[0]->due_ns > now_ns)
		return NULL;
	frame = heap_pop(p);
	p->unused[p->spare++] = frame;
	p->counts.forwarded++;
	p->counts.forwarded_bytes += frame->len;
	return frame;
}
