/* Sends every datagram back to where it came from: the least that answering over UDP can cost.
 *
 *     echo PORT [OCTETS]       on 127.0.0.1, until it is ended; several may share a port
 *
 * With OCTETS every answer has so many, whatever stands behind what came.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 64, SLOT = 2048, BUFFER = 1 << 22 };

static char octets[BATCH][SLOT];
static struct sockaddr_in peers[BATCH];
static struct iovec slots[BATCH];
static struct mmsghdr messages[BATCH];

int main(int argc, char **argv)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	int size = BUFFER, octets_back = argc == 3 ? atoi(argv[2]) : 0;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc < 2 || argc > 3 || octets_back > SLOT || fd < 0)
		return 2;
	own.sin_port = htons((unsigned short)atoi(argv[1]));
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) {
		perror("bind");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			slots[i] = (struct iovec){octets[i], SLOT};
			messages[i].msg_hdr = (struct msghdr){
				.msg_name = &peers[i], .msg_namelen = sizeof peers[i],
				.msg_iov = &slots[i], .msg_iovlen = 1};
		}
		int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < count; i++)
			slots[i].iov_len = octets_back ? (size_t)octets_back : messages[i].msg_len;
		for (int sent = 0, now; sent < count; sent += now)
			if ((now = sendmmsg(fd, messages + sent, count - sent, 0)) <= 0)
				break;
	}
}
