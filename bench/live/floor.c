/* The floor: the least that a server can do which tells every screen everything. One ready frame,
 * one send() for each socket; no event loop between, no parsing, no bookkeeping.
 *
 * usage: floor FD LISTENER      FD as the sink's: commands come in there, reports go out, by lines.
 *
 *   write TIMES TEXT     -> written       the text as a frame to all, so many times over
 *
 * A handshake is answered without looking at it: the sink does not check the answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 65536, LONGEST = 65536 };

static int poll_fd, count, opened[MOST], place[MOST]; /* place: of a descriptor among the opened */
static const char ANSWER[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: not-checked-by-the-sink====\r\n\r\n"
    "\x81\x0c{\"epoch\":\"\"}"
    "\x81\x0a{\"live\":1}";

static void let_in(int listener) {
    int yes = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0) return;
    if (fd >= MOST) { close(fd); return; }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    place[fd] = -1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* The first that comes is the handshake; whatever comes later is dropped. */
static void hear(int fd) {
    static char dropped[LONGEST];
    ssize_t got = recv(fd, dropped, sizeof dropped, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        if (place[fd] >= 0) {
            opened[place[fd]] = opened[--count];
            place[opened[count]] = place[fd];
        }
        close(fd);
    } else if (place[fd] < 0) {
        place[fd] = count;
        opened[count++] = fd;
        send(fd, ANSWER, sizeof ANSWER - 1, MSG_NOSIGNAL);
    }
}

static void write_to_all(int times, const char *text, size_t length) {
    static unsigned char frame[LONGEST];
    size_t at = 2;
    frame[0] = 0x81;
    if (length < 126) {
        frame[1] = length;
    } else {
        frame[1] = 126;
        frame[2] = length >> 8;
        frame[3] = length & 255;
        at = 4;
    }
    memcpy(frame + at, text, length);
    while (times--)
        for (int n = 0; n < count; n++) send(opened[n], frame, at + length, MSG_NOSIGNAL);
}

static void obey(int fd) {
    static char text[LONGEST];
    static size_t have;
    ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
    if (got <= 0) exit(0);
    have += got;
    text[have] = 0;
    char *line = text, *end;
    while ((end = strchr(line, '\n'))) {
        int times, at = 0;
        *end = 0;
        if (sscanf(line, "write %d %n", &times, &at) == 1 && at) {
            write_to_all(times, line + at, end - line - at);
            send(fd, "written\n", 8, MSG_NOSIGNAL);
        }
        line = end + 1;
    }
    have -= line - text;
    memmove(text, line, have);
}

int main(int arguments, char **values) {
    if (arguments != 3) return 2;
    int commands = atoi(values[1]), listener = atoi(values[2]);
    poll_fd = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = commands};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, commands, &event);
    event.data.fd = listener;
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[256];
        int came = epoll_wait(poll_fd, events, 256, -1);
        for (int n = 0; n < came; n++) {
            int fd = events[n].data.fd;
            if (fd == commands) obey(fd);
            else if (fd == listener) let_in(fd);
            else hear(fd);
        }
    }
}
