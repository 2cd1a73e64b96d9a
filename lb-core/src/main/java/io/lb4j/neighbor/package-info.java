/**
 * Who is on the link: next hops and their MAC addresses (ARP, RFC 826; neighbour discovery, RFC 4861), and our virtual
 * addresses, which are probed (RFC 5227, RFC 4862), announced, answered for, and joined by MLDv2 (RFC 3810). Frames
 * whose next hop is not known yet wait in a small queue.
 *
 * <pre>
 *   control ──register, setStatic──▶ NeighborTable ◀──mac(id)── workers
 *   control ──adopt───────────────▶ LinkLayer     ◀──onArp, onNeighborMessage, solicit── workers
 *                                    │  ▲ └──tick── worker 0
 *                                    ▼  │
 *       claims of virtual addresses · listener reports · resolution of next hops
 *
 *   worker ──hold, release──▶ HeldFrames ──mac(id)──▶ NeighborTable
 * </pre>
 *
 * Imports {@code topology}, {@code frame}, {@code wire}, {@code settings} and {@code address}.
 */
@NullMarked
package io.lb4j.neighbor;

import org.jspecify.annotations.NullMarked;
