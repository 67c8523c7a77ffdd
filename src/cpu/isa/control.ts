/** Near jumps, calls and returns, LOOP and JCXZ. Targets are checked before anything changes. */
import { ECX } from '../state-layout.js';
import { condition, zeroFlag } from './flags.js';
import type { Ops, Semantics } from './ops.js';
import { discard, push, top } from './stack.js';

/** A target offset as EIP takes it: 16-bit operands clear its high half. */
function target<V>(m: Ops<V>, offset: V): V {
  return m.let(m.size === 2 ? m.truncate(offset, 2) : offset);
}

function relative<V>(m: Ops<V>): V {
  return target(m, m.add(m.nextEip(), m.read(0)));
}

function jumpTo<V>(m: Ops<V>, offset: V): void {
  m.checkTarget(offset);
  m.jump(offset);
}

// E9, EB
export const jmp: Semantics = (m) => jumpTo(m, relative(m));

// FF /4
export const jmpIndirect: Semantics = (m) => jumpTo(m, target(m, m.read(0)));

// 70 to 7F, 0F 80 to 0F 8F
export function jcc(code: number): Semantics {
  return (m) => m.when(condition(m, code), () => jumpTo(m, relative(m)));
}

function callTo<V>(m: Ops<V>, offset: V): void {
  m.checkTarget(offset);
  push(m, m.nextEip(), m.size);
  m.jump(offset);
}

// E8
export const call: Semantics = (m) => callTo(m, relative(m));

// FF /2
export const callIndirect: Semantics = (m) => callTo(m, target(m, m.read(0)));

// C3, C2 iw
export function ret(releases: boolean): Semantics {
  return (m) => {
    const offset = target(m, top(m, m.size));
    m.checkTarget(offset);
    const bytes = m.constant(m.size);
    discard(m, releases ? m.add(bytes, m.read(0)) : bytes);
    m.jump(offset);
  };
}

// E0 LOOPNE, E1 LOOPE, E2 LOOP: CX or ECX by the address size
export function loop(kind: 'always' | 'zero' | 'not-zero'): Semantics {
  return (m) => {
    const count = m.let(m.sub(m.get(ECX, m.addressSize), m.constant(1)));
    const left = m.ne(m.truncate(count, m.addressSize), m.constant(0));
    const zero = zeroFlag(m);
    const taken = kind === 'always' ? left : m.and(left, kind === 'zero' ? zero : m.eqz(zero));
    m.when(
      taken,
      () => {
        const offset = relative(m);
        m.checkTarget(offset);
        m.set(ECX, count, m.addressSize);
        m.jump(offset);
      },
      () => m.set(ECX, count, m.addressSize),
    );
  };
}

// E3
export const jcxz: Semantics = (m) =>
  m.when(m.eqz(m.get(ECX, m.addressSize)), () => jumpTo(m, relative(m)));
