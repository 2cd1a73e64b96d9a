/* forward-packet IN OUT MAC: forwards from IN to the MAC address at OUT. A TPACKET_V3 ring with virtio headers, rewritten in
 * place and sent from there by sendmmsg. */
#include "frames.h"

#define BLOCK_SIZE (256 << 10)
#define BLOCKS 64

static uint8_t *open_ring(int fd) {
  struct tpacket_req3 request = {
      .tp_block_size = BLOCK_SIZE,
      .tp_block_nr = BLOCKS,
      .tp_frame_size = 2048,
      .tp_frame_nr = BLOCK_SIZE / 2048 * BLOCKS,
      .tp_retire_blk_tov = 1,
  };
  if (option(fd, PACKET_VERSION, TPACKET_V3) < 0 || option(fd, PACKET_VNET_HDR, 1) < 0 ||
      option(fd, PACKET_IGNORE_OUTGOING, 1) < 0 ||
      setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0)
    fail("ring");
  void *ring = mmap(NULL, (size_t)BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (ring == MAP_FAILED) fail("mmap");
  return ring;
}

static void forward_block(struct tpacket_block_desc *block, const uint8_t *macs, struct batch *out) {
  uint8_t *at = (uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;
  for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
    struct tpacket3_hdr *header = (struct tpacket3_hdr *)at;
    memcpy(at + header->tp_mac, macs, 12);
    batch_add(out, at + header->tp_mac - VNET_HEADER, header->tp_snaplen + VNET_HEADER);
    at += header->tp_next_offset;
  }
  batch_flush(out);
}

int main(int count, char **arguments) {
  uint8_t macs[12];
  struct batch out;
  if (count != 4) return 2;
  new_macs(arguments[2], arguments[3], macs);
  int out_fd = packet_socket(arguments[2], 0);
  if (option(out_fd, PACKET_VNET_HDR, 1) < 0) fail("virtio headers");
  batch_open(&out, out_fd);
  int in = packet_socket(arguments[1], 0);
  uint8_t *ring = open_ring(in);
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = device_index(arguments[1])};
  if (bind(in, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  struct pollfd ready = {.fd = in, .events = POLLIN};
  for (int i = 0;; i = (i + 1) % BLOCKS) {
    struct tpacket_block_desc *block = (void *)(ring + (size_t)i * BLOCK_SIZE);
    while (!(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) poll(&ready, 1, 100);
    forward_block(block, macs, &out);
    __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  }
}
