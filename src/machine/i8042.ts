/**
 * The 8042 keyboard controller of a PS/2, ports 60h and 64h, IRQ 1 and 12, and system control port A (92h).
 *
 * There is a keyboard that answers commands and on which nobody types, and no mouse at the other port. What
 * matters to a kernel is here: the self-test, the command byte, the output port with A20, the loop by which
 * it looks for the mouse's port, and the reset pulse. IBM PS/2 technical reference, "Keyboard and auxiliary
 * device controller"; port 92h as in Intel's 82371 (PIIX) data sheet.
 *
 * Deviation: A20 is reported as it was set, but address line 20 is always on. Answers take no time.
 */
import { checkStateLength, type Device } from './device.js';
import type { PortBus } from './port-bus.js';

const PORT_DATA = 0x60;
const PORT_COMMAND = 0x64;
const PORT_SYSTEM_CONTROL = 0x92;

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
/** The keyboard lock is open. */
const STATUS_UNLOCKED = 0x10;
/** The byte in the output buffer is the mouse's. */
const STATUS_MOUSE = 0x20;
const COMMAND_BYTE_INTERRUPT = 0x01;
const COMMAND_BYTE_MOUSE_INTERRUPT = 0x02;
const COMMAND_BYTE_SYSTEM = 0x04;
const COMMAND_BYTE_KEYBOARD_OFF = 0x10;
const COMMAND_BYTE_MOUSE_OFF = 0x20;
const COMMAND_BYTE_TRANSLATE = 0x40;
/** Interrupts on, self-test passed, no mouse, scan codes translated: as firmware leaves it. */
const COMMAND_BYTE_FIRMWARE =
  COMMAND_BYTE_INTERRUPT | COMMAND_BYTE_SYSTEM | COMMAND_BYTE_MOUSE_OFF | COMMAND_BYTE_TRANSLATE;
const OUTPUT_PORT_NOT_RESET = 0x01;
const OUTPUT_PORT_A20 = 0x02;
const OUTPUT_PORT_FULL = 0x10;
/** Keyboard clock and data are idle. */
const OUTPUT_PORT_IDLE = 0xc0;
const SYSTEM_CONTROL_RESET = 0x01;
const SYSTEM_CONTROL_A20 = 0x02;

const SELF_TEST_PASSED = 0x55;
const INTERFACE_GOOD = 0x00;
/** "Clock line stuck low": no mouse. */
const INTERFACE_BAD = 0x01;
const KEYBOARD_ACK = 0xfa;
const KEYBOARD_RESEND = 0xfe;
const KEYBOARD_ECHO = 0xee;
const KEYBOARD_TEST_PASSED = 0xaa;
/** The second byte of the keyboard's identity, and "scan code set 2", each plain and translated. */
const KEYBOARD_IDENTITY = { plain: 0x83, translated: 0x41 };
const KEYBOARD_SET = { plain: 0x02, translated: 0x41 };
/** With a byte that waits: it is the mouse's. */
const FROM_MOUSE = 0x100;
/** Bytes that may wait behind the output buffer. */
const QUEUE_BYTES = 16;

const STATE_LENGTH = 6;

/** Which interrupt is up, as it is saved. */
const NO_INTERRUPT = 0;
const KEYBOARD_INTERRUPT = 1;
const MOUSE_INTERRUPT = 2;

/** The controller with its keyboard. */
export class I8042 implements Device {
  readonly name = 'i8042';
  /** Called when IRQ 1 changes. */
  onInterrupt: (level: boolean) => void = () => undefined;
  /** Called when IRQ 12 changes. */
  onMouseInterrupt: (level: boolean) => void = () => undefined;
  /** Called when the guest resets the processor. */
  onReset: () => void = () => undefined;

  #commandByte = COMMAND_BYTE_FIRMWARE;
  #isA20On = true;
  /** The last write went to port 64h. */
  #wasCommand = false;
  /** A controller command that waits for its data byte, or 0. */
  #command = 0;
  /** A keyboard command that waits for its parameter, or 0. */
  #keyboardCommand = 0;
  #interrupt = NO_INTERRUPT;
  /** The output buffer first, then what comes after it. */
  #queue: number[] = [];

