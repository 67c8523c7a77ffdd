import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AgentWorld, evaluate } from '../../src/gdbstub/agent/evaluate.js';
import { formatText } from '../../src/gdbstub/agent/format.js';
import { fromHex } from '../../src/gdbstub/bytes.js';

/** Register n holds n + 0xffff0000; memory is 256 bytes that count up. */
class World implements AgentWorld {
  printed = '';
  register(index: number): bigint | null {
    return index < 16 ? BigInt(index) + 0xffff0000n : null;
  }
  memory(address: number, length: number): Uint8Array {
    const end = Math.min(address + length, 256);
    return Uint8Array.from({ length: Math.max(0, end - address) }, (_, place) => address + place);
  }
  print(text: string): void {
    this.printed += text;
  }
}

function run(hex: string, world = new World()): bigint | string {
  const result = evaluate(fromHex(hex.replaceAll(' ', ''))!, world);
  return result.kind === 'value' ? result.value : result.message;
}

describe('an agent expression', () => {
  test.each([
    ['22 05 22 03 02 27', 8n, 'add'],
    ['22 05 22 07 03 27', 2n ** 64n - 2n, 'sub wraps at 64 bits'],
    ['22 05 22 07 04 27', 35n, 'mul'],
    ['22 07 22 02 05 27', 3n, 'div_signed'],
    ['22 f8 16 08 22 03 05 27', 2n ** 64n - 2n, 'div_signed goes towards zero'],
    ['22 f8 16 08 22 03 07 27', 2n ** 64n - 2n, 'rem_signed takes the sign of the dividend'],
    ['22 07 22 04 06 27', 1n, 'div_unsigned'],
    ['22 07 22 04 08 27', 3n, 'rem_unsigned'],
    ['22 01 22 04 09 27', 16n, 'lsh'],
    ['22 80 16 08 22 04 0a 27', 2n ** 64n - 8n, 'rsh_signed'],
    ['22 80 22 04 0b 27', 8n, 'rsh_unsigned'],
    ['22 01 22 ff 09 27', 0n, 'a shift beyond 64 bits'],
    ['22 00 0e 27', 1n, 'log_not'],
    ['22 0c 22 0a 0f 27', 8n, 'bit_and'],
    ['22 0c 22 0a 10 27', 14n, 'bit_or'],
    ['22 0c 22 0a 11 27', 6n, 'bit_xor'],
    ['22 00 12 2a 08 27', 255n, 'bit_not, zero_ext'],
    ['22 05 22 05 13 27', 1n, 'equal'],
    ['22 ff 16 08 22 01 14 27', 1n, 'less_signed'],
    ['22 ff 16 08 22 01 15 27', 0n, 'less_unsigned'],
    ['22 10 17 27', 0x10n, 'ref8'],
    ['22 10 18 27', 0x1110n, 'ref16'],
    ['22 10 19 27', 0x13121110n, 'ref32'],
    ['22 10 1a 27', 0x1716151413121110n, 'ref64'],
    ['22 01 20 00 08 22 02 27 22 03 27', 3n, 'if_goto taken'],
    ['22 00 20 00 08 22 02 27 22 03 27', 2n, 'if_goto not taken'],
    ['21 00 05 22 02 22 03 27', 3n, 'goto'],
    ['23 12 34 27', 0x1234n, 'const16'],
    ['24 12 34 56 78 27', 0x12345678n, 'const32'],
    ['25 00 11 22 33 44 55 66 77 27', 0x11223344556677n, 'const64'],
    ['26 00 08 27', 0xffff0008n, 'reg'],
    ['22 02 28 04 27', 4n, 'dup'],
    ['22 02 22 03 29 27', 2n, 'pop'],
    ['22 02 22 03 2b 03 27', 1n, 'swap'],
    ['22 02 22 03 22 04 32 02 27', 2n, 'pick'],
    ['22 01 22 02 22 03 33 27', 2n, 'rot brings the second to the top'],
    ['22 01 22 02 22 03 33 29 27', 1n, 'rot brings the third below it'],
    ['22 01 22 02 0c 22 07 27', 7n, 'trace consumes both'],
    ['0d 04 30 00 04 22 07 27', 7n, 'trace_quick and trace16 have operands'],
    ['27', 0n, 'nothing at all'],
  ])('%s is %s: %s', (code, value) => {
    expect(run(code)).toBe(value);
  });

  test.each([
    ['', /cut short/, 'no end'],
    ['24 00', /cut short/, 'half an operand'],
    ['02 27', /stack is empty/, 'nothing to add'],
    ['32 05 27', /stack is empty/, 'nothing to pick'],
    ['21 00 00', /more than 10000/, 'a loop without end'],
    ['22 01 21 00 00', /stack is full/, 'a loop that pushes'],
    ['21 ff ff', /cut short/, 'a jump out of it'],
    ['22 01 22 00 05 27', /division by zero/, 'a division by zero'],
    ['23 01 00 17 27', /nothing can be read at 100h/, 'memory that is not there'],
    ['26 00 63 27', /no register 99/, 'a register that is not there'],
    ['22 01 16 00 27', /no 0 bits/, 'a value of no bits'],
    ['1b 27', /opcode 1bh/, 'floating point'],
    ['2c 00 01 27', /opcode 2ch/, 'a trace state variable'],
    ['34 01 00 ff 41', /cut short/, 'a format longer than the code'],
  ])('%s fails: %s', (code, message) => {
    expect(run(code)).toMatch(message);
  });

  test('printf prints its arguments, the last pushed first', () => {
    const world = new World();
    const format = Buffer.from('%d and %u\\n\0').toString('hex');
    const length = (format.length / 2).toString(16).padStart(4, '0');
    run(`22 09 22 08 22 00 22 00 34 02 ${length} ${format} 27`, world);
    expect(world.printed).toBe('8 and 9\n');
  });

  test('no bytes make it throw, or run for long', () => {
    const opcodes = fc.integer({ min: 0, max: 0x35 });
    fc.assert(
      fc.property(fc.array(fc.oneof(opcodes, fc.nat(255)), { maxLength: 64 }), (bytes) => {
        evaluate(Uint8Array.from(bytes), new World());
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatText', () => {
  const memory = (address: number, length: number): Uint8Array =>
    Uint8Array.from(Buffer.from('some text\0more').subarray(address, address + length));
  test.each([
    ['%d %i', [2n ** 64n - 1n, 5n], '-1 5'],
    ['%u', [2n ** 64n - 1n], '4294967295'],
    ['%lu %llu', [2n ** 64n - 1n, 2n ** 64n - 1n], '4294967295 18446744073709551615'],
    ['%hhx %hx', [0x1234n, 0x12345n], '34 2345'],
    ['%#x %#o %X', [255n, 8n, 255n], '0xff 010 FF'],
    ['[%5d] [%-5d] [%05d]', [42n, 42n, -42n], '[   42] [42   ] [-0042]'],
    ['%.3d %+d', [7n, 7n], '007 +7'],
    ['%s|%.4s|%c', [0n, 0n, 65n], 'some text|some|A'],
    ['%p', [0x1000n], '0x1000'],
    ['100%% \\t\\101\\\\', [], '100% \tA\\'],
    ['%d %d', [1n], '1 %d'],
    ['%99999d', [1n], '1'.padStart(1024)],
  ])('%s', (format, values, text) => {
    expect(formatText(format, values, memory)).toBe(text);
  });
});
