/**
 * Evaluates gdb's agent expressions: the conditions and commands that a client attaches to breakpoints.
 * The code is untrusted: jumps, the stack, and the number of operations are checked, and whatever goes
 * wrong is a value. GDB manual, appendix "The GDB Agent Expression Mechanism".
 *
 * Values have 64 bits and are kept unsigned. Opcodes for floating point do not exist in practice, and
 * there are no trace state variables: both are errors. Opcodes that collect data for tracepoints
 * consume their operands and collect nothing.
 */
import { formatText } from './format.js';
import { OP } from './opcodes.js';

/** What an expression can see and do. */
export interface AgentWorld {
  /** A register's value, unsigned; null when there is none of that number. */
  register(index: number): bigint | null;
  /** Memory from a linear address on, shorter where not all can be read. */
  memory(address: number, length: number): Uint8Array;
  print(text: string): void;
}

export type AgentResult =
  /** The top of the stack at the end; 0 where it is empty. */
  | { readonly kind: 'value'; readonly value: bigint }
  | { readonly kind: 'error'; readonly message: string };

const MOST_OPERATIONS = 10_000;
const MOST_VALUES = 128;

class AgentError extends Error {}

/** Runs an expression to its end. Throws nothing. */
export function evaluate(code: Uint8Array, world: AgentWorld): AgentResult {
  try {
    return { kind: 'value', value: new Evaluation(code, world).run() };
  } catch (error) {
    if (error instanceof AgentError) return { kind: 'error', message: error.message };
    throw error;
  }
}

class Evaluation {
  readonly #code: Uint8Array;
  readonly #world: AgentWorld;
  readonly #stack: bigint[] = [];
  #at = 0;

  constructor(code: Uint8Array, world: AgentWorld) {
    this.#code = code;
    this.#world = world;
  }

  run(): bigint {
    for (let operations = 0; operations < MOST_OPERATIONS; operations++) {
      const opcode = this.#operand(1);
      if (opcode === OP.END) return this.#stack.at(-1) ?? 0n;
      this.#execute(opcode);
    }
    throw new AgentError(`it runs for more than ${MOST_OPERATIONS} operations`);
  }

  #execute(opcode: number): void {
    const binary = BINARY[opcode];
    if (binary !== undefined) {
      const right = this.#pop();
      this.#push(binary(this.#pop(), right));
      return;
    }
    switch (opcode) {
      case OP.LOG_NOT:
        this.#push(this.#pop() === 0n ? 1n : 0n);
        return;
      case OP.BIT_NOT:
        this.#push(~this.#pop());
        return;
      case OP.EXT:
        this.#extend((bits, value) => BigInt.asIntN(bits, value));
        return;
      case OP.ZERO_EXT:
        this.#extend((bits, value) => BigInt.asUintN(bits, value));
        return;
      case OP.REF8:
      case OP.REF16:
      case OP.REF32:
      case OP.REF64:
        this.#push(this.#load(this.#pop(), 1 << (opcode - OP.REF8)));
        return;
      case OP.IF_GOTO: {
        const target = this.#operand(2);
        if (this.#pop() !== 0n) this.#at = target;
        return;
      }
      case OP.GOTO:
        this.#at = this.#operand(2);
        return;
      case OP.CONST8:
      case OP.CONST16:
      case OP.CONST32:
        this.#push(BigInt(this.#operand(1 << (opcode - OP.CONST8))));
        return;
      case OP.CONST64:
        this.#push((BigInt(this.#operand(4)) << 32n) | BigInt(this.#operand(4)));
        return;
      case OP.REG: {
        const index = this.#operand(2);
        const value = this.#world.register(index);
        if (value === null) throw new AgentError(`there is no register ${index}`);
        this.#push(value);
        return;
      }
      default:
        this.#arrange(opcode);
    }
  }

