/** `--trace-ports`: what the guest writes to ports that nobody here knows, as lines on stderr. */
import { SEG_CS } from '../cpu/state-layout.js';
import type { Machine } from '../machine/machine.js';
import { formatInstant } from '../replay/instant.js';
import { hex32 } from './numbers.js';
import type { Progress } from './progress.js';

/**
 * Prints a line for each such write, and for each to the POST port, 80h: the first time that its instant is
 * reached, and not when a debugger goes back and comes there again.
 */
export function tracePorts(machine: Machine, progress: Progress): void {
  let printedTo = -1;
  machine.onUnknownWrite = (port, size, value) => {
    const { instant, core } = machine.cpu;
    if (instant <= printedTo) return;
    printedTo = instant;
    const { state } = core;
    const digits = value.toString(16).padStart(size * 2, '0');
    const where = `${state.selector(SEG_CS).toString(16).padStart(4, '0')}:${hex32(state.eip)}`;
    progress.clear();
    process.stderr.write(
      `holdoff: port 0x${port.toString(16).padStart(4, '0')} <- 0x${digits}, ${size} ${size === 1 ? 'byte' : 'bytes'}, at CS:EIP ${where}, ${formatInstant(instant)}\n`,
    );
  };
}
