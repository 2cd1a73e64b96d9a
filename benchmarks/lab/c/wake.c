/* wake poll|spin CPU OTHER_CPU SECONDS [awake]: what it takes to tell a thread something. Two threads, each on its processor,
 * hand a turn to and fro: by eventfd and poll, which wakes a thread that sleeps, or by a cache line that both watch. Prints
 * turns, p50 and p99 of half a round in microseconds. With awake, a thread of least priority keeps each processor from
 * halting. */
#include "frames.h"
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

#define MOST 8000000

struct hand {
  int cpu, fd;
  _Alignas(128) uint64_t turns; /* given to it, where it spins */
};

static struct hand hands[2];
static int spins;

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) < 0) fail("processor");
}

static void give(struct hand *to) {
  uint64_t one = 1;
  if (spins) __atomic_store_n(&to->turns, to->turns + 1, __ATOMIC_RELEASE);
  else if (write(to->fd, &one, sizeof one) < 0) fail("write");
}

static void take(struct hand *mine, uint64_t turn) {
  struct pollfd ready = {.fd = mine->fd, .events = POLLIN};
  uint64_t value;
  if (spins) {
    while (__atomic_load_n(&mine->turns, __ATOMIC_ACQUIRE) != turn)
      ;
    return;
  }
  while (poll(&ready, 1, -1) < 1)
    ;
  if (read(mine->fd, &value, sizeof value) < 0) fail("read");
}

static void *answer(void *unused) {
  pin(hands[1].cpu);
  for (uint64_t turn = 1;; turn++) {
    take(&hands[1], turn);
    give(&hands[0]);
  }
  return unused;
}

static void *keep_awake(void *hand) {
  struct sched_param least = {0};
  pin(((struct hand *)hand)->cpu);
  if (sched_setscheduler(0, SCHED_IDLE, &least) < 0) fail("SCHED_IDLE");
  for (;;)
    ;
  return NULL;
}

static int compare(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  static int32_t rounds[MOST];
  pthread_t thread;
  long turns = 0;
  if (count < 5) return 2;
  spins = strcmp(arguments[1], "spin") == 0;
  for (int i = 0; i < 2; i++) {
    hands[i].cpu = atoi(arguments[2 + i]);
    hands[i].fd = eventfd(0, 0);
    if (count == 6) pthread_create(&thread, NULL, keep_awake, &hands[i]);
  }
  pthread_create(&thread, NULL, answer, NULL);
  pin(hands[0].cpu);
  int64_t began = now_ns(), end = began + (int64_t)(atof(arguments[4]) * 1e9);
  while (began < end && turns < MOST) {
    give(&hands[1]);
    take(&hands[0], turns + 1);
    int64_t now = now_ns();
    rounds[turns++] = (int32_t)(now - began);
    began = now;
  }
  qsort(rounds, turns, sizeof *rounds, compare);
  printf("%ld %.2f %.2f\n", turns, rounds[turns / 2] / 2e3, rounds[(long)(turns * 0.99)] / 2e3);
}
