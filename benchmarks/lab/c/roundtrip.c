/* roundtrip echo ADDRESS PORT             answers every datagram
 * roundtrip ask ADDRESS PORT SECONDS      sends one after the other; prints how many came back, p50 and p99 in microseconds
 *
 * Without UDP checksums, so that none is left unfinished for a device. */
#include "frames.h"

#define MOST 4000000

static int compare(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static void echo(int fd) {
  char bytes[64];
  struct sockaddr_in from;
  for (;;) {
    socklen_t length = sizeof from;
    ssize_t n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
    if (n >= 0) sendto(fd, bytes, n, 0, (struct sockaddr *)&from, length);
  }
}

static void ask(int fd, double seconds) {
  static int32_t times[MOST];
  struct timeval patience = {0, 50000};
  long count = 0, lost = 0;
  int64_t end = now_ns() + (int64_t)(seconds * 1e9);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (int64_t number = 0, answer, sent = now_ns(); sent < end && count < MOST; number++, sent = now_ns()) {
    ssize_t n = send(fd, &number, sizeof number, 0);
    do {
      n = recv(fd, &answer, sizeof answer, 0);
    } while (n >= 0 && answer != number); /* one that came after we gave it up */
    if (n < 0) lost++;
    else times[count++] = (int32_t)(now_ns() - sent);
  }
  if (count == 0) {
    fprintf(stderr, "no answer\n");
    exit(1);
  }
  qsort(times, count, sizeof *times, compare);
  printf("%ld %ld %.1f %.1f\n", count, lost, times[count / 2] / 1e3, times[(long)(count * 0.99)] / 1e3);
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(arguments[2]), .sin_port = htons(atoi(arguments[3]))};
  int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on);
  if (strcmp(arguments[1], "echo") == 0) {
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
    echo(fd);
  }
  if (count != 5 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  ask(fd, atof(arguments[4]));
}
