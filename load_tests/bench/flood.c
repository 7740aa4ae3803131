/* Sends datagrams over and over, as fast as it can, from some addresses of this machine in turn.
 *
 *     flood FIRST SOURCES PORT SECONDS < DATAGRAMS
 *
 * FIRST is the first of so many addresses; DATAGRAMS are each after its length (see asking.h).
 * It prints how many were sent.
 */
#define _GNU_SOURCE
#include "asking.h"

enum { BATCH = 64 };

/* Says which address a datagram is sent from. */
struct source {
	struct cmsghdr header;
	struct in_pktinfo info;
};

static struct mmsghdr messages[BATCH];
static struct iovec datagrams[BATCH];
static struct source sources[BATCH];

int main(int argc, char **argv)
{
	unsigned first, count;
	unsigned long sent = 0;
	size_t turn = 0;
	int fd;

	if (argc != 5 || (count = (unsigned)atoi(argv[2])) < 1)
		return 2;
	first = ntohl(inet_addr(argv[1]));
	fd = open_udp(atoi(argv[3]), first);
	read_requests();
	for (size_t i = 0; i < BATCH; i++) {
		sources[i].header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof sources[i].info),
						     .cmsg_level = IPPROTO_IP,
						     .cmsg_type = IP_PKTINFO};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &datagrams[i],
						      .msg_iovlen = 1,
						      .msg_control = &sources[i],
						      .msg_controllen = sizeof sources[i]};
	}
	for (double end = now() + atof(argv[4]); now() < end; turn += BATCH) {
		int taken;

		for (size_t i = 0; i < BATCH; i++) {
			unsigned char *datagram = requests[(turn + i) % request_count];

			datagrams[i] = (struct iovec){datagram + 2, size_of(datagram)};
			sources[i].info.ipi_spec_dst.s_addr =
				htonl(first + (unsigned)((turn + i) % count));
		}
		taken = sendmmsg(fd, messages, BATCH, 0);
		sent += taken > 0 ? (unsigned long)taken : 0;
	}
	printf("%lu\n", sent);
}
