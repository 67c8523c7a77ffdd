/**
 * The PC: a processor, RAM, and the chips around it, joined by their wires.
 *
 * Nothing here depends on the host or on where `run` returns: what the guest sees follows from its own
 * instructions and from what `inject` brings, and from nothing else.
 */
import type { AccessSize, CpuBus, Mmio } from '../cpu/bus.js';
import { Cpu, type RunExit } from '../cpu/cpu.js';
import { PAGE_MMIO, PAGE_ROM } from '../cpu/physical-memory.js';
import { SHADOW } from '../cpu/state-layout.js';
import { DebugExit } from './debug-exit.js';
import type { Device } from './device.js';
import { I8042 } from './i8042.js';
import type { ClockSource, MachineInput } from './input.js';
import { checkMachineOptions, type MachineOptions } from './machine-options.js';
import { Pic8259 } from './pic8259.js';
import { Pit8254 } from './pit8254.js';
import { PortBus } from './port-bus.js';
import { Port61 } from './port61.js';
import { PostPort } from './post-port.js';
import { RtcCmos } from './rtc-cmos.js';
import { Uart16550 } from './uart16550.js';

/** Why `Machine.run` returned. `exit`: the guest wrote to port F4h. `reset`: it reset the processor. */
export type MachineExit = RunExit | 'exit' | 'reset';

/** The small state: everything but RAM. */
export interface MachineState {
  readonly cpu: Uint8Array;
  readonly devices: Readonly<Record<string, readonly number[]>>;
}

/** Hears what happens at the interrupt controller. Must not touch the machine. */
export interface MachineObserver {
  /** A rising edge at an input of the interrupt controllers, whatever caused it. */
  irqRaised(line: number): void;
  /**
   * The processor takes an interrupt: at the boundary, just before the delivery.
   * @param line 7 or 15 where it is spurious.
   * @param shadow the interrupt shadow, `SHADOW_*`.
   */
  irqAccepted(vector: number, line: number, cpl: number, eip: number, shadow: number): void;
}

const IRQ_TIMER = 0;
const IRQ_KEYBOARD = 1;
const IRQ_CASCADE = 2;
const IRQ_COM1 = 4;
const IRQ_RTC = 8;
const IRQ_LINES = 16;

/** Video memory that a PC in text mode doesn't show: nothing answers there. */
const DARK_VIDEO_FIRST = 0xa0000;
const DARK_VIDEO_END = 0xb8000;
/** Where ROMs lie. */
const ROM_FIRST = 0xc0000;
const ROM_END = 0x100000;
const PAGE_SHIFT = 12;

/** What answers outside RAM: nothing. Reads are all ones, writes are lost (also those to a ROM). */
const OPEN_BUS: Mmio = {
  read: (_physical, size) => (size === 4 ? -1 : size === 2 ? 0xffff : 0xff),
  write: () => undefined,
};

/** A whole PC. After construction it is as after `reset`, with all of RAM zero. */
export class Machine {
  readonly cpu: Cpu;
  readonly ports = new PortBus();
  readonly pic: Pic8259;
  readonly pit: Pit8254;
  readonly port61: Port61;
  readonly rtc: RtcCmos;
  readonly keyboard: I8042;
  readonly uart: Uart16550;
  readonly post: PostPort;
  readonly debugExit: DebugExit;
  /** Every device, in the order in which they are saved and reset. */
  readonly devices: readonly Device[];
  readonly memoryBytes: number;

  /** Hears of interrupts, or null. */
  observer: MachineObserver | null = null;
  /**
   * Called when the guest needs to know the time. Whoever drives the machine sets it, and must call
   * `inject` with a clock input of this source exactly once before it returns.
   */
  requestClock: (source: ClockSource) => void = (source) => {
    throw new Error(`nobody answers for the ${source} clock`);
  };

  /** The source of a clock request that waits for its answer. */
  #requested: ClockSource | null = null;
  #clockValue = 0;
  /** What ended the run from inside an instruction. */
  #ending: 'exit' | 'reset' | null = null;

