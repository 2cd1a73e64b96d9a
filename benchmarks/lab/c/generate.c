/* generate DEVICE FROM TO MAC PER_SECOND SECONDS: UDP frames of 64 bytes (60 without the check sequence) from 256 ports of FROM
 * to port 7001 of TO, at the MAC address; as many as it can with PER_SECOND 0. */
#include "frames.h"
#include <linux/ip.h>
#include <linux/udp.h>

#define FLOWS 256
#define LENGTH 60

static uint8_t frames[FLOWS][LENGTH];

static uint16_t checksum(const void *header, int words) {
  uint32_t sum = 0;
  for (int i = 0; i < words; i++) sum += ((const uint16_t *)header)[i];
  sum = (sum & 0xFFFF) + (sum >> 16);
  return ~(sum + (sum >> 16));
}

static void write_frame(uint8_t *frame, const uint8_t *macs, char **arguments, int port) {
  struct iphdr *ip = (struct iphdr *)(frame + ETH_HLEN);
  struct udphdr *udp = (struct udphdr *)(ip + 1);
  memcpy(frame, macs, 12);
  frame[12] = 8;
  *ip = (struct iphdr){
      .version = 4, .ihl = 5, .tot_len = htons(LENGTH - ETH_HLEN), .ttl = 64, .protocol = IPPROTO_UDP,
      .saddr = inet_addr(arguments[2]), .daddr = inet_addr(arguments[3])};
  ip->check = checksum(ip, 10);
  udp->source = htons(port);
  udp->dest = htons(7001);
  udp->len = htons(LENGTH - ETH_HLEN - sizeof *ip);
}

int main(int count, char **arguments) {
  uint8_t macs[12];
  struct batch out;
  if (count != 7) return 2;
  new_macs(arguments[1], arguments[4], macs);
  for (int i = 0; i < FLOWS; i++) write_frame(frames[i], macs, arguments, 20000 + i);
  int fd = packet_socket(arguments[1], 0);
  option(fd, PACKET_QDISC_BYPASS, 1);
  batch_open(&out, fd);
  double rate = atof(arguments[5]);
  int burst = rate > 0 ? 8 : BATCH;
  int64_t began = now_ns(), end = began + (int64_t)(atof(arguments[6]) * 1e9);
  for (long sent = 0;; sent += burst) {
    int64_t now = now_ns(), due = rate > 0 ? began + (int64_t)(sent / rate * 1e9) : 0;
    if (now >= end) return 0;
    if (due > now) {
      struct timespec rest = {0, due - now};
      nanosleep(&rest, NULL);
    }
    for (int i = 0; i < burst; i++) batch_add(&out, frames[(sent + i) % FLOWS], LENGTH);
    batch_flush(&out);
  }
}
