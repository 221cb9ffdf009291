/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_STATS_H
#define RILL_STATS_H

/**
 * @file
 * Counters, and the reasons for which packets are dropped.
 */

#include <rill/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Every packet that Rill discards is counted under exactly one of these. Name, sentence. */
#define RILL_DROP_LIST(X)                                                                          \
	X(ether_short, "frame shorter than its Ethernet header")                                   \
	X(ether_type, "EtherType that Rill does not speak")                                        \
	X(ether_not_ours, "destination MAC is neither ours nor a group we joined")                 \
	X(ether_bad_source, "source MAC is a group address")                                       \
	X(vlan_foreign, "VLAN tag of a network we are not in")                                     \
	X(arp_malformed, "ARP packet with a wrong length, type or operation")                      \
	X(arp_not_ours, "ARP packet that concerns neither our addresses nor our neighbours")       \
	X(arp_bad_sender, "ARP sender hardware or protocol address is not that of another host")  \
	X(nd_malformed, "neighbour discovery message that fails the checks of its form [4861 6.1, 7.1]") \
	X(nd_not_ours, "neighbour discovery message that concerns neither our addresses nor our neighbours") \
	X(nd_echo, "neighbour discovery message that came from our own MAC: sent here, and back")  \
	X(nd_ignored, "neighbour discovery message of a type that a host does not act on")         \
	X(mld_malformed, "multicast listener query that fails the checks of its form [3810 6.2]")  \
	X(ip_version, "IP version does not match the EtherType")                                   \
	X(ip_header_length, "IP header shorter than it must be or longer than the packet")         \
	X(ip_total_length, "IP total length shorter than the header or longer than the frame")     \
	X(ip_checksum, "IPv4 header checksum is wrong")                                            \
	X(ip_options, "IPv4 options are malformed")                                                \
	X(ip_source_route, "IPv4 source route, refused as policy")                                 \
	X(ip_bad_source, "IP source is not a unicast address of another host")                     \
	X(ip_not_ours, "IP destination is not an address of ours")                                 \
	X(ip_broadcast, "broadcast or multicast that no protocol here accepts")                    \
	X(ip6_extension, "IPv6 extension header that is cut off, or not where it may be [8200 4]") \
	X(ip6_extensions_max, "more IPv6 extension headers than any honest packet has")            \
	X(ip6_option, "IPv6 option that demands to be dropped where it is not known [8200 4.2]")   \
	X(ip6_routing, "IPv6 routing header with segments left [5095]")                            \
	X(ip_fragment_malformed, "IP fragment without data, beyond 65535 bytes, or cut at no multiple of 8") \
	X(ip_fragment_tiny, "IP fragment that splits the transport header [1858, 3128, 7112]")     \
	X(ip_fragment_duplicate, "IP fragment that came before")                                   \
	X(ip_fragment_overlap, "IP fragment of a datagram some of which overlap [5722]")           \
	X(ip_fragment_many, "IP fragment of a datagram in more pieces than are put together")      \
	X(ip_fragment_ecn, "IP fragment of a datagram that knows ECN in some of them only [3168 5.3]") \
	X(ip_fragment_evicted, "IP fragment given up to make room for a newer one")                \
	X(ip_fragment_late, "IP fragment of a datagram that was not complete in time")             \
	X(ip_protocol, "transport protocol that Rill does not speak")                              \
	X(icmp_malformed, "ICMP message shorter than its type requires")                           \
	X(icmp_checksum, "ICMP checksum is wrong")                                                 \
	X(icmp_type, "ICMP type that is ignored")                                                  \
	X(icmp_broadcast, "ICMP echo request to a broadcast address")                              \
	X(icmp_too_long, "ICMP echo request whose reply would need too many fragments")            \
	X(icmp_rate, "ICMP message beyond a rate limit: not looked at, or not answered")           \
	X(icmp_stale, "ICMP error that quotes no segment in flight")                               \
	X(icmp_mtu, "'fragmentation needed' whose MTU is not below what was sent [5927 7.2]")      \
	X(icmp_mtu_low, "'packet too big' whose MTU is below the least of IPv6 [8201 4]")          \
	X(icmp_mtu_unproven, "'fragmentation needed' about a path that carries such segments [5927 7.2]") \
	X(tcp_short, "TCP segment shorter than its header")                                        \
	X(tcp_data_offset, "TCP data offset below 5 or beyond the segment")                        \
	X(tcp_checksum, "TCP checksum is wrong")                                                   \
	X(tcp_options, "TCP options are malformed")                                                \
	X(tcp_port_zero, "TCP source or destination port is 0")                                    \
	X(tcp_no_listener, "no connection and no listener: answered by RST [9293 3.10.7.1]")       \
	X(tcp_stray_rst, "RST that concerns no connection")                                        \
	X(tcp_rst_rate, "RST reply withheld by its rate limit")                                    \
	X(tcp_listen_flags, "segment without SYN, ACK or RST, or with FIN, for a listener")        \
	X(tcp_listen_ack, "ACK for a listener that has no half-open connection: answered by RST")  \
	X(tcp_backlog_full, "SYN while the listener's backlog is full")                            \
	X(tcp_cookie_data, "what came before the ACK with a good SYN cookie did")                  \
	X(tcp_conns_full, "no room for one more connection (max_conns)")                           \
	X(tcp_syn_sent_ack, "SYN-SENT: ACK does not cover our SYN [9293 3.10.7.3]")                \
	X(tcp_syn_sent_other, "SYN-SENT: neither SYN nor RST, or an unproven RST")                 \
	X(tcp_paws, "timestamp older than the last one seen [7323 5.3]")                           \
	X(tcp_ts_missing, "timestamp missing though negotiated [7323 3.2]")                        \
	X(tcp_out_of_window, "sequence number outside the receive window [9293 3.10.7.4]")         \
	X(tcp_rst_out_of_window, "RST outside the receive window [5961 3.2]")                      \
	X(tcp_rst_challenged, "RST in the window but not at rcv_nxt: challenge ACK [5961 3.2]")    \
	X(tcp_syn_challenged, "SYN in a synchronized state: challenge ACK [5961 4.2]")             \
	X(tcp_challenge_rate, "challenge ACK withheld by its budget [5961 7]")                     \
	X(tcp_no_ack, "synchronized state, but the ACK bit is off [9293 3.10.7.4]")                \
	X(tcp_ack_too_old, "acknowledgment older than the largest window ever sent [5961 5.2]")    \
	X(tcp_ack_unsent, "acknowledgment of what was never sent [9293 3.10.7.4]")                 \
	X(tcp_syn_received_ack, "SYN-RECEIVED: unacceptable ACK: answered by RST")                 \
	X(tcp_after_fin, "data beyond the peer's FIN")                                             \
	X(tcp_after_close, "data after rill_close: answered by RST [9293 3.6.1]")                  \
	X(tcp_duplicate, "data that was received before")                                          \
	X(tcp_rcvbuf_full, "data beyond the receive buffer")                                       \
	X(tcp_reassembly_full, "out-of-order data beyond the bounds of reassembly")                \
	X(tcp_no_sidecar, "out-of-order or paused data while the lane has no side-car left")       \
	X(tcp_rcv_reserve, "data with no buffer to keep or deliver it in: they are at their reserve") \
	X(tcp_time_wait, "segment for a connection in TIME-WAIT")                                  \
	X(exception_full, "frame for the kernel that the exception path had no room for")          \
	X(no_mbuf, "no buffer for a packet that had to be built")                                  \
	X(tx_stalled, "frame that the port did not take for a second: its link may be down")       \
	X(mac_changed, "frame that waited while its port was given another MAC address")           \
	X(neighbor_stranger, "SYN,ACK sent again to a half-open peer whose next hop is not resolved") \
	X(outbox_full, "no room among the packets that wait for the NIC")                          \
	X(spread_full, "frame of another lane's whose ring is full: it is behind")                 \
	X(news_full, "neighbour change or ICMP error that another lane's ring had no room for")    \
	X(neighbor_full, "no room in the neighbour cache")                                         \
	X(neighbor_queue, "packet displaced while its neighbour was being resolved")               \
	X(neighbor_failed, "next hop did not answer")                                              \
	X(no_route, "no route to the destination")                                                 \
	X(lane_starting, "segment that arrived before the lane had started: sent again, it is heard") \
	X(lane_stopping, "packet that arrived while the lane was stopping")

