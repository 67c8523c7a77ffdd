/**
 * INT n and IRET between CPL 3 and 0, or at CPL 0, as almost every kernel has them: 32-bit gates, flat
 * segments, accessed bits set, the tables and both stacks where the TLB knows them.
 *
 * These are shortcuts of the procedures in `../system`, which know all the other cases and every fault. A
 * shortcut looks at all that it depends on, descriptors included, each time anew; where anything is not
 * as it expects it has changed nothing, and leaves the instruction to the procedure.
 */
import {
  ACCESS_DPL_SHIFT,
  ACCESS_PRESENT,
  ACCESS_S,
  ACCESS_TYPE,
  SELECTOR_RPL,
  TYPE_32,
  TYPE_INTERRUPT_GATE32,
  TYPE_TRAP_GATE32,
} from '../descriptors.js';
import {
  EFLAGS_AC,
  EFLAGS_DF,
  EFLAGS_ID,
  EFLAGS_IF,
  EFLAGS_IOPL,
  EFLAGS_RESERVED1,
} from '../eflags.js';
import * as L from '../state-layout.js';
import { arithmeticFlags, setArithmeticFlags } from './flags.js';
import {
  all,
  FLAT_CODE_HIGH,
  FLAT_DATA_HIGH,
  field,
  HIGH_DPL_SHIFT,
  hasNone,
  isOrdinary,
  type Level,
  setCode,
  setLevel,
  setStack,
  UNUSUAL_FLAGS,
  whenFlat,
} from './flat-transfers.js';
import type { Ops, Semantics } from './ops.js';

/** The type of a gate, S and P in its second dword; a trap gate's and an interrupt gate's differ in one bit. */
const GATE_MASK = (ACCESS_PRESENT | ACCESS_S | (ACCESS_TYPE & TYPE_INTERRUPT_GATE32)) << 8;
const GATE = (ACCESS_PRESENT | TYPE_INTERRUPT_GATE32) << 8;
const GATE_IS_TRAP = (TYPE_TRAP_GATE32 ^ TYPE_INTERRUPT_GATE32) << 8;
/** From GATE_IS_TRAP to EFLAGS_IF. */
const TRAP_TO_IF = 1;

/** System flags that an IRET at CPL 0 loads; those that have consequences must be as they are. */
const LOADED_FLAGS = EFLAGS_IF | EFLAGS_DF | EFLAGS_IOPL;
const STEADY_FLAGS = EFLAGS_AC | EFLAGS_ID;

/** The numbers of the bits EFLAGS_IF and EFLAGS_OF. */
const IF_BIT = 9;
const OF_BIT = 11;

/** CD ib */
export const int: Semantics = (m) => {
  m.when(isOrdinary(m), () => {
    const at = m.let(m.shl(m.and(m.read(0), m.constant(0xff)), m.constant(3)));
    const limit = m.and(m.get(L.IDTR_LIMIT), m.constant(0xffff));
    const place = m.supervisor(m.let(m.add(m.get(L.IDTR_BASE), at)), 8, 'read');
    m.when(all(m, m.ltU(m.add(at, m.constant(6)), limit), place.isThere), () => {
      const low = m.let(place.load(0));
      const high = m.let(place.load(4));
      const level = m.let(m.get(L.CPL));
      const dpl = m.and(m.shrU(high, m.constant(HIGH_DPL_SHIFT)), m.constant(3));
      const isGate = m.eq(m.and(high, m.constant(GATE_MASK)), m.constant(GATE));
      m.when(all(m, isGate, m.geS(dpl, level)), () => {
        const selector = m.let(m.shrU(low, m.constant(16)));
        whenFlat(m, selector, FLAT_CODE_HIGH, 0, () => {
          const enter = enterer(m, low, high, selector);
          m.when(
            m.eqz(level),
            () => enter(m.let(m.get(L.ESP)), null),
            () => whenInnerStack(m, enter),
          );
        });
      });
    });
  });
};

/** (ESP above the frame, SS to load where it is an inner stack): enters the handler of a gate. */
function enterer<V>(
  m: Ops<V>,
  low: V,
  high: V,
  selector: V,
): (pointer: V, stack: V | null) => void {
  return (pointer, stack) => {
    const bytes = stack === null ? 12 : 20;
    const top = m.let(m.sub(pointer, m.constant(bytes)));
    const frame = m.supervisor(top, bytes, 'write');
    m.when(frame.isThere, () => {
      const system = m.let(m.get(L.FLAG_SYSTEM));
      const flags = m.or(m.or(system, m.constant(EFLAGS_RESERVED1)), arithmeticFlags(m));
      if (stack !== null) {
        frame.store(16, m.get(field(L.SEG_SS, L.SEGMENT_SELECTOR)));
        frame.store(12, m.get(L.ESP));
      }
      frame.store(8, flags);
      frame.store(4, m.get(field(L.SEG_CS, L.SEGMENT_SELECTOR)));
      frame.store(0, m.nextEip());
      const trap = m.and(high, m.constant(GATE_IS_TRAP));
      const kept = m.or(m.shl(trap, m.constant(TRAP_TO_IF)), m.constant(~EFLAGS_IF));
      m.set(L.FLAG_SYSTEM, m.and(system, kept));
      if (stack !== null) {
        setStack(m, stack, 0);
        setLevel(m, 0);
      }
      m.set(L.ESP, top);
      setCode(m, selector, 0);
      const offset = m.and(high, m.constant(0xffff0000 | 0));
      m.jump(m.let(m.or(m.and(low, m.constant(0xffff)), offset)));
    });
  };
}

