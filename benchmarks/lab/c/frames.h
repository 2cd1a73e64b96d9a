/* What the programs of this directory share: devices, MAC addresses, packet sockets and sending in batches. */
#ifndef FRAMES_H
#define FRAMES_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64

static inline void fail(const char *call) {
  perror(call);
  exit(1);
}

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline unsigned device_index(const char *name) {
  unsigned index = if_nametoindex(name);
  if (index == 0) fail(name);
  return index;
}

static inline void device_mac(const char *name, uint8_t *mac) {
  struct ifreq request = {0};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0) fail(name);
  memcpy(mac, request.ifr_hwaddr.sa_data, 6);
  close(fd);
}

static inline void parse_mac(const char *text, uint8_t *mac) {
  if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6) {
    fprintf(stderr, "no MAC address: %s\n", text);
    exit(2);
  }
}

/* The first twelve bytes of what is sent: to the next hop, from the device. */
static inline void new_macs(const char *device, const char *to, uint8_t macs[12]) {
  parse_mac(to, macs);
  device_mac(device, macs + 6);
}

static inline int option(int fd, int name, int value) {
  return setsockopt(fd, SOL_PACKET, name, &value, sizeof value);
}

static inline int packet_socket(const char *device, int protocol) {
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = device_index(device)};
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("packet socket");
  return fd;
}

/* A socket with a TPACKET_V2 receive ring, of all frames but its own, each with a virtio header. A slot has room for a frame
 * of an Ethernet or for one of 64 KiB, and then an odd number of pages, so that slots do not fall on the same cache lines. */
#define SLOT_SIZE 2048
#define LONG_SLOT_SIZE (17 * 4096)
#define VNET_HEADER 10

static inline int ring_socket(const char *device, unsigned slot_size, unsigned slots, uint8_t **ring) {
  unsigned in_block = slot_size < LONG_SLOT_SIZE ? LONG_SLOT_SIZE / slot_size & ~15u : 1;
  struct tpacket_req request = {.tp_block_size = slot_size * in_block,
                                .tp_block_nr = slots / in_block,
                                .tp_frame_size = slot_size,
                                .tp_frame_nr = slots};
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = device_index(device)};
  int fd = packet_socket(device, 0);
  if (option(fd, PACKET_VERSION, TPACKET_V2) < 0 || option(fd, PACKET_VNET_HDR, 1) < 0 ||
      option(fd, PACKET_IGNORE_OUTGOING, 1) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
    fail("ring");
  *ring = mmap(NULL, (size_t)slot_size * slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (*ring == MAP_FAILED) fail("mmap");
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  return fd;
}

/* Frames to be sent by one system call; their memory stays where it is until then. */
struct batch {
  int fd, count;
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
};

static inline void batch_open(struct batch *batch, int fd) {
  memset(batch, 0, sizeof *batch);
  batch->fd = fd;
  for (int i = 0; i < BATCH; i++) {
    batch->messages[i].msg_hdr.msg_iov = &batch->parts[i];
    batch->messages[i].msg_hdr.msg_iovlen = 1;
  }
}

static inline void batch_flush(struct batch *batch) {
  for (int sent = 0; sent < batch->count;) {
    int n = sendmmsg(batch->fd, batch->messages + sent, batch->count - sent, 0);
    sent += n > 0 ? n : 1; /* a frame that is refused is left out */
  }
  batch->count = 0;
}

static inline void batch_add(struct batch *batch, void *frame, size_t length) {
  batch->parts[batch->count].iov_base = frame;
  batch->parts[batch->count].iov_len = length;
  if (++batch->count == BATCH) batch_flush(batch);
}

#endif