enum rill_drop {
#define X(name, text) RILL_DROP_##name,
	RILL_DROP_LIST(X)
#undef X
	RILL_DROP_COUNT
};

/** The reason's name, such as "tcp_paws", and its sentence. NULL beyond RILL_DROP_COUNT. */
RILL_API const char *rill_drop_name(enum rill_drop reason);
RILL_API const char *rill_drop_text(enum rill_drop reason);

/** Counters of a lane, each 64 bits and never reset. Name, what it counts. */
#define RILL_COUNTER_LIST(X)                                                                       \
	X(turns, "turns of the loop")                                                              \
	X(turns_busy, "turns that received, sent or fired something")                              \
	X(busy_us, "microseconds that such turns of a running stack took")                         \
	X(rx_packets, "frames received")                                                           \
	X(rx_bytes, "bytes received")                                                              \
	X(rx_echoes, "frames received from our own MAC address: sent here, and back")              \
	X(tx_packets, "frames sent")                                                               \
	X(tx_bytes, "bytes sent")                                                                  \
	X(tx_backlogged, "frames that the NIC did not take at once")                               \
	X(segs_in, "TCP segments that passed the checks of wire format")                           \
	X(segs_out, "TCP segments sent")                                                           \
	X(tso_frames, "frames sent with several segments in them, for the port to cut")            \
	X(bytes_in, "payload bytes delivered to the application")                                  \
	X(bytes_out, "payload bytes that peers acknowledged")                                      \
	X(syn_cookies_sent, "SYNs answered by a cookie, for want of room [4987]")                  \
	X(syn_cookies_good, "connections that a cookie opened")                                    \
	X(syn_cookies_bad, "ACKs without a good cookie for a listener that used them lately")      \
	X(active_opens, "connections begun by rill_connect")                                       \
	X(passive_opens, "connections accepted by listeners")                                      \
	X(connects_failed, "opens that did not complete")                                          \
	X(conns_reset, "connections that a RST ended")                                             \
	X(conns_timed_out, "connections that a timer ended")                                       \
	X(resets_sent, "RST segments sent")                                                        \
	X(retransmits, "segments sent again")                                                      \
	X(rtos, "retransmission timeouts")                                                         \
	X(fast_recoveries, "fast recoveries begun")                                                \
	X(dupacks_in, "duplicate ACKs received")                                                   \
	X(sack_blocks_in, "SACK blocks received")                                                  \
	X(sack_work_capped, "ACKs whose SACK blocks were not followed to their end")               \
	X(dsacks_in, "ACKs that reported a duplicate [2883]")                                      \
	X(dsacks_out, "duplicates reported [2883]")                                                \
	X(reorderings, "connections whose path was seen to reorder [8985]")                        \
	X(loss_probes, "loss probes sent [8985 7]")                                                \
	X(loss_probes_good, "loss probes that repaired a loss [8985 7.4]")                         \
	X(lost_retransmissions, "recoveries that lost a retransmission too [5681 4.3]")            \
	X(spurious_recoveries, "recoveries undone: nothing had been lost [3522, 2883]")            \
	X(spurious_rtos, "retransmission timeouts undone [5682, 4015]")                            \
	X(sack_reneged, "times a peer dropped what it had SACKed [2018 8]")                        \
	X(sack_bad_blocks, "SACK blocks that were ignored as impossible")                          \
	X(out_of_order_in, "segments that arrived beyond a hole")                                  \
	X(window_probes, "zero-window probes sent")                                                \
	X(keepalive_probes, "keepalive probes sent")                                               \
	X(delayed_acks, "ACKs that the delay timer sent")                                          \
	X(challenge_acks, "challenge ACKs sent [5961]")                                            \
	X(paused_copies, "payloads copied out of NIC buffers: they had to wait, or these are scarce") \
	X(sndbuf_copies, "sends linearised by copy because the port takes no chains")              \
	X(ecn_marks_in, "data segments that a router marked (CE) on connections with ECN")         \
	X(ecn_reductions, "windows reduced because the peer echoed a mark")                        \
	X(ecn_fallbacks, "opens that gave up asking for ECN: their SYN was lost or refused")       \
	X(sidecar_misses, "times no side-car was left")                                            \
	X(bbr_fallbacks, "connections that got CUBIC because no state for BBR was left")           \
	X(timewait_dropped, "TIME-WAIT entries ended early, or not made, by timewait_max")         \
	X(timewait_reused, "TIME-WAIT entries taken over by a new SYN")                            \
	X(arp_in, "ARP packets received")                                                          \
	X(arp_requests_out, "ARP requests sent")                                                   \
	X(arp_replies_out, "ARP replies sent")                                                     \
	X(arp_duplicates, "IPv4 addresses that were not used, since another host has them [5227 2.1.1]") \
	X(arp_conflicts, "times another host claimed an IPv4 address that is in use here [5227 2.4]") \
	X(nd_in, "neighbour discovery messages received")                                          \
	X(nd_solicits_out, "neighbour solicitations sent")                                         \
	X(nd_adverts_out, "neighbour advertisements sent")                                         \
	X(nd_duplicates, "IPv6 addresses that were not used, since another host has them [4862 5.4.5]") \
	X(nd_conflicts, "times another host claimed an IPv6 address that is in use here")          \
	X(mld_queries_in, "queries of multicast listener discovery received")                      \
	X(mld_reports_out, "reports of the groups that we listen to [3810, 2710]")                 \
	X(ra_in, "router advertisements received")                                                 \
	X(ra_refused, "routers, networks and addresses of router advertisements that there was no room for") \
	X(router_solicits_out, "router solicitations sent")                                        \
	X(fragments_in, "IP fragments received")                                                   \
	X(fragments_out, "IP fragments sent, of echo replies")                                     \
	X(fragments_joined, "datagrams put together from fragments")                               \
	X(icmp_in, "ICMP messages received")                                                       \
	X(icmp_out, "ICMP messages sent")                                                          \
	X(pmtu_lowered, "path MTUs lowered because a router said so [1191]")                       \
	X(pmtu_black_holes, "path MTUs lowered because full segments vanished [4821 7.7]")         \
	X(pmtu_probes, "segments sent to find a larger path MTU [4821 7]")                         \
	X(pmtu_probes_passed, "of these, those that got through")                                  \
	X(pmtu_probes_lost, "of these, those that were lost and nothing else")                     \
	X(pmtu_evicted, "path MTUs forgotten to make room for another destination's")              \
	X(mail_in, "messages from other threads")                                                  \
	X(news_in, "neighbour changes and ICMP errors that other lanes of the port passed on")     \
	X(frames_handed, "frames handed over to the lane of their connection")                     \
	X(rss_agreed, "TCP segments compared that the NIC put on the queue of their lane: first ones, SYNs") \
	X(rss_strayed, "TCP segments that the NIC put on the queue of another lane")               \
	X(exception_out, "frames handed to the kernel on the exception path")                      \
	X(exception_in, "frames of the kernel's that left by the port")                            \
	X(neighbors_lost, "neighbours that left three requests to their own MAC unanswered")       \
	X(port_restarts, "times the port was restarted: its device had been reset, or it was deaf") \
	X(port_restarts_failed, "times that failed")                                               \
	X(port_resets, "resets of the port's device that it told of")                              \
	X(port_deaf, "times the port was deaf: link up, nothing heard, a known neighbour silent")  \
	X(port_link_downs, "times the port's link went down")                                      \
	X(port_mac_changes, "times the port had another MAC address after a restart")              \
	X(port_removals, "times the port's device was taken away")                                 \
	X(callbacks_capped, "turns whose on_close calls reached their bound: the rest waited for the next")