/** Runs `then` with SS0 and ESP0 of a 32-bit TSS, where SS0 is flat. */
function whenInnerStack<V>(m: Ops<V>, then: (pointer: V, selector: V) => void): void {
  const task = m.supervisor(
    m.let(m.add(m.get(field(L.SEG_TR, L.SEGMENT_BASE)), m.constant(4))),
    8,
    'read',
  );
  const is32 = m.and(m.get(field(L.SEG_TR, L.SEGMENT_ACCESS)), m.constant(TYPE_32));
  const isWithin = m.gtU(m.get(field(L.SEG_TR, L.SEGMENT_LIMIT)), m.constant(8));
  m.when(all(m, m.ne(is32, m.constant(0)), isWithin, task.isThere), () => {
    const pointer = m.let(task.load(0));
    const selector = m.let(m.and(task.load(4), m.constant(0xffff)));
    m.when(hasNone(m, selector, SELECTOR_RPL), () =>
      whenFlat(m, selector, FLAT_DATA_HIGH, 0, () => then(pointer, selector)),
    );
  });
}

/** CF, with an operand size of 32 bits at CPL 0. */
export const iret: Semantics = (m) => {
  if (m.size !== 4) return;
  const pointer = m.let(m.get(L.ESP));
  const frame = m.supervisor(pointer, 12, 'read');
  const isInnermost = m.eqz(m.or(m.get(L.CPL), m.get(L.NMI_BLOCKED)));
  m.when(all(m, isOrdinary(m), isInnermost, frame.isThere), () => {
    const flags = m.let(frame.load(8));
    m.when(isPlainLoad(m, flags), () => {
      const selector = m.let(m.and(frame.load(4), m.constant(0xffff)));
      const rpl = m.let(m.and(selector, m.constant(SELECTOR_RPL)));
      m.when(m.eqz(rpl), () =>
        whenFlat(m, selector, FLAT_CODE_HIGH, 0, () => {
          m.set(L.ESP, m.add(pointer, m.constant(12)));
          goBack(m, frame.load(0), selector, 0, flags);
        }),
      );
      m.when(m.eq(rpl, m.constant(3)), () =>
        whenOuterStack(m, pointer, (outer, stack) =>
          whenFlat(m, selector, FLAT_CODE_HIGH, 3, () => {
            setStack(m, stack, 3);
            setLevel(m, 3);
            m.set(L.ESP, outer);
            goBack(m, frame.load(0), selector, 3, flags);
          }),
        ),
      );
    });
  });
};

/** A bound EFLAGS may be loaded with no further consequence. */
function isPlainLoad<V>(m: Ops<V>, flags: V): V {
  const letsIn = m.and(m.shrU(flags, m.constant(IF_BIT)), m.get(L.INTR));
  return all(
    m,
    hasNone(m, flags, UNUSUAL_FLAGS),
    hasNone(m, m.xor(flags, m.get(L.FLAG_SYSTEM)), STEADY_FLAGS),
    hasNone(m, letsIn, 1),
  );
}

/** Runs `then` with ESP and SS of a frame, where SS is flat and no other segment has to be dropped. */
function whenOuterStack<V>(m: Ops<V>, pointer: V, then: (esp: V, selector: V) => void): void {
  const frame = m.supervisor(pointer, 20, 'read');
  const kept = [L.SEG_ES, L.SEG_DS, L.SEG_FS, L.SEG_GS].map((segment) => staysAtLevel3(m, segment));
  m.when(all(m, frame.isThere, ...kept), () => {
    const outer = m.let(frame.load(12));
    const selector = m.let(m.and(frame.load(16), m.constant(0xffff)));
    const rpl = m.and(selector, m.constant(SELECTOR_RPL));
    m.when(m.eq(rpl, m.constant(3)), () =>
      whenFlat(m, selector, FLAT_DATA_HIGH, 3, () => then(outer, selector)),
    );
  });
}

/** A segment has DPL 3, or its register is as empty as it can be. */
function staysAtLevel3<V>(m: Ops<V>, segment: number): V {
  const access = m.get(field(segment, L.SEGMENT_ACCESS));
  const selector = m.get(field(segment, L.SEGMENT_SELECTOR));
  const isOuter = m.eq(
    m.and(access, m.constant(3 << ACCESS_DPL_SHIFT)),
    m.constant(3 << ACCESS_DPL_SHIFT),
  );
  return m.or(isOuter, m.eqz(m.or(access, selector)));
}

/** Loads CS:EIP and EFLAGS (bound), which were checked. */
function goBack<V>(m: Ops<V>, eip: V, selector: V, level: Level, flags: V): void {
  const offset = m.let(eip);
  const kept = m.and(m.get(L.FLAG_SYSTEM), m.constant(~LOADED_FLAGS));
  const loaded = m.and(flags, m.constant(LOADED_FLAGS));
  m.set(L.FLAG_SYSTEM, m.or(m.or(kept, loaded), m.constant(EFLAGS_RESERVED1)));
  const overflow = m.and(m.shrU(flags, m.constant(OF_BIT)), m.constant(1));
  setArithmeticFlags(m, flags, m.let(overflow));
  setCode(m, selector, level);
  m.jump(offset);
}
