/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each congestion control's on_ack costs, in slow start (BBR: in STARTUP) and in congestion
 * avoidance (BBR: once it cruises or probes). A flow over a model of a link is recorded, what
 * on_ack is told of each ACK; then this is told again and again, from the same state.
 */
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <rill/options.h>

#include "bench.h"

extern "C" {
#include "bbr.h"
#include "cc.h"
}

namespace
{

constexpr uint32_t kMss = 1448;
constexpr uint32_t kRttUs = 20000;
constexpr uint64_t kSegmentNs = 11584; /* at 1 Gbit/s */
constexpr ustime kStart = 5000000;
constexpr unsigned int kAcks = 256;        /* recorded */
constexpr unsigned int kBeforeLoss = 1000; /* ACKs in slow start; as many after it */
constexpr ustime kBbrSettled = kStart + 2 * USEC_PER_SEC;

struct Packet {
	struct rate_stamp stamp;
	ustime sent_at, ack_at;
};

struct Told {
	struct cc_ack ack;
	struct rate_sample sample;
	struct rate rate; /* BBR's, which whoever calls on_ack has brought up to date */
};

/* A flow that always has data, on a link without losses and with all the queue that it wants. */
class Flow
{
      public:
	explicit Flow(enum rill_cc algorithm);
	Flow(const Flow &) = delete;
	Flow &operator=(const Flow &) = delete;

	/* Up to the next ACK, which on_ack has then been told of. */
	Told step();

	/* A loss, repaired at once. */
	void lose();

	const struct cc_ops *ops;
	struct cc cc;
	struct bbr bbr;
	ustime now = kStart;

      private:
	void send();
	void arrive(Told &told);

	bool paced_;
	uint32_t flight_ = 0, srtt_us_ = 0;
	uint64_t link_free_ns_ = 0;
	seq_t una_ = {1}, nxt_ = {1};
	std::deque<Packet> out_;
};

Flow::Flow(enum rill_cc algorithm) : ops(cc_ops(algorithm)), paced_(algorithm == RILL_CC_BBR)
{
	memset(&bbr, 0, sizeof(bbr));
	cc_init(&cc, algorithm, kMss, 10 * kMss);
	if (paced_)
		bbr_start(&cc, &bbr, kMss, 0, 1, kStart);
}

void
Flow::send()
{
	Packet packet = {};
	uint64_t now_ns = now * 1000;

	if (paced_) {
		rate_sent(&bbr.rate, &packet.stamp, flight_, kMss, now);
		pacer_sent(&bbr.pacer, kMss, now);
	}
	link_free_ns_ = (link_free_ns_ > now_ns ? link_free_ns_ : now_ns) + kSegmentNs;
	packet.sent_at = now;
	packet.ack_at = (link_free_ns_ + 999) / 1000 + kRttUs;
	out_.push_back(packet);
	flight_ += kMss;
	nxt_ = seq_add(nxt_, kMss);
}

void
Flow::arrive(Told &told)
{
	Packet packet = out_.front();
	struct cc_ack &ack = told.ack;

	out_.pop_front();
	now = packet.ack_at;
	una_ = seq_add(una_, kMss);
	ack.now = now;
	ack.acked = ack.delivered = ack.mss = kMss;
	ack.flight = flight_;
	ack.rtt_us = static_cast<uint32_t>(now - packet.sent_at);
	srtt_us_ = srtt_us_ == 0 ? ack.rtt_us : (7 * srtt_us_ + ack.rtt_us) / 8;
	ack.srtt_us = srtt_us_;
	ack.min_rtt_us = kRttUs;
	ack.snd_una = una_;
	ack.snd_nxt = nxt_;
	ack.cwnd_limited = flight_ + kMss > cc.cwnd;
	if (!paced_)
		return;
	rate_delivered(&bbr.rate, &told.sample, &packet.stamp, us32(packet.sent_at), kMss, now);
	rate_finish(&bbr.rate, &told.sample, kRttUs);
	told.rate = bbr.rate;
	ack.rate = &told.sample;
}

Told
Flow::step()
{
	Told told = {};

	for (;;) {
		bool room;

		while ((room = flight_ + kMss <= cc.cwnd) &&
			(!paced_ || pacer_allows(&bbr.pacer, now)))
			send();
		if (!paced_ ||
			(!out_.empty() && (!room || pacer_wake(&bbr.pacer) >= out_.front().ack_at)))
			break;
		now = pacer_wake(&bbr.pacer);
	}
	arrive(told);
	ops->on_ack(&cc, &told.ack);
	flight_ -= kMss;
	return told;
}

void
Flow::lose()
{
	struct cc_event event = {};
	struct cc_ack ack = {};

	event.now = now;
	event.flight = flight_;
	event.mss = kMss;
	event.first = true;
	ops->on_loss(&cc, &event);
	ack.now = now;
	ack.mss = kMss;
	ack.in_recovery = true;
	ops->on_ack(&cc, &ack);
	ops->on_recovered(&cc, &event);
}

/* Is the flow where it is to be measured? */
bool
in_slow_start(const Flow &flow)
{
	return flow.ops->paces ? flow.bbr.state == BBR_STARTUP : flow.cc.cwnd < flow.cc.ssthresh;
}

void
settle(Flow &flow)
{
	if (flow.ops->paces) {
		while (flow.now < kBbrSettled)
			flow.step();
		return;
	}
	for (unsigned int i = 0; i < kBeforeLoss; i++)
		flow.step();
	flow.lose();
	for (unsigned int i = 0; i < kBeforeLoss; i++)
		flow.step();
}

void
on_ack(benchmark::State &state, enum rill_cc algorithm, bool slow_start)
{
	Flow flow(algorithm);
	std::vector<Told> told;
	struct cc cc;
	struct bbr bbr;
	uint64_t begin;

	if (!slow_start)
		settle(flow);
	cc = flow.cc;
	bbr = flow.bbr;
	for (unsigned int i = 0; i < kAcks; i++)
		told.push_back(flow.step());
	for (Told &one : told)
		if (one.ack.rate != nullptr)
			one.ack.rate = &one.sample;
	if (in_slow_start(flow) != slow_start) {
		state.SkipWithError("in another phase");
		return;
	}

	const struct cc after = flow.cc;

	begin = rte_rdtsc();
	for (auto _ : state) {
		flow.cc = cc; /* BBR's points to flow.bbr */
		flow.bbr = bbr;
		for (const Told &one : told) {
			flow.bbr.rate = one.rate;
			flow.ops->on_ack(&flow.cc, &one.ack);
		}
		benchmark::ClobberMemory();
	}
	bench_items(state, static_cast<uint64_t>(state.iterations()) * kAcks, rte_rdtsc() - begin);
	if (flow.cc.cwnd != after.cwnd || flow.cc.ssthresh != after.ssthresh)
		state.SkipWithError("told again, it does something else");
}

} /* namespace */

int
main(int argc, char **argv)
{
	static const enum rill_cc algorithms[] = {
		RILL_CC_NEWRENO, RILL_CC_CUBIC, RILL_CC_DCTCP, RILL_CC_BBR};

	for (enum rill_cc algorithm : algorithms) {
		std::string name = rill_cc_name(algorithm);

		benchmark::RegisterBenchmark(
			(name + "/slow_start").c_str(), on_ack, algorithm, true);
		benchmark::RegisterBenchmark(
			(name + "/avoidance").c_str(), on_ack, algorithm, false);
	}
	benchmark::Initialize(&argc, argv);
	if (benchmark::ReportUnrecognizedArguments(argc, argv))
		return 2;
	benchmark::RunSpecifiedBenchmarks();
	return 0;
}
