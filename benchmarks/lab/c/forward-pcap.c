/* forward-pcap IN OUT MAC: forwards from IN to the MAC address at OUT. libpcap in, a copy, sendmmsg out. */
#include "frames.h"
#include <pcap/pcap.h>

#define SLOT 2048

static uint8_t area[BATCH][SLOT];
static uint8_t macs[12];
static struct batch out;

static void on_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes) {
  uint8_t *copy = area[out.count];
  (void)user;
  memcpy(copy, bytes, header->caplen);
  memcpy(copy, macs, sizeof macs);
  batch_add(&out, copy, header->caplen);
}

int main(int count, char **arguments) {
  char error[PCAP_ERRBUF_SIZE];
  if (count != 4) return 2;
  new_macs(arguments[2], arguments[3], macs);
  pcap_t *in = pcap_create(arguments[1], error);
  if (in == NULL) return fprintf(stderr, "%s\n", error), 1;
  pcap_set_snaplen(in, SLOT);
  pcap_set_timeout(in, 1);
  pcap_set_buffer_size(in, 8 << 20);
  if (pcap_activate(in) < 0) return pcap_perror(in, "activate"), 1;
  pcap_setdirection(in, PCAP_D_IN);
  pcap_setnonblock(in, 1, error);
  batch_open(&out, packet_socket(arguments[2], 0));
  struct pollfd ready = {.fd = pcap_get_selectable_fd(in), .events = POLLIN};
  for (;;) {
    if (pcap_dispatch(in, BATCH, on_frame, NULL) <= 0) poll(&ready, 1, 100);
    batch_flush(&out);
  }
}
