/* SPDX-License-Identifier: BSD-3-Clause */
#include "mail.h"

#include <string.h>

#define LETTERS_MAX 200
#define HOPS_MAX 6

struct letter {
	struct world *world;
	struct sim_lane *to;
	uint32_t number; /* among those posted to that lane */
	unsigned int hops;
};

static struct {
	struct letter letters[LETTERS_MAX];
	unsigned int under_way;
	uint32_t posted[HOSTS_MAX][LANES_MAX], opened[HOSTS_MAX][LANES_MAX];
} mail;

static void post(struct letter *letter);

static void
open_letter(struct rill_lane *lane, void *arg)
{
	struct letter *letter = arg;
	const struct sim_lane *to = letter->to;
	uint32_t expected = mail.opened[to->host->number][to->index]++;

	if (lane != to->lane || letter->number != expected)
		world_fail(letter->world, "letter %u of host %u lane %u was opened as number %u",
			letter->number, to->host->number, to->index, expected);
	if (rill_lane_now(lane) != letter->world->now)
		world_fail(letter->world, "a letter was opened outside a turn");
	mail.under_way--;
	if (letter->hops > 0) {
		letter->hops--;
		post(letter);
	}
}

/* To any lane of any host: they are all threads of one process. */
static void
post(struct letter *letter)
{
	struct chance *c = &letter->world->app;
	struct host *host = &letter->world->hosts[chance_below(c, letter->world->hosts_count)];

	letter->to = &host->lanes[chance_below(c, host->setup.lanes)];
	letter->number = mail.posted[host->number][letter->to->index]++;
	mail.under_way++;
	if (rill_lane_post(letter->to->lane, open_letter, letter) != 0)
		world_fail(letter->world, "a mailbox is full");
}

static void
post_later(void *arg, uint64_t value)
{
	mail.under_way--;
	post(arg);
}

void
mail_start(struct world *world)
{
	struct chance *c = &world->app;
	unsigned int count = chance_one_in(c, 2) ? 0 : chance_size(c, 1, LETTERS_MAX);

	memset(&mail, 0, sizeof(mail));
	for (unsigned int i = 0; i < count; i++) {
		mail.letters[i] =
			(struct letter){.world = world, .hops = chance_below(c, HOPS_MAX + 1)};
		mail.under_way++;
		world_after(world, chance_size(c, 0, 3 * SECOND), post_later, &mail.letters[i], 0);
	}
}

bool
mail_is_over(void)
{
	return mail.under_way == 0;
}
