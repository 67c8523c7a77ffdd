/** Numbers as people read them. */

/** `1,234,567`. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 32 bits as eight hexadecimal digits, whatever the sign: `c0101234`. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** `64 MiB` where it comes out even, `65,540 KiB` or `123 bytes` where not. */
export function sizeText(bytes: number): string {
  if (bytes > 0 && bytes % (1 << 20) === 0) return `${groupDigits(bytes / (1 << 20))} MiB`;
  if (bytes > 0 && bytes % (1 << 10) === 0) return `${groupDigits(bytes / (1 << 10))} KiB`;
  return `${groupDigits(bytes)} bytes`;
}

/** `1 event`, `2 events`. */
export function plural(count: number, noun: string): string {
  return `${groupDigits(count)} ${noun}${count === 1 ? '' : 's'}`;
}
