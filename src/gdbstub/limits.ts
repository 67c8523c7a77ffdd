/** Sizes that bound what a client can make the stub hold. */

/** Most bytes between `$` and `#` of a packet, announced as PacketSize. */
export const PACKET_BYTES = 0x20000;

/** Most bytes of memory in one reply: two hex digits each must fit a packet. */
export const MOST_READ_BYTES = PACKET_BYTES / 2;

/** Packets that may wait while the target runs; gdb sends none. */
export const MOST_WAITING_PACKETS = 64;

/** Notices that wait for the next occasion on which gdb takes console output. */
export const MOST_WAITING_NOTICES = 32;