  /** Opcodes that move values about, and those that collect or print. */
  #arrange(opcode: number): void {
    switch (opcode) {
      case OP.DUP:
        this.#push(this.#peek(0));
        return;
      case OP.POP:
        this.#pop();
        return;
      case OP.PICK:
        this.#push(this.#peek(this.#operand(1)));
        return;
      case OP.SWAP: {
        const [b, a] = [this.#pop(), this.#pop()];
        this.#push(b);
        this.#push(a);
        return;
      }
      case OP.ROT: {
        const [c, b, a] = [this.#pop(), this.#pop(), this.#pop()];
        this.#push(c);
        this.#push(a);
        this.#push(b);
        return;
      }
      case OP.TRACE:
      case OP.TRACENZ:
        this.#pop();
        this.#pop();
        return;
      case OP.TRACE_QUICK:
        this.#operand(1);
        return;
      case OP.TRACE16:
        this.#operand(2);
        return;
      case OP.PRINTF:
        this.#print();
        return;
      default:
        throw new AgentError(`opcode ${opcode.toString(16)}h is not supported`);
    }
  }

  #extend(extension: (bits: number, value: bigint) => bigint): void {
    const bits = this.#operand(1);
    if (bits === 0 || bits > 64) throw new AgentError(`a value has no ${bits} bits`);
    this.#push(extension(bits, this.#pop()));
  }

  #load(address: bigint, length: number): bigint {
    const linear = Number(BigInt.asUintN(32, address));
    const bytes = this.#world.memory(linear, length);
    if (bytes.length < length) {
      throw new AgentError(`nothing can be read at ${linear.toString(16)}h`);
    }
    let value = 0n;
    for (let place = length - 1; place >= 0; place--) value = (value << 8n) | BigInt(bytes[place]);
    return value;
  }

  /** How many arguments (1 byte), the length of the format with its NUL (2), the format. */
  #print(): void {
    const count = this.#operand(1);
    const length = this.#operand(2);
    if (this.#at + length > this.#code.length) throw new AgentError('the code is cut short');
    const format = Buffer.from(this.#code.subarray(this.#at, this.#at + length)).toString('latin1');
    this.#at += length;
    // A function and a channel, for agents inside a program.
    this.#pop();
    this.#pop();
    const values: bigint[] = [];
    for (let each = 0; each < count; each++) values.push(this.#pop());
    const memory = (address: number, bytes: number): Uint8Array =>
      this.#world.memory(address, bytes);
    this.#world.print(formatText(format.replace(/\0[^]*$/, ''), values, memory));
  }

  /** The next operand, most significant byte first. */
  #operand(bytes: number): number {
    if (this.#at + bytes > this.#code.length) throw new AgentError('the code is cut short');
    let value = 0;
    for (let place = 0; place < bytes; place++) value = value * 256 + this.#code[this.#at++];
    return value;
  }

  #push(value: bigint): void {
    if (this.#stack.length >= MOST_VALUES) throw new AgentError('the stack is full');
    this.#stack.push(BigInt.asUintN(64, value));
  }

  #pop(): bigint {
    const value = this.#stack.pop();
    if (value === undefined) throw new AgentError('the stack is empty');
    return value;
  }

  #peek(depth: number): bigint {
    const value = this.#stack.at(-1 - depth);
    if (value === undefined) throw new AgentError('the stack is empty');
    return value;
  }
}

function signed(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

function divisor(value: bigint): bigint {
  if (value === 0n) throw new AgentError('a division by zero');
  return value;
}

/** The left operand was pushed first. */
const BINARY: Readonly<Partial<Record<number, (left: bigint, right: bigint) => bigint>>> = {
  [OP.ADD]: (left, right) => left + right,
  [OP.SUB]: (left, right) => left - right,
  [OP.MUL]: (left, right) => left * right,
  [OP.DIV_SIGNED]: (left, right) => signed(left) / signed(divisor(right)),
  [OP.DIV_UNSIGNED]: (left, right) => left / divisor(right),
  [OP.REM_SIGNED]: (left, right) => signed(left) % signed(divisor(right)),
  [OP.REM_UNSIGNED]: (left, right) => left % divisor(right),
  // A distance of 64 or more shifts everything out.
  [OP.LSH]: (left, right) => (right > 63n ? 0n : left << right),
  [OP.RSH_SIGNED]: (left, right) => signed(left) >> (right > 63n ? 63n : right),
  [OP.RSH_UNSIGNED]: (left, right) => (right > 63n ? 0n : left >> right),
  [OP.BIT_AND]: (left, right) => left & right,
  [OP.BIT_OR]: (left, right) => left | right,
  [OP.BIT_XOR]: (left, right) => left ^ right,
  [OP.EQUAL]: (left, right) => (left === right ? 1n : 0n),
  [OP.LESS_SIGNED]: (left, right) => (signed(left) < signed(right) ? 1n : 0n),
  [OP.LESS_UNSIGNED]: (left, right) => (left < right ? 1n : 0n),
};
