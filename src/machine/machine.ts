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
import { Apic } from './apic.js';
import { CoprocessorError } from './coprocessor-error.js';
import { DebugExit } from './debug-exit.js';
import type { Device, ReadClock } from './device.js';
import { FwCfg } from './fw-cfg.js';
import { I8042 } from './i8042.js';
import { type ClockSource, LINE_APIC_TIMER, type MachineInput } from './input.js';
import { checkMachineOptions, DEFAULT_CPU, type MachineOptions } from './machine-options.js';
import { PhysicalMap } from './physical-map.js';
import { Pic8259 } from './pic8259.js';
import { Pit8254 } from './pit8254.js';
import { PortBus } from './port-bus.js';
import { Port61 } from './port61.js';
import { POST_PORT, PostPort } from './post-port.js';
import { ResetControl } from './reset-control.js';
import { RtcCmos } from './rtc-cmos.js';
import { Uart16550 } from './uart16550.js';

/** Why `Machine.run` returned. `exit`: the guest wrote to port F4h. `reset`: it reset the processor. */
export type MachineExit = RunExit | 'exit' | 'reset';

/** The small state: everything but RAM. */
export interface MachineState {
  readonly cpu: Uint8Array;
  readonly devices: Readonly<Record<string, readonly number[]>>;
}

/** Hears what happens at the interrupt controllers. Must not touch the machine. */
export interface MachineObserver {
  /**
   * A rising edge at an input of the 8259s, whatever caused it, or a request that the local APIC makes
   * (see input.ts for the lines).
   */
  irqRaised(line: number): void;
  /**
   * The processor takes an interrupt: at the boundary, just before the delivery.
   * @param line 7 or 15 where it is spurious.
   * @param shadow the interrupt shadow, `SHADOW_*`.
   */
  irqAccepted(vector: number, line: number, cpl: number, eip: number, shadow: number): void;
  /**
   * The hypervisor has served a call of its guest's.
   * @param site linear address of the call in the guest, signed.
   * @param result null where the call gives none.
   */
  shimCalled?(call: number, site: number, args: readonly number[], result: number | null): void;
}

const IRQ_TIMER = 0;
const IRQ_KEYBOARD = 1;
const IRQ_CASCADE = 2;
const IRQ_COM1 = 4;
const IRQ_RTC = 8;
const IRQ_MOUSE = 12;
const IRQ_COPROCESSOR = 13;
const IRQ_LINES = 16;

/** Video memory that a PC in text mode doesn't show: nothing answers there. */
const DARK_VIDEO_FIRST = 0xa0000;
const DARK_VIDEO_END = 0xb8000;
/** Where ROMs lie. */
const ROM_FIRST = 0xc0000;
const ROM_END = 0x100000;
const PAGE_SHIFT = 12;

/** So much of a BIOS is seen below 1 MiB too. */
const LOW_BIOS_BYTES = 0x20000;

/** A timer that is none of the PC's chips. */
export interface MachineTimer {
  /** See input.ts for those that are free. */
  readonly line: number;
  /** The tick of the `apic` clock of its next edge after `now`, as things stand; Infinity where none comes. */
  nextEdge(now: number): number;
  /** The edge comes: an input with its line. */
  edge(): void;
}

