/* SPDX-License-Identifier: BSD-3-Clause */

/* What the peer says: segments, ICMP errors, raw bytes. */

#include "script.h"

#include <string.h>

#include "flags.h"
#include "frames.h"

#define PATCHES_MAX 4
#define PATCH_BYTES_MAX 64
#define OPTIONS_MAX 40

/* A segment, and the damage done to its bytes before it is sent. */
struct saying {
	struct say say;
	uint8_t options[OPTIONS_MAX];
	struct {
		uint32_t offset;
		uint8_t bytes[PATCH_BYTES_MAX];
		size_t len;
	} patches[PATCHES_MAX];
	unsigned int patches_count;
	uint32_t cut;
	uint8_t ip_options[OPTIONS_MAX];
	size_t ip_options_len;
	bool bad_checksum, tsval_given, tsecr_given;
};

static uint32_t
number_after(const char *colon)
{
	return (uint32_t)expression(colon + 1);
}

void
take_sack(struct wire_sack *blocks, uint8_t *count)
{
	char list[256], *rest = list, *block, *colon;
	const char *word = take_word("SACK blocks");

	*count = 0;
	if (strlen(word) >= sizeof(list))
		wrong("too long: '%s'", word);
	strcpy(list, word);
	while ((block = strtok_r(rest, ",", &rest)) != NULL) {
		colon = strchr(block, ':');
		if (colon == NULL || *count == WIRE_SACK_MAX)
			wrong("SACK blocks are LEFT:RIGHT,..., at most %d", WIRE_SACK_MAX);
		*colon = 0;
		blocks[*count].left = (uint32_t)expression(block);
		blocks[(*count)++].right = number_after(colon);
	}
}

uint8_t
take_flags(void)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	char list[64], *rest = list, *name;
	const char *word = take_word("flags");
	uint8_t flags = 0;

	if (strlen(word) >= sizeof(list))
		wrong("unknown flags '%s'", word);
	strcpy(list, word);
	if (strcmp(word, "none") == 0)
		return 0;
	while ((name = strtok_r(rest, ",", &rest)) != NULL) {
		unsigned int bit = 0;

		while (bit < RTE_DIM(names) && strcmp(names[bit], name) != 0)
			bit++;
		if (bit == RTE_DIM(names))
			wrong("unknown flag '%s'", name);
		flags |= (uint8_t)(1u << bit);
	}
	return flags;
}

uint8_t
take_ecn(void)
{
	static const char *const names[] = {"not-ect", "ect1", "ect0", "ce"};

	return (uint8_t)take_name(names, RTE_DIM(names), "ECN code point");
}

static void
take_patch(struct saying *s)
{
	if (s->patches_count == PATCHES_MAX)
		wrong("more than %d patches", PATCHES_MAX);
	s->patches[s->patches_count].offset = take_u32("offset");
	s->patches[s->patches_count].len =
		take_hex(s->patches[s->patches_count].bytes, PATCH_BYTES_MAX);
	s->patches_count++;
}

/* Padded with zeroes to a whole number of words. */
static void
take_ip_options(struct saying *s)
{
	memset(s->ip_options, 0, sizeof(s->ip_options));
	s->ip_options_len = (take_hex(s->ip_options, sizeof(s->ip_options)) + 3) & ~(size_t)3;
}

/* Returns false for a word that is none of these. */
static bool
take_tcp_option(struct saying *s)
{
	struct say *say = &s->say;

	if (take_if("mss")) {
		say->mss = (uint16_t)take_number("mss");
		say->has |= HAS_MSS;
	} else if (take_if("wscale")) {
		say->wscale = (uint8_t)take_number("wscale");
		say->has |= HAS_WSCALE;
	} else if (take_if("sackOK")) {
		say->has |= HAS_SACK_OK;
	} else if (take_if("ts")) {
		say->has |= HAS_TS;
	} else if (take_if("tsval")) {
		say->tsval = take_u32("tsval");
		say->has |= HAS_TS;
		s->tsval_given = true;
	} else if (take_if("tsecr")) {
		say->tsecr = take_u32("tsecr");
		say->has |= HAS_TS;
		s->tsecr_given = true;
	} else if (take_if("uto")) {
		say->uto = (uint16_t)take_number("uto");
		say->has |= HAS_UTO;
	} else if (take_if("sack")) {
		take_sack(say->sack, &say->sack_count);
	} else if (take_if("options")) {
		say->options_len = (uint8_t)take_hex(s->options, sizeof(s->options));
		say->options = s->options;
	} else if (take_if("bare")) {
		say->bare = true;
	} else {
		return false;
	}
	return true;
}

