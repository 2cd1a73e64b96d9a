/* redirect-packet poll|spin short|long (FROM ADDRESS TO MAC[,MAC...])...: IPv4 frames for the address that come at FROM leave
 * at TO, for one of the MAC addresses by their source port. TPACKET_V2 rings with virtio headers, rewritten in place and sent
 * from there by sendmmsg, as many as wait: the least that a process with packet sockets can do for a connection. It
 * translates nothing. Frames longer than a slot are left out: super-frames, unless slots are long. */
#include "frames.h"
#include <linux/ip.h>
#include <linux/tcp.h>

#define MOST 4

struct side {
  const char *device;
  int fd;
  uint8_t *ring;
  unsigned next;
  struct batch out;
};

struct rule {
  struct side *from, *to;
  uint32_t address;
  unsigned servers;
  uint8_t macs[MOST][12];
};

static struct side sides[MOST];
static struct rule rules[MOST];
static int side_count, rule_count;
static unsigned slot_size = SLOT_SIZE, slots = 8192;

static struct side *open_side(const char *device) {
  for (int i = 0; i < side_count; i++)
    if (strcmp(sides[i].device, device) == 0) return &sides[i];
  struct side *side = &sides[side_count++];
  side->device = device;
  side->fd = ring_socket(device, slot_size, slots, &side->ring);
  batch_open(&side->out, side->fd);
  return side;
}

static void add_rule(char **arguments) {
  struct rule *rule = &rules[rule_count++];
  rule->from = open_side(arguments[0]);
  rule->address = inet_addr(arguments[1]);
  rule->to = open_side(arguments[2]);
  for (char *mac = strtok(arguments[3], ","); mac != NULL && rule->servers < MOST; mac = strtok(NULL, ","))
    new_macs(arguments[2], mac, rule->macs[rule->servers++]);
}

static void redirect(const struct side *from, struct tpacket2_hdr *header) {
  uint8_t *frame = (uint8_t *)header + header->tp_mac;
  const struct iphdr *ip = (const struct iphdr *)(frame + ETH_HLEN);
  const struct tcphdr *tcp = (const struct tcphdr *)(ip + 1);
  if (header->tp_snaplen != header->tp_len || header->tp_len < ETH_HLEN + sizeof *ip + sizeof *tcp) return;
  if (((struct ethhdr *)frame)->h_proto != htons(ETH_P_IP)) return;
  for (struct rule *rule = rules; rule < rules + rule_count; rule++) {
    if (rule->from == from && rule->address == ip->daddr) {
      memcpy(frame, rule->macs[ntohs(tcp->source) % rule->servers], 12);
      batch_add(&rule->to->out, frame - VNET_HEADER, header->tp_snaplen + VNET_HEADER);
      return;
    }
  }
}

static struct tpacket2_hdr *slot(const struct side *side, unsigned ahead) {
  return (void *)(side->ring + (size_t)((side->next + ahead) % slots) * slot_size);
}

static unsigned take(struct side *side) {
  unsigned taken = 0;
  while (taken < BATCH && __atomic_load_n(&slot(side, taken)->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)
    redirect(side, slot(side, taken++));
  if (taken == 0) return 0;
  for (int i = 0; i < side_count; i++) batch_flush(&sides[i].out);
  for (unsigned i = 0; i < taken; i++) __atomic_store_n(&slot(side, i)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  side->next = (side->next + taken) % slots;
  return taken;
}

int main(int count, char **arguments) {
  struct pollfd ready[MOST];
  if (count < 7 || (count - 3) % 4 != 0 || (count - 3) / 4 > MOST / 2) return 2;
  int spins = strcmp(arguments[1], "spin") == 0;
  if (strcmp(arguments[2], "long") == 0) {
    slot_size = LONG_SLOT_SIZE;
    slots = 128;
  }
  for (int i = 3; i < count; i += 4) add_rule(arguments + i);
  for (int i = 0; i < side_count; i++) ready[i] = (struct pollfd){.fd = sides[i].fd, .events = POLLIN};
  for (;;) {
    unsigned taken = 0;
    for (int i = 0; i < side_count; i++) taken += take(&sides[i]);
    if (taken == 0 && !spins) poll(ready, side_count, 100);
  }
}