struct rill_stats {
#define X(name, text) uint64_t name;
	RILL_COUNTER_LIST(X)
#undef X
	uint64_t drops[RILL_DROP_COUNT];

	/* Levels, not counters. */
	uint32_t conns;          /**< connections with a handle */
	uint32_t conns_limit;    /**< so many there can be: max_conns */
	uint32_t syn_received;   /**< half-open, passive */
	uint32_t time_wait;
	uint32_t sidecars;       /**< in use */
	uint32_t records;        /**< segment records in use */
	uint32_t mbufs;          /**< buffers in use in the lane's pools, those posted to the NIC not included */
	uint32_t neighbors;
};

/** Adds up all lanes, without stopping any. From any thread. Returns 0. */
RILL_API int rill_stats_read(struct rill_stack *stack, struct rill_stats *stats);

/** One lane's. For an embedder between turns, or from any thread. Returns 0. */
RILL_API int rill_lane_stats_read(struct rill_lane *lane, struct rill_stats *stats);

/** The name of counter i of RILL_COUNTER_LIST, and its value. Beyond the last: NULL, and 0. */
RILL_API const char *rill_counter_name(unsigned int i);
RILL_API uint64_t rill_counter_value(const struct rill_stats *stats, unsigned int i);

#ifdef __cplusplus
}
#endif

#endif
