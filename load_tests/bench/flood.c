/* Sends one datagram again and again, as fast as it can.
 *
 *     flood SOURCE PORT SECONDS < DATAGRAM        to 127.0.0.1; prints how many were sent
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, SLOT = 2048 };

static char octets[SLOT];
static struct mmsghdr messages[BATCH];

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	struct sockaddr_in own = {.sin_family = AF_INET}, peer = {.sin_family = AF_INET};
	struct iovec datagram = {octets, fread(octets, 1, SLOT, stdin)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned long sent = 0;

	if (argc != 4 || fd < 0 || inet_pton(AF_INET, argv[1], &own.sin_addr) != 1)
		return 2;
	peer.sin_port = htons((unsigned short)atoi(argv[2]));
	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0 ||
	    connect(fd, (struct sockaddr *)&peer, sizeof peer) < 0) {
		perror("flood");
		return 1;
	}
	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &datagram, .msg_iovlen = 1};
	for (double end = now() + atof(argv[3]); now() < end;) {
		int count = sendmmsg(fd, messages, BATCH, 0);

		sent += count > 0 ? (unsigned long)count : 0;
	}
	printf("%lu\n", sent);
}
