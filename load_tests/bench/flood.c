/* Sends datagrams over and over, as fast as it can, from some addresses of this machine in turn.
 *
 *     flood FIRST SOURCES PORT SECONDS < DATAGRAMS
 *
 * FIRST is the first of so many addresses; DATAGRAMS are each after its length (see asking.h).
 * It prints how many were sent.
 */
#define _GNU_SOURCE
#include "asking.h"

enum { BATCH = 64, MOST = 256 };

static struct mmsghdr messages[BATCH];
static struct iovec datagrams[BATCH];

int main(int argc, char **argv)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	int fds[MOST], sources = argc == 5 ? atoi(argv[2]) : 0;
	size_t turn = 0;
	unsigned long sent = 0;

	if (sources < 1 || sources > MOST || inet_pton(AF_INET, argv[1], &own.sin_addr) != 1)
		return 2;
	read_requests();
	for (int i = 0; i < sources; i++) {
		fds[i] = open_udp(atoi(argv[3]), &own);
		own.sin_addr.s_addr = htonl(ntohl(own.sin_addr.s_addr) + 1);
	}
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &datagrams[i], .msg_iovlen = 1};
	for (double end = now() + atof(argv[4]); now() < end; turn++) {
		int count;

		for (size_t i = 0; i < BATCH; i++) {
			unsigned char *datagram = requests[(turn * BATCH + i) % request_count];

			datagrams[i] = (struct iovec){datagram + 2, size_of(datagram)};
		}
		count = sendmmsg(fds[turn % (size_t)sources], messages, BATCH, 0);
		sent += count > 0 ? (unsigned long)count : 0;
	}
	printf("%lu\n", sent);
}