/** Told of a write to a port, with its value unsigned, before the write takes effect. */
export type PortWriteObserver = (port: number, size: AccessSize, value: number) => void;

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
  readonly coprocessorError: CoprocessorError;
  readonly post: PostPort;
  readonly debugExit: DebugExit;
  readonly fwCfg: FwCfg;
  /** The local APIC, or null where the processor has none. */
  readonly apic: Apic | null;
  /** Every device, in the order in which they are saved and reset. */
  get devices(): readonly Device[] {
    return this.#devices;
  }
  readonly #devices: Device[];
  /** Those that `addTimer` has brought. */
  get timers(): readonly MachineTimer[] {
    return this.#timers;
  }
  readonly #timers: MachineTimer[] = [];
  readonly memoryBytes: number;
  readonly #map: PhysicalMap;

  /** Hears of interrupts, or null. */
  observer: MachineObserver | null = null;
  /** For a debugger: told of each call that a hypervisor has served, when the observer was. */
  onCall: ((call: number, site: number) => void) | null = null;
  /** Hears of writes to ports that no device claims, and to the POST port; it must not touch the machine. */
  onUnknownWrite: PortWriteObserver | null = null;
  /**
   * Called when the guest needs to know the time. Whoever drives the machine sets it, and must call
   * `inject` with a clock input of this source exactly once before it returns. `isLook`: no timer's edges
   * will fall differently for what the guest does there.
   */
  requestClock: (source: ClockSource, isLook: boolean) => void = (source) => {
    throw new Error(`nobody answers for the ${source} clock`);
  };

  /** The source of a clock request that waits for its answer. */
  #requested: ClockSource | null = null;
  #clockValue = 0;
  #acceptedLine = 0;
  /** What ended the run from inside an instruction. */
  #ending: 'exit' | 'reset' | null = null;

  /** @throws UserError when no machine has such options. */
  constructor(options: MachineOptions) {
    checkMachineOptions(options);
    this.memoryBytes = options.memoryBytes;
    const readClock: ReadClock = (source, isLook) => this.readClock(source, isLook);
    this.pic = new Pic8259(this.ports);
    this.pit = new Pit8254(this.ports, readClock);
    this.port61 = new Port61(this.ports, this.pit, readClock);
    this.rtc = new RtcCmos(this.ports, options.memoryBytes, readClock);
    this.keyboard = new I8042(this.ports);
    this.uart = new Uart16550(this.ports);
    this.coprocessorError = new CoprocessorError(this.ports);
    this.post = new PostPort(this.ports);
    this.debugExit = new DebugExit(this.ports);
    this.fwCfg = new FwCfg(this.ports, options.memoryBytes);
    this.apic = options.apic ? new Apic(readClock) : null;
    // The interrupt controller comes last, so that a reset leaves it without a trace of the others'.
    this.#devices = [
      this.pit,
      this.port61,
      this.rtc,
      this.keyboard,
      this.uart,
      this.coprocessorError,
      this.post,
      this.debugExit,
      this.fwCfg,
      this.ports,
      this.pic,
      ...(this.apic === null ? [] : [this.apic]),
    ];
    this.#map = new PhysicalMap(this.apic);
    this.cpu = new Cpu(options.memoryBytes, this.#map, this.#bus(), {
      engine: options.engine ?? 'auto',
      ...(options.hotEntries === undefined ? {} : { hotEntries: options.hotEntries }),
      level: options.cpu ?? DEFAULT_CPU,
      vendor: options.cpuVendor ?? 'intel',
    });
    new ResetControl(this.ports).onReset = () => this.#end('reset');
    this.#wire();
    const { physical } = this.cpu.core;
    for (let page = DARK_VIDEO_FIRST; page < DARK_VIDEO_END; page += 1 << PAGE_SHIFT) {
      physical.setFlag(page >>> PAGE_SHIFT, PAGE_MMIO);
    }
  }

  /** The line of the interrupt that the processor took last, since this object was made. */
  get acceptedLine(): number {
    return this.#acceptedLine;
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

  /** Something from outside may still wake the processor, if it is halted: an interrupt, or an NMI. */
  get isWakeable(): boolean {
    if (this.apic?.turnsInterruptsIntoNmi) return true;
    return this.cpu.acceptsInterrupts;
  }

  /** The processor and all devices as after power-on; RAM stays as it is. */
  reset(): void {
    this.#ending = null;
    this.cpu.reset();
    for (const device of this.devices) device.reset();
    this.#setInterruptPin(this.pic.interruptPin);
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
        if (this.rtc.isNmiMasked) break;
        if (this.apic === null) this.cpu.raiseNmi();
        else this.apic.edgeLint1();
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

  /** To be told by a hypervisor that it has served a call, as `MachineObserver.shimCalled` says. */
  noteCall(call: number, site: number, args: readonly number[], result: number | null): void {
    this.observer?.shimCalled?.(call, site, args, result);
    this.onCall?.(call, site);
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

  /**
   * Puts a BIOS into the ROM that ends at 4 GiB, where the processor starts after a reset, and its last
   * 128 KiB (all of it, where it is smaller) into ROM space below 1 MiB.
   * @param bytes a multiple of 4096 of them.
   */
  loadBios(bytes: Uint8Array): void {
    this.#map.rom = bytes;
    const low = bytes.subarray(Math.max(0, bytes.length - LOW_BIOS_BYTES));
    this.loadRom(ROM_END - low.length, low);
    this.cpu.core.mmu.flush();
  }

  /**
   * Has somebody answer all accesses to a page of physical memory in the stead of RAM. What RAM holds
   * there is hidden.
   */
  addWindow(physical: number, mmio: Mmio): void {
    const memory = this.cpu.core.physical;
    this.#map.setWindow(physical >>> PAGE_SHIFT, mmio);
    memory.load(physical, new Uint8Array(1 << PAGE_SHIFT));
    memory.setFlag(physical >>> PAGE_SHIFT, PAGE_MMIO);
    this.cpu.core.mmu.flush();
  }

  /** Adds a device whose state is the machine's from now on: saved, digested and reset with the others. */
  addDevice(device: Device): void {
    this.#devices.push(device);
  }

  /** Adds a timer, whose edges whoever drives the machine injects when they are due. */
  addTimer(timer: MachineTimer): void {
    this.#timers.push(timer);
  }

  /**
   * What a clock shows at this step: an input, asked for from outside.
   * @throws Error when nobody answers.
   */
  readClock(source: ClockSource, isLook = false): number {
    this.#requested = source;
    this.requestClock(source, isLook);
    // Cleared by the answer, which the compiler can't see.
    if ((this.#requested as ClockSource | null) !== null) {
      throw new Error(`the request for the ${source} clock was not answered`);
    }
    return this.#clockValue;
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
    this.#restoreDevices(state);
    this.cpu.restore(state.cpu);
    this.#ending = null;
  }

  /**
   * As `restore`, of a state that may not come from `save`, such as one out of a file.
   * @throws Error where it cannot, which leaves the state undefined until the next `restore`.
   */
  restoreForeign(state: MachineState): void {
    this.#restoreDevices(state);
    for (const device of this.devices) {
      const given = state.devices[device.name];
      if (device.save().every((value, index) => value === given[index])) continue;
      throw new Error(`the state of ${device.name} is one that it is never in`);
    }
    this.cpu.restoreForeign(state.cpu);
    this.#ending = null;
  }

  #restoreDevices(state: MachineState): void {
    for (const device of this.devices) {
      const saved = state.devices[device.name] as readonly number[] | undefined;
      if (saved === undefined) throw new Error(`the state lacks device ${device.name}`);
      device.restore(saved);
    }
    this.#map.follow(this.cpu.core);
  }

  #bus(): CpuBus {
    return {
      readPort: (port: number, size: AccessSize) => this.ports.read(port, size),
      writePort: (port: number, size: AccessSize, value: number) => {
        if (this.onUnknownWrite !== null) this.#reportUnknownWrite(port, size, value);
        this.ports.write(port, size, value);
      },
      localApic: this.apic,
      acknowledgeInterrupt: () => this.#acknowledgeInterrupt(),
      readTimestamp: () => this.readClock('tsc', true),
      setNumericError: (level) => this.coprocessorError.setError(level),
      isNumericErrorIgnored: () => this.coprocessorError.isErrorIgnored,
    };
  }

  #wire(): void {
    this.pic.onInterruptPin = (level) => this.#setInterruptPin(level);
    if (this.apic !== null) {
      this.apic.onInterruptPin = (level) => this.cpu.setInterruptLine(level);
      this.apic.onNmi = () => this.cpu.raiseNmi();
      this.apic.onInit = () => this.#end('reset');
      this.apic.onRequest = (line) => this.observer?.irqRaised(line);
      this.apic.onMove = () => this.#map.follow(this.cpu.core);
    }
    this.pic.onRisingEdge = (line) => this.observer?.irqRaised(line);
    this.pit.onOutput0 = (level) => this.pic.setLine(IRQ_TIMER, level);
    this.keyboard.onInterrupt = (level) => this.pic.setLine(IRQ_KEYBOARD, level);
    this.keyboard.onMouseInterrupt = (level) => this.pic.setLine(IRQ_MOUSE, level);
    this.uart.onInterrupt = (level) => this.pic.setLine(IRQ_COM1, level);
    this.rtc.onInterrupt = (level) => this.pic.setLine(IRQ_RTC, level);
    this.coprocessorError.onInterrupt = (level) => this.pic.setLine(IRQ_COPROCESSOR, level);
    this.keyboard.onReset = () => this.#end('reset');
    this.debugExit.onExit = () => this.#end('exit');
  }

  /** The 8259s' INTR pin goes to the processor, or to the local APIC's LINT0. */
  #setInterruptPin(level: boolean): void {
    if (this.apic === null) this.cpu.setInterruptLine(level);
    else this.apic.setLint0(level);
  }

  #reportUnknownWrite(port: number, size: AccessSize, value: number): void {
    if (this.ports.isClaimed(port) && port !== POST_PORT) return;
    this.onUnknownWrite?.(port, size, size === 4 ? value >>> 0 : value & (2 ** (size * 8) - 1));
  }

  #end(ending: 'exit' | 'reset'): void {
    this.#ending = ending;
    this.cpu.requestStop();
  }

  #acknowledgeInterrupt(): number {
    const own = this.apic?.acknowledge() ?? -1;
    const vector = own < 0 ? this.pic.acknowledge() : own;
    this.#acceptedLine = own < 0 ? this.pic.acknowledgedLine : this.apic!.acknowledgedLine;
    if (this.observer !== null) {
      const { state } = this.cpu.core;
      this.observer.irqAccepted(
        vector,
        this.#acceptedLine,
        state.cpl,
        state.eip,
        state.get(SHADOW),
      );
    }
    return vector;
  }

  #injectIrq(line: number): void {
    const added = this.#timers.find((timer) => timer.line === line);
    if (line === IRQ_TIMER) this.pit.edge();
    else if (line === IRQ_RTC) this.rtc.edge();
    else if (line === LINE_APIC_TIMER && this.apic !== null) this.apic.timerEdge();
    else if (added !== undefined) added.edge();
    else if (!Number.isInteger(line) || line < 0 || line >= IRQ_LINES || DEVICE_LINES.has(line)) {
      throw new Error(
        `IRQ line ${line} takes no injected edge: it belongs to a device or isn't there`,
      );
    } else this.pic.pulse(line);
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
