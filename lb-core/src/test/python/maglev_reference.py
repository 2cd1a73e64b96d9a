#!/usr/bin/env python3
"""Maglev tables from the definition alone (docs/schedulers.md), as a second opinion on the Java implementation.

It walks every round, as the paper's listing 1 does, and hashes with an XXH64 written from the xxHash specification.
Writes src/test/resources/io/lb4j/schedule/maglev-reference.txt:

    python3 maglev_reference.py > ../resources/io/lb4j/schedule/maglev-reference.txt

A line is: servers size modulus seed first-ranks sha256. Server i of n is "10.<i div 256>.<i mod 256>.1:80" with the
weight 1 + (i * i) mod modulus. A table is the rank of each slot's server among the identities sorted by their bytes,
16 bits big-endian each; the line has the first 16 ranks, and the SHA-256 of the whole.
"""

import hashlib

MASK = (1 << 64) - 1
P1, P2, P3 = 11400714785074694791, 14029467366897019727, 1609587929392839161
P4, P5 = 9650029242287828579, 2870177450012600261


def rotl(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def mix(acc, word):
    return rotl((acc + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data, seed):
    words = memoryview(data)
    if len(data) >= 32:
        acc = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed & MASK, (seed - P1) & MASK]
        while len(words) >= 32:
            acc = [mix(acc[k], int.from_bytes(words[8 * k:8 * k + 8], "little")) for k in range(4)]
            words = words[32:]
        value = sum(rotl(acc[k], bits) for k, bits in enumerate((1, 7, 12, 18))) & MASK
        for lane in acc:
            value = ((value ^ mix(0, lane)) * P1 + P4) & MASK
    else:
        value = (seed + P5) & MASK
    value = (value + len(data)) & MASK
    while len(words) >= 8:
        value = (rotl(value ^ mix(0, int.from_bytes(words[:8], "little")), 27) * P1 + P4) & MASK
        words = words[8:]
    if len(words) >= 4:
        value = (rotl(value ^ int.from_bytes(words[:4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        words = words[4:]
    for byte in words:
        value = rotl(value ^ byte * P5 & MASK, 11) * P1 & MASK
    value = (value ^ value >> 33) * P2 & MASK
    value = (value ^ value >> 29) * P3 & MASK
    return value ^ value >> 32


def table(servers, size, seed):
    """Ranks by slot; servers is a list of (identity, weight)."""
    ranked = sorted((identity.encode(), weight) for identity, weight in servers)
    total = sum(weight for _, weight in ranked)
    shares = [weight / total for _, weight in ranked]
    largest = max(shares)
    targets = [0.0] * len(ranked)
    offsets = [xxh64(key, seed) % size for key, _ in ranked]
    skips = [xxh64(key, (seed + 1) & MASK) % (size - 1) + 1 for key, _ in ranked]
    tried = [0] * len(ranked)
    slots = [None] * size
    filled = 0
    turn = 0
    while filled < size:
        turn += 1
        for rank, share in enumerate(shares):
            if filled == size:
                break
            if turn * share < targets[rank]:
                continue
            targets[rank] += largest
            while True:
                slot = (offsets[rank] + skips[rank] * tried[rank]) % size
                tried[rank] += 1
                if slots[slot] is None:
                    break
            slots[slot] = rank
            filled += 1
    return slots


def pool(count, modulus):
    return [(f"10.{i // 256}.{i % 256}.1:80", 1 + i * i % modulus) for i in range(count)]


CASES = [
    (1, 65537, 1, 0), (2, 65537, 1, 0), (3, 7, 1, 0), (6, 7, 1, 0), (5, 13, 3, 0), (10, 7, 1, 0),
    (16, 65537, 1, 0), (16, 65537, 1, 1), (16, 65537, 5, 0), (16, 65537, 100, 42), (99, 65537, 1, 0),
    (100, 65537, 1, 0), (100, 65537, 7, 0), (100, 65537, 65535, 0), (100, 65537, 65535, -1),
    (655, 65537, 1, 0), (655, 65537, 10, 7), (1000, 131101, 1, 0), (1000, 131101, 3, 1 << 63),
    (256, 655373, 1, 0), (4096, 524309, 2, 123456789),
]


def main():
    for count, size, modulus, seed in CASES:
        slots = table(pool(count, modulus), size, seed & MASK)
        digest = hashlib.sha256(b"".join(rank.to_bytes(2, "big") for rank in slots)).hexdigest()
        signed = seed - (1 << 64) if seed >= 1 << 63 else seed
        print(count, size, modulus, signed, ",".join(str(rank) for rank in slots[:16]), digest)


if __name__ == "__main__":
    main()
