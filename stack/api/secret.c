/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "errtext.h"
#include "runner.h"
#include "siphash.h"

#define MAC_LOCAL 0x02
#define MAC_GROUP 0x01

int
secret_draw(uint8_t secret[RILL_SECRET_LEN])
{
	ssize_t n;

	do
		n = getrandom(secret, RILL_SECRET_LEN, 0);
	while (n < 0 && errno == EINTR);
	if (n == RILL_SECRET_LEN)
		return 0;
	return error_set(n < 0 ? -errno : -EIO,
		"secret: the system gives no random bytes (getrandom): set %u bytes in the configuration",
		RILL_SECRET_LEN);
}

void
secret_mac(const uint8_t secret[RILL_SECRET_LEN], uint8_t mac[6])
{
	struct siphash_key key = siphash_derive(secret, "mac");

	memcpy(mac, &key.k0, 6);
	mac[0] = (uint8_t)((mac[0] | MAC_LOCAL) & ~MAC_GROUP);
}
