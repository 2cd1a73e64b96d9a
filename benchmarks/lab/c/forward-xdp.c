/* forward-xdp IN OUT MAC poll|spin: forwards from IN to the MAC address at OUT. AF_XDP in copy mode, one UMEM for both, a
 * program of six instructions on IN's first queue. It ends with the process, because it is attached by a link. */
#include "frames.h"
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <sys/syscall.h>

#define FRAME_SIZE 2048
#define FRAMES 8192
#define RING 4096

/* A ring whose other side is the kernel's. */
struct ring {
  uint32_t *producer, *consumer, *flags;
  uint8_t *entries;
};

struct side {
  int fd;
  struct ring fill, completion, receive, transmit;
};

static uint8_t *memory;

static int bpf(int command, union bpf_attr *attributes) {
  return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static struct ring map_ring(int fd, off_t page, const struct xdp_ring_offset *offsets, size_t entry) {
  uint8_t *at = mmap(
      NULL, offsets->desc + RING * entry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, page);
  if (at == MAP_FAILED) fail("mmap");
  return (struct ring){
      (uint32_t *)(at + offsets->producer), (uint32_t *)(at + offsets->consumer), (uint32_t *)(at + offsets->flags),
      at + offsets->desc};
}

static void set_ring(int fd, int name) {
  int size = RING;
  if (setsockopt(fd, SOL_XDP, name, &size, sizeof size) < 0) fail("ring");
}

static struct side open_side(const char *device, int shared_fd) {
  struct side side = {.fd = socket(AF_XDP, SOCK_RAW, 0)};
  struct xdp_umem_reg umem = {.addr = (uintptr_t)memory, .len = FRAMES * FRAME_SIZE, .chunk_size = FRAME_SIZE};
  struct sockaddr_xdp address = {.sxdp_family = AF_XDP, .sxdp_ifindex = device_index(device)};
  struct xdp_mmap_offsets offsets;
  socklen_t length = sizeof offsets;
  if (side.fd < 0) fail("AF_XDP socket");
  if (shared_fd < 0 && setsockopt(side.fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem) < 0) fail("UMEM");
  set_ring(side.fd, XDP_UMEM_FILL_RING);
  set_ring(side.fd, XDP_UMEM_COMPLETION_RING);
  set_ring(side.fd, XDP_RX_RING);
  set_ring(side.fd, XDP_TX_RING);
  if (getsockopt(side.fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) < 0) fail("offsets");
  side.fill = map_ring(side.fd, XDP_UMEM_PGOFF_FILL_RING, &offsets.fr, sizeof(uint64_t));
  side.completion = map_ring(side.fd, XDP_UMEM_PGOFF_COMPLETION_RING, &offsets.cr, sizeof(uint64_t));
  side.receive = map_ring(side.fd, XDP_PGOFF_RX_RING, &offsets.rx, sizeof(struct xdp_desc));
  side.transmit = map_ring(side.fd, XDP_PGOFF_TX_RING, &offsets.tx, sizeof(struct xdp_desc));
  address.sxdp_flags = shared_fd < 0 ? XDP_COPY | XDP_USE_NEED_WAKEUP : XDP_SHARED_UMEM;
  address.sxdp_shared_umem_fd = shared_fd < 0 ? 0 : shared_fd;
  if (bind(side.fd, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  return side;
}

/* Frames of the first queue go to the socket: r1 = map, r2 = queue, r3 = XDP_PASS for the others; redirect; exit. */
static void attach(const char *device, int socket_fd) {
  union bpf_attr map = {.map_type = BPF_MAP_TYPE_XSKMAP, .key_size = 4, .value_size = 4, .max_entries = 1};
  int map_fd = bpf(BPF_MAP_CREATE, &map), zero = 0;
  union bpf_attr element = {.map_fd = map_fd, .key = (uintptr_t)&zero, .value = (uintptr_t)&socket_fd};
  if (map_fd < 0 || bpf(BPF_MAP_UPDATE_ELEM, &element) < 0) fail("XSK map");
  struct bpf_insn program[] = {
      {.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = offsetof(struct xdp_md, rx_queue_index)},
      {.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map_fd},
      {0},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = XDP_PASS},
      {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
      {.code = BPF_JMP | BPF_EXIT},
  };
  union bpf_attr load = {
      .prog_type = BPF_PROG_TYPE_XDP,
      .insns = (uintptr_t)program,
      .insn_cnt = sizeof program / sizeof *program,
      .license = (uintptr_t) "Apache-2.0"};
  int program_fd = bpf(BPF_PROG_LOAD, &load);
  if (program_fd < 0) fail("program");
  union bpf_attr link = {.link_create = {
      .prog_fd = program_fd, .target_ifindex = device_index(device), .attach_type = BPF_XDP, .flags = XDP_FLAGS_DRV_MODE}};
  if (bpf(BPF_LINK_CREATE, &link) < 0) fail("attach");
}

static uint32_t waiting(const struct ring *ring) {
  return __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) - *ring->consumer;
}

/* Gives a frame back to whom frames are received into. */
static void put_fill(struct ring *fill, uint64_t address) {
  ((uint64_t *)fill->entries)[*fill->producer & (RING - 1)] = address & ~(uint64_t)(FRAME_SIZE - 1);
  __atomic_store_n(fill->producer, *fill->producer + 1, __ATOMIC_RELEASE);
}

static void collect(struct ring *completion, struct ring *fill) {
  uint32_t count = waiting(completion);
  for (uint32_t i = 0; i < count; i++) {
    put_fill(fill, ((uint64_t *)completion->entries)[(*completion->consumer + i) & (RING - 1)]);
  }
  __atomic_store_n(completion->consumer, *completion->consumer + count, __ATOMIC_RELEASE);
}

/* One call sends 32 frames at most in copy mode. */
static void kick(struct side *out) {
  while (__atomic_load_n(out->transmit.consumer, __ATOMIC_ACQUIRE) != *out->transmit.producer) {
    if (sendto(out->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) {
      fail("sendto");
    }
  }
}

static uint32_t forward(struct side *in, struct side *out, const uint8_t *macs) {
  uint32_t count = waiting(&in->receive);
  count = count > BATCH ? BATCH : count;
  for (uint32_t i = 0; i < count; i++) {
    struct xdp_desc frame = ((struct xdp_desc *)in->receive.entries)[(*in->receive.consumer + i) & (RING - 1)];
    memcpy(memory + frame.addr, macs, 12);
    ((struct xdp_desc *)out->transmit.entries)[(*out->transmit.producer + i) & (RING - 1)] = frame;
  }
  __atomic_store_n(in->receive.consumer, *in->receive.consumer + count, __ATOMIC_RELEASE);
  __atomic_store_n(out->transmit.producer, *out->transmit.producer + count, __ATOMIC_RELEASE);
  return count;
}

int main(int count, char **arguments) {
  uint8_t macs[12];
  if (count != 5) return 2;
  int spins = strcmp(arguments[4], "spin") == 0;
  new_macs(arguments[2], arguments[3], macs);
  memory = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  struct side in = open_side(arguments[1], -1), out = open_side(arguments[2], in.fd);
  for (uint64_t i = 0; i < RING; i++) put_fill(&in.fill, i * FRAME_SIZE);
  attach(arguments[1], in.fd);
  struct pollfd ready = {.fd = in.fd, .events = POLLIN};
  for (;;) {
    if (forward(&in, &out, macs) > 0) {
      kick(&out);
      collect(&out.completion, &in.fill);
    } else if (!spins) {
      poll(&ready, 1, 100);
    }
  }
}
