/* relay-packet poll|spin LEFT LEFT_MAC RIGHT RIGHT_MAC: what came from LEFT goes to RIGHT_MAC at RIGHT, and back, each frame
 * as soon as it is seen. TPACKET_V2 rings with virtio headers, rewritten in place and sent from there: the least that a
 * process can do for a round trip. */
#include "frames.h"

#define SLOTS 2048

struct side {
  int fd;
  uint8_t *ring;
  unsigned next;
  uint8_t macs[12]; /* of the frames that leave here */
};

static void open_side(struct side *side, const char *device, const char *mac) {
  side->fd = ring_socket(device, SLOT_SIZE, SLOTS, &side->ring);
  side->next = 0;
  new_macs(device, mac, side->macs);
}

static int relay_one(struct side *from, const struct side *to) {
  struct tpacket2_hdr *header = (void *)(from->ring + (size_t)from->next * SLOT_SIZE);
  if (!(__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) return 0;
  uint8_t *frame = (uint8_t *)header + header->tp_mac;
  memcpy(frame, to->macs, sizeof to->macs);
  if (send(to->fd, frame - VNET_HEADER, header->tp_snaplen + VNET_HEADER, 0) < 0 && errno != ENOBUFS) perror("send");
  __atomic_store_n(&header->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  from->next = (from->next + 1) % SLOTS;
  return 1;
}

int main(int count, char **arguments) {
  struct side left, right;
  if (count != 6) return 2;
  int spin = strcmp(arguments[1], "spin") == 0;
  open_side(&left, arguments[2], arguments[3]);
  open_side(&right, arguments[4], arguments[5]);
  struct pollfd ready[] = {{.fd = left.fd, .events = POLLIN}, {.fd = right.fd, .events = POLLIN}};
  for (;;)
    if (relay_one(&left, &right) + relay_one(&right, &left) == 0 && !spin) poll(ready, 2, 100);
}
