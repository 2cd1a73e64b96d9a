#!/usr/bin/env python3
"""SipHash-c-d from the paper (Aumasson and Bernstein, 2012, section 2), as a second opinion on the Java implementation.

Checks itself with the paper's appendix A (SipHash-2-4, 15 bytes), then prints lines of SipHash-1-3 over five 64-bit
little-endian words:

    python3 siphash_reference.py > ../resources/io/lb4j/schedule/siphash-reference.txt

A line is: key0 key1 word1 .. word5 hash, all hexadecimal.
"""

import struct

MASK = (1 << 64) - 1


def rotl(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def siphash(key0, key1, message, compressions, finalizations):
    v = [key0 ^ 0x736F6D6570736575, key1 ^ 0x646F72616E646F6D, key0 ^ 0x6C7967656E657261, key1 ^ 0x7465646279746573]

    def sip_round():
        v[0] = (v[0] + v[1]) & MASK
        v[2] = (v[2] + v[3]) & MASK
        v[1] = rotl(v[1], 13) ^ v[0]
        v[3] = rotl(v[3], 16) ^ v[2]
        v[0] = rotl(v[0], 32)
        v[2] = (v[2] + v[1]) & MASK
        v[0] = (v[0] + v[3]) & MASK
        v[1] = rotl(v[1], 17) ^ v[2]
        v[3] = rotl(v[3], 21) ^ v[0]
        v[2] = rotl(v[2], 32)

    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        for _ in range(compressions):
            sip_round()
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(finalizations):
        sip_round()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def main():
    key0, key1 = struct.unpack("<QQ", bytes(range(16)))
    assert siphash(key0, key1, bytes(range(15)), 2, 4) == 0xA129CA6149BE45E5
    state = 1
    for line in range(64):
        numbers = []
        for _ in range(7):
            state = (state * 6364136223846793005 + 1442695040888963407) & MASK
            numbers.append((0, MASK, state ^ state >> 33)[min(line, 2)])
        digest = siphash(numbers[0], numbers[1], struct.pack("<5Q", *numbers[2:]), 1, 3)
        print(*(f"{number:016x}" for number in numbers), f"{digest:016x}")


if __name__ == "__main__":
    main()