  /** @throws UserError when no machine has such options. */
  constructor(options: MachineOptions) {
    checkMachineOptions(options);
    this.memoryBytes = options.memoryBytes;
    const readClock = (source: ClockSource): number => this.#readClock(source);
    this.pic = new Pic8259(this.ports);
    this.pit = new Pit8254(this.ports, readClock);
    this.port61 = new Port61(this.ports, this.pit, readClock);
    this.rtc = new RtcCmos(this.ports, options.memoryBytes, readClock);
    this.keyboard = new I8042(this.ports);
    this.uart = new Uart16550(this.ports);
    this.post = new PostPort(this.ports);
    this.debugExit = new DebugExit(this.ports);
    // The interrupt controller comes last, so that a reset leaves it without a trace of the others'.
    this.devices = [
      this.pit,
      this.port61,
      this.rtc,
      this.keyboard,
      this.uart,
      this.post,
      this.debugExit,
      this.ports,
      this.pic,
    ];
    this.cpu = new Cpu(options.memoryBytes, OPEN_BUS, this.#bus());
    this.#wire();
    const { physical } = this.cpu.core;
    for (let page = DARK_VIDEO_FIRST; page < DARK_VIDEO_END; page += 1 << PAGE_SHIFT) {
      physical.setFlag(page >>> PAGE_SHIFT, PAGE_MMIO);
    }
  }

  /** Called with each byte that leaves COM1. */
  get onSerialOutput(): (byte: number) => void {
    return this.uart.onOutput;
  }
  set onSerialOutput(listener: (byte: number) => void) {
    this.uart.onOutput = listener;
  }

  /** The byte that the guest wrote to port F4h last, or null. See `exitStatus`. */
  get exitValue(): number | null {
    return this.debugExit.value;
  }

  /** The processor and all devices as after power-on; RAM stays as it is. */
  reset(): void {
    this.#ending = null;
    this.cpu.reset();
    for (const device of this.devices) device.reset();
    this.cpu.setInterruptLine(this.pic.interruptPin);
  }

  /**
   * Runs until the instant `until`, or less far for one of the other reasons.
   * @param skipBreakpointHere don't stop at a breakpoint at the present EIP.
   */
  run(until: number, skipBreakpointHere = false): MachineExit {
    const exit = this.cpu.run(until, skipBreakpointHere);
    const ending = this.#ending;
    this.#ending = null;
    return ending ?? exit;
  }

  /**
   * Brings an input to the guest: the only way in which anything nondeterministic reaches it.
   * @throws Error on an input that no driver may make: a line that isn't a timer's or free, a clock
   *   that nobody asked for.
   */
  inject(input: MachineInput): void {
    switch (input.kind) {
      case 'irq':
        this.#injectIrq(input.line);
        break;
      case 'nmi':
        // Port 70h bit 7 gates the edge; one that comes while it is set is lost.
        if (!this.rtc.isNmiMasked) this.cpu.raiseNmi();
        break;
      case 'exception':
        this.cpu.injectException(input.vector, input.errorCode);
        break;
      case 'clock':
        this.#answerClock(input.source, input.value);
        break;
      case 'serial':
        this.uart.receive(input.byte);
        break;
    }
  }

  /** Puts an image into ROM space, physical C0000h to FFFFFh, where the guest can't write from then on. */
  loadRom(physical: number, bytes: Uint8Array): void {
    if (physical < ROM_FIRST || physical + bytes.length > ROM_END || physical % 4096 !== 0) {
      throw new RangeError(`a ROM can't lie at ${physical.toString(16)}h`);
    }
    const memory = this.cpu.core.physical;
    memory.load(physical, bytes);
    for (let page = physical; page < physical + bytes.length; page += 1 << PAGE_SHIFT) {
      memory.setFlag(page >>> PAGE_SHIFT, PAGE_ROM);
    }
  }

  /** The small state at a boundary between steps. RAM is the checkpoints' matter. */
  save(): MachineState {
    return {
      cpu: this.cpu.save(),
      devices: Object.fromEntries(this.devices.map((device) => [device.name, device.save()])),
    };
  }

  /**
   * Takes over a state that `save` returned. Tells no observer.
   * @throws Error when a device is missing in it.
   */
  restore(state: MachineState): void {
    for (const device of this.devices) {
      const saved = state.devices[device.name] as readonly number[] | undefined;
      if (saved === undefined) throw new Error(`the state lacks device ${device.name}`);
      device.restore(saved);
    }
    this.cpu.restore(state.cpu);
    this.#ending = null;
  }

  #bus(): CpuBus {
    return {
      readPort: (port: number, size: AccessSize) => this.ports.read(port, size),
      writePort: (port: number, size: AccessSize, value: number) =>
        this.ports.write(port, size, value),
      acknowledgeInterrupt: () => this.#acknowledgeInterrupt(),
      readTimestamp: () => this.#readClock('tsc'),
    };
  }

  #wire(): void {
    this.pic.onInterruptPin = (level) => this.cpu.setInterruptLine(level);
    this.pic.onRisingEdge = (line) => this.observer?.irqRaised(line);
    this.pit.onOutput0 = (level) => this.pic.setLine(IRQ_TIMER, level);
    this.keyboard.onInterrupt = (level) => this.pic.setLine(IRQ_KEYBOARD, level);
    this.uart.onInterrupt = (level) => this.pic.setLine(IRQ_COM1, level);
    this.rtc.onInterrupt = (level) => this.pic.setLine(IRQ_RTC, level);
    this.keyboard.onReset = () => this.#end('reset');
    this.debugExit.onExit = () => this.#end('exit');
  }

  #end(ending: 'exit' | 'reset'): void {
    this.#ending = ending;
    this.cpu.requestStop();
  }

  #acknowledgeInterrupt(): number {
    const vector = this.pic.acknowledge();
    if (this.observer !== null) {
      const { state } = this.cpu.core;
      const line = this.pic.acknowledgedLine;
      this.observer.irqAccepted(vector, line, state.cpl, state.eip, state.get(SHADOW));
    }
    return vector;
  }

  #injectIrq(line: number): void {
    if (line === IRQ_TIMER) this.pit.edge();
    else if (line === IRQ_RTC) this.rtc.edge();
    else if (!Number.isInteger(line) || line < 0 || line >= IRQ_LINES || DEVICE_LINES.has(line)) {
      throw new Error(
        `IRQ line ${line} takes no injected edge: it belongs to a device or isn't there`,
      );
    } else this.pic.pulse(line);
  }

  #readClock(source: ClockSource): number {
    this.#requested = source;
    this.requestClock(source);
    // Cleared by the answer, which the compiler can't see.
    if ((this.#requested as ClockSource | null) !== null) {
      throw new Error(`the request for the ${source} clock was not answered`);
    }
    return this.#clockValue;
  }

  #answerClock(source: ClockSource, value: number): void {
    if (this.#requested !== source) {
      throw new Error(`a value of the ${source} clock came while nobody asked for it`);
    }
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new Error(`${value} is no value of the ${source} clock`);
    }
    this.#requested = null;
    this.#clockValue = value;
  }
}

/** Lines whose level a device drives by itself, or none can. */
const DEVICE_LINES: ReadonlySet<number> = new Set([IRQ_KEYBOARD, IRQ_CASCADE, IRQ_COM1]);
