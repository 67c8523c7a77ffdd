import { Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { Cpu } from '../../src/cpu/cpu.js';
import { readEflags } from '../../src/cpu/eflags.js';
import * as L from '../../src/cpu/state-layout.js';
import { Choices } from './choices.js';
import { RAM_BYTES } from './layout.js';
import { World } from './world.js';

const seed = Number(process.argv[2]);
const upto = Number(process.argv[3] ?? 80);
const from = Number(process.argv[4] ?? 0);
const cpu: Cpu = new Cpu(
  RAM_BYTES,
  { read: (a, s) => un(a, s), write: () => undefined },
  {
    readPort: (a, s) => un(a, s),
    writePort: () => undefined,
    acknowledgeInterrupt: () => {
      cpu.setInterruptLine(false);
      return 0x20;
    },
    readTimestamp: () => cpu.instant,
  },
);
function un(address: number, size: number): number {
  const value = Math.imul(address ^ (address >>> 9), 0x9e3779b1);
  if (size === 4) return value;
  return (value >>> 11) & (size === 2 ? 0xffff : 0xff);
}
const ch = new Choices(seed);
new World(cpu, ch).make();
const irqAt = ch.below(160);
const st = cpu.core.state;
const h = (x: number) => (x >>> 0).toString(16);
cpu.onDelivery = (v, k, eip) => console.log(`   ${k} ${v} at ${h(eip)} cr2 ${h(st.get(L.CR2))}`);
for (let i = 0; i < upto; i++) {
  if (i === irqAt) cpu.setInterruptLine(true);
  const lin = (st.segmentBase(1) + st.eip) | 0;
  const bytes: number[] = [];
  for (let j = 0; j < 15; j++) {
    const p = cpu.core.mmu.peek((lin + j) | 0);
    if (p < 0) break;
    bytes.push(cpu.core.physical.read(p, 1));
  }
  const d = new Decoder(st.get(L.MODE) & 1 ? 32 : 16, Uint8Array.from(bytes), DecoderOptions.Umov);
  d.ip = BigInt(st.eip >>> 0);
  const f = new Formatter(FormatterSyntax.Nasm);
  let text = '?';
  if (bytes.length) text = f.format(d.decode());
  if (i >= from)
    console.log(
      `@${i} ${h(st.selector(1))}:${h(st.eip)} cpl${st.cpl} cr0 ${h(st.cr0)} fl ${h(readEflags(st))} mode ${st.get(L.MODE)} ${bytes.map((b) => b.toString(16).padStart(2, '0')).join('')} ${text}\n    eax..edi ${[0, 1, 2, 3, 4, 5, 6, 7].map((r) => h(st.reg32(r))).join(' ')} es ${h(st.selector(0))} ss ${h(st.selector(2))} ds ${h(st.selector(3))} tr ${h(st.selector(7))}`,
    );
  const e = cpu.run(i + 1);
  if (e !== 'until') {
    console.log(e);
    break;
  }
}