static void
take_field(struct saying *s)
{
	struct say *say = &s->say;

	if (take_if("seq"))
		say->seq = take_u32("seq");
	else if (take_if("ack"))
		say->ack = take_u32("ack");
	else if (take_if("len"))
		say->len = take_u32("len");
	else if (take_if("wnd"))
		say->wnd = (int32_t)take_number("wnd") == 0
				   ? WND_ZERO
				   : (int32_t)expression(at.line->words[at.word - 1]);
	else if (take_if("urg"))
		say->urg = (uint16_t)take_number("urg");
	else if (take_if("reserved"))
		say->reserved = (uint8_t)take_number("reserved");
	else if (take_if("from"))
		say->saddr = take_addr();
	else if (take_if("to"))
		say->daddr = take_addr();
	else if (take_if("ecn"))
		say->tos |= take_ecn();
	else if (take_if("dscp"))
		say->tos |= (uint8_t)(take_number("dscp") << 2);
	else if (take_if("ttl"))
		say->ttl = (uint8_t)take_number("ttl");
	else if (take_if("patch"))
		take_patch(s);
	else if (take_if("ip_options"))
		take_ip_options(s);
	else if (take_if("cut"))
		s->cut = take_u32("cut");
	else if (take_if("badsum"))
		s->bad_checksum = true;
	else
		wrong("unknown word '%s'", at.line->words[at.word]);
}

/* Makes room behind the IPv4 header and fills it; returns the packet's new length. */
static size_t
add_ip_options(uint8_t *packet, size_t len, const struct saying *s)
{
	size_t total = len + s->ip_options_len;

	if (s->ip_options_len == 0)
		return len;
	memmove(packet + 20 + s->ip_options_len, packet + 20, len - 20);
	memcpy(packet + 20, s->ip_options, s->ip_options_len);
	packet[0] = (uint8_t)(0x45 + s->ip_options_len / 4);
	packet[2] = (uint8_t)(total >> 8);
	packet[3] = (uint8_t)total;
	return total;
}

/* The packet's bytes, damaged as asked. */
static void
send_damaged(const struct saying *s)
{
	static uint8_t packet[FRAME_MAX + OPTIONS_MAX];
	size_t len = add_ip_options(packet, peer_packet(packet, &s->say), s);
	size_t left = len - RTE_MIN(len, s->cut);

	for (unsigned int i = 0; i < s->patches_count; i++) {
		if (s->patches[i].offset + s->patches[i].len > len)
			wrong("a patch behind the packet's end, which has %zu bytes", len);
		memcpy(packet + s->patches[i].offset, s->patches[i].bytes, s->patches[i].len);
	}
	if (!s->bad_checksum)
		wire_fix_checksums(packet, len);
	else if (s->patches_count == 0)
		packet[wire_ip_len(packet) + 17] ^= 1;
	peer_note("peer  (damaged) seq %d len %u", (int)s->say.seq, s->say.len);
	peer_sends_raw(packet, left);
}

void
do_peer(void)
{
	struct saying s = {.say = {.flags = take_flags()}};
	bool has_seq = false;

	while (words_left()) {
		has_seq |= strcmp(at.line->words[at.word], "seq") == 0;
		if (!take_tcp_option(&s))
			take_field(&s);
	}
	if (!has_seq)
		wrong("'seq' is missing");
	if (!script_runs())
		return;
	script_touch();
	if (!s.tsval_given)
		s.say.tsval = (uint32_t)(peer.now / 1000);
	if (!s.tsecr_given && s.say.flags & ACK)
		s.say.tsecr = peer.flow->lane_tsval;
	if (s.patches_count > 0 || s.cut > 0 || s.bad_checksum || s.ip_options_len > 0)
		send_damaged(&s);
	else
		peer_say(&s.say);
}

static void
say_icmp(bool is_icmp6)
{
	struct icmp_say say = {.type = (uint8_t)take_number("type"), .is_icmp6 = is_icmp6};

	while (words_left()) {
		if (take_if("code"))
			say.code = (uint8_t)take_number("code");
		else if (take_if("mtu"))
			say.mtu = (uint16_t)take_number("mtu");
		else if (take_if("seq"))
			say.seq = take_u32("seq");
		else if (take_if("from"))
			say.from = take_addr();
		else if (take_if("quoted"))
			say.quoted = (uint8_t)take_number("quoted");
		else if (take_if("peer_port"))
			say.peer_port = (uint16_t)take_number("peer_port");
		else if (take_if("truncated"))
			say.truncated = true;
		else if (take_if("badsum"))
			say.bad_checksum = true;
		else
			wrong("unknown word '%s'", at.line->words[at.word]);
	}
	if (!script_runs())
		return;
	script_touch();
	peer_sends_icmp(&say);
}

void
do_icmp(void)
{
	say_icmp(false);
}

void
do_icmp6(void)
{
	say_icmp(true);
}

void
do_raw(void)
{
	uint8_t packet[SCRIPT_TEXT_MAX / 2];
	size_t len = take_hex(packet, sizeof(packet));
	bool fixed = take_if("fixed");

	if (fixed && len < 20)
		wrong("a packet of %zu bytes has no checksums", len);
	if (!script_runs())
		return;
	script_touch();
	if (fixed)
		wire_fix_checksums(packet, len);
	peer_note("peer  %zu raw bytes", len);
	peer_sends_raw(packet, len);
}
