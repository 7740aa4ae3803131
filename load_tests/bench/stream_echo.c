/* Sends back whatever comes on a connection: the least that answering over TCP can cost.
 *
 *     stream_echo PORT        on 127.0.0.1, until it is ended
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 1 << 18, EVENTS = 256, BACKLOG = 1024 };

static char octets[BUFFER];

static void take_in(int poll, int listener)
{
	struct epoll_event event = {.events = EPOLLIN};
	int on = 1;

	event.data.fd = accept(listener, NULL, NULL);
	setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
}

static void send_back(int fd)
{
	ssize_t count = recv(fd, octets, BUFFER, 0);

	if (count <= 0 || send(fd, octets, (size_t)count, MSG_NOSIGNAL) < 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
	int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0), on = 1;

	if (argc != 2 || listener < 0)
		return 2;
	own.sin_port = htons((unsigned short)atoi(argv[1]));
	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&own, sizeof own) < 0 || listen(listener, BACKLOG) < 0) {
		perror("bind");
		return 1;
	}
	event.data.fd = listener;
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int count = epoll_wait(poll, events, EVENTS, -1);

		for (int i = 0; i < count; i++)
			if (events[i].data.fd == listener)
				take_in(poll, listener);
			else
				send_back(events[i].data.fd);
	}
}
