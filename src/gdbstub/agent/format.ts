/** `printf` for breakpoints' commands. ISO C, "The fprintf function", without floating point. */

/** Most characters of one conversion, however wide the format wants it, and of one string. */
const MOST_WIDTH = 1024;

const CONVERSION = /%([-+ #0]*)(\d*)(?:\.(\d*))?(hh|h|ll|l|j|z|t|q|I64)?([diouxXcsp%])/g;

/** gdb sends a format as the user typed it, escapes and all. */
const ESCAPE = /\\(?:([0-7]{1,3})|([^]))/g;
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

type Memory = (address: number, length: number) => Uint8Array;

/**
 * The text of a format and its values, each 64 bits unsigned. A conversion without a value stays as it
 * is written. Of a guest's types int, long and pointers have 32 bits.
 */
export function formatText(format: string, values: readonly bigint[], memory: Memory): string {
  let next = 0;
  return unescape(format).replace(
    CONVERSION,
    (
      whole: string,
      flags: string,
      width: string,
      precision: string | undefined,
      size: string | undefined,
      conversion: string,
    ) => {
      if (conversion === '%') return '%';
      if (next >= values.length) return whole;
      const value = values[next++];
      const digits = precision === undefined ? null : Math.min(Number(precision), MOST_WIDTH);
      const text = convert(conversion, value, bitsOf(size), digits, { flags, memory });
      return pad(text, Math.min(Number(width), MOST_WIDTH), flags, digits !== null, conversion);
    },
  );
}

function unescape(format: string): string {
  return format.replace(ESCAPE, (_, octal: string | undefined, letter: string) =>
    octal === undefined
      ? ((ESCAPES as Partial<typeof ESCAPES>)[letter] ?? letter)
      : String.fromCharCode(Number.parseInt(octal, 8) & 0xff),
  );
}

function bitsOf(size: string | undefined): number {
  if (size === 'hh') return 8;
  if (size === 'h') return 16;
  return size === 'll' || size === 'j' || size === 'q' || size === 'I64' ? 64 : 32;
}

function convert(
  conversion: string,
  value: bigint,
  bits: number,
  digits: number | null,
  { flags, memory }: { readonly flags: string; readonly memory: Memory },
): string {
  switch (conversion) {
    case 'c':
      return String.fromCharCode(Number(value & 0xffn));
    case 's':
      return readText(Number(BigInt.asUintN(32, value)), digits ?? MOST_WIDTH, memory);
    case 'p':
      return `0x${BigInt.asUintN(32, value).toString(16)}`;
    case 'd':
    case 'i': {
      const number = BigInt.asIntN(bits, value);
      const size = (number < 0n ? -number : number).toString().padStart(digits ?? 1, '0');
      if (number < 0n) return `-${size}`;
      if (flags.includes('+')) return `+${size}`;
      return flags.includes(' ') ? ` ${size}` : size;
    }
    default: {
      const radix = conversion === 'o' ? 8 : conversion === 'u' ? 10 : 16;
      const number = BigInt.asUintN(bits, value);
      const text = number.toString(radix).padStart(digits ?? 1, '0');
      const prefix = radix === 8 ? '0' : radix === 16 && number !== 0n ? '0x' : '';
      const full = flags.includes('#') ? prefix + text : text;
      return conversion === 'X' ? full.toUpperCase() : full;
    }
  }
}

function pad(
  text: string,
  width: number,
  flags: string,
  hasPrecision: boolean,
  conversion: string,
): string {
  if (flags.includes('-')) return text.padEnd(width);
  if (!flags.includes('0') || hasPrecision || 'csp'.includes(conversion)) {
    return text.padStart(width);
  }
  const [, prefix, rest] = /^([-+ ]?(?:0[xX])?)(.*)$/.exec(text)!;
  return prefix + rest.padStart(width - prefix.length, '0');
}

/** The characters up to a NUL, or to what can't be read. */
function readText(address: number, most: number, memory: Memory): string {
  const bytes = memory(address, most);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
}