  constructor(ports: PortBus) {
    const handler = {
      read: (port: number) => this.#read(port),
      write: (port: number, _size: number, value: number) => this.#write(port, value),
    };
    ports.claim(PORT_DATA, PORT_DATA, handler);
    ports.claim(PORT_COMMAND, PORT_COMMAND, handler);
    ports.claim(PORT_SYSTEM_CONTROL, PORT_SYSTEM_CONTROL, handler);
  }

  reset(): void {
    this.#commandByte = COMMAND_BYTE_FIRMWARE;
    this.#isA20On = true;
    this.#wasCommand = false;
    this.#command = 0;
    this.#keyboardCommand = 0;
    this.#queue = [];
    this.#update();
  }

  /** 6 registers, then the bytes to be read. */
  save(): number[] {
    return [
      this.#commandByte,
      Number(this.#isA20On),
      Number(this.#wasCommand),
      this.#command,
      this.#keyboardCommand,
      this.#interrupt,
      ...this.#queue,
    ];
  }

  restore(state: readonly number[]): void {
    checkStateLength(this.name, state, Math.max(STATE_LENGTH, state.length));
    this.#commandByte = state[0];
    this.#isA20On = state[1] !== 0;
    this.#wasCommand = state[2] !== 0;
    this.#command = state[3];
    this.#keyboardCommand = state[4];
    this.#interrupt = state[5];
    this.#queue = state.slice(STATE_LENGTH);
  }

  #read(port: number): number {
    switch (port) {
      case PORT_DATA: {
        const byte = (this.#queue.shift() ?? 0) & 0xff;
        // The buffer is empty for a moment: the next byte makes an edge of its own.
        this.#setInterrupt(NO_INTERRUPT);
        this.#update();
        return byte;
      }
      case PORT_COMMAND:
        return (
          STATUS_UNLOCKED |
          (this.#queue.length > 0 ? STATUS_OUTPUT_FULL : 0) |
          (this.#commandByte & COMMAND_BYTE_SYSTEM ? STATUS_SYSTEM : 0) |
          (this.#wasCommand ? STATUS_COMMAND : 0) |
          (this.#isMouseNext ? STATUS_MOUSE : 0)
        );
      default:
        return this.#isA20On ? SYSTEM_CONTROL_A20 : 0;
    }
  }

  #write(port: number, value: number): void {
    switch (port) {
      case PORT_DATA:
        this.#wasCommand = false;
        this.#writeData(value);
        break;
      case PORT_COMMAND:
        this.#wasCommand = true;
        this.#command = 0;
        this.#writeCommand(value);
        break;
      default:
        this.#isA20On = (value & SYSTEM_CONTROL_A20) !== 0;
        if (value & SYSTEM_CONTROL_RESET) this.onReset();
    }
  }

  #writeCommand(command: number): void {
    switch (command) {
      case 0x20: // read the command byte
        this.#answer(this.#commandByte);
        break;
      case 0x60: // write the command byte
      case 0xd1: // write the output port
      case 0xd2: // a byte as if from the keyboard
      case 0xd3: // a byte as if from the mouse
      case 0xd4: // a byte to the mouse
        this.#command = command;
        break;
      case 0xa7:
        this.#commandByte |= COMMAND_BYTE_MOUSE_OFF;
        break;
      case 0xa8:
        this.#commandByte &= ~COMMAND_BYTE_MOUSE_OFF;
        break;
      case 0xa9:
        this.#answer(INTERFACE_BAD);
        break;
      case 0xaa:
        this.#commandByte |= COMMAND_BYTE_SYSTEM;
        this.#answer(SELF_TEST_PASSED);
        break;
      case 0xab:
        this.#answer(INTERFACE_GOOD);
        break;
      case 0xad:
        this.#commandByte |= COMMAND_BYTE_KEYBOARD_OFF;
        break;
      case 0xae:
        this.#commandByte &= ~COMMAND_BYTE_KEYBOARD_OFF;
        break;
      case 0xc0: // input port: keyboard not locked
        this.#answer(0x80);
        break;
      case 0xd0:
        this.#answer(
          OUTPUT_PORT_IDLE |
            OUTPUT_PORT_NOT_RESET |
            (this.#isA20On ? OUTPUT_PORT_A20 : 0) |
            (this.#queue.length > 0 ? OUTPUT_PORT_FULL : 0),
        );
        break;
      default:
        // F0h to FFh pulse the output port's low bits that are 0; bit 0 resets the processor.
        if (command >= 0xf0 && (command & OUTPUT_PORT_NOT_RESET) === 0) this.onReset();
    }
  }

  #writeData(value: number): void {
    const command = this.#command;
    this.#command = 0;
    switch (command) {
      case 0x60:
        this.#commandByte = value;
        this.#update();
        break;
      case 0xd1:
        this.#isA20On = (value & OUTPUT_PORT_A20) !== 0;
        if ((value & OUTPUT_PORT_NOT_RESET) === 0) this.onReset();
        break;
      case 0xd2:
        this.#answer(value);
        break;
      case 0xd3:
        this.#answer(value | FROM_MOUSE);
        break;
      case 0xd4: // nobody is there
        break;
      default:
        this.#commandByte &= ~COMMAND_BYTE_KEYBOARD_OFF;
        this.#writeKeyboard(value);
    }
  }

  #writeKeyboard(value: number): void {
    const command = this.#keyboardCommand;
    this.#keyboardCommand = 0;
    if (command !== 0) {
      this.#answer(KEYBOARD_ACK);
      if (command === 0xf0 && value === 0) this.#answer(this.#translate(KEYBOARD_SET));
      return;
    }
    switch (value) {
      case 0xed: // lamps
      case 0xf0: // scan code set
      case 0xf3: // typing rate
        this.#keyboardCommand = value;
        this.#answer(KEYBOARD_ACK);
        break;
      case 0xee:
        this.#answer(KEYBOARD_ECHO);
        break;
      case 0xf2: // identify
        this.#answer(KEYBOARD_ACK);
        this.#answer(0xab);
        this.#answer(this.#translate(KEYBOARD_IDENTITY));
        break;
      case 0xf4: // enable
      case 0xf5: // disable
      case 0xf6: // defaults
        this.#answer(KEYBOARD_ACK);
        break;
      case 0xff:
        this.#answer(KEYBOARD_ACK);
        this.#answer(KEYBOARD_TEST_PASSED);
        break;
      default:
        this.#answer(KEYBOARD_RESEND);
    }
  }

  /** Those answers that the controller's translation of scan codes changes. */
  #translate(answer: { plain: number; translated: number }): number {
    return this.#commandByte & COMMAND_BYTE_TRANSLATE ? answer.translated : answer.plain;
  }

  #answer(byte: number): void {
    if (this.#queue.length < QUEUE_BYTES) this.#queue.push(byte);
    this.#update();
  }

  get #isMouseNext(): boolean {
    return this.#queue.length > 0 && this.#queue[0] >= FROM_MOUSE;
  }

  #update(): void {
    const [enable, interrupt] = this.#isMouseNext
      ? [COMMAND_BYTE_MOUSE_INTERRUPT, MOUSE_INTERRUPT]
      : [COMMAND_BYTE_INTERRUPT, KEYBOARD_INTERRUPT];
    const isUp = this.#queue.length > 0 && (this.#commandByte & enable) !== 0;
    this.#setInterrupt(isUp ? interrupt : NO_INTERRUPT);
  }

  #setInterrupt(interrupt: number): void {
    const before = this.#interrupt;
    if (interrupt === before) return;
    this.#interrupt = interrupt;
    if (before === KEYBOARD_INTERRUPT) this.onInterrupt(false);
    if (before === MOUSE_INTERRUPT) this.onMouseInterrupt(false);
    if (interrupt === KEYBOARD_INTERRUPT) this.onInterrupt(true);
    if (interrupt === MOUSE_INTERRUPT) this.onMouseInterrupt(true);
  }
}
