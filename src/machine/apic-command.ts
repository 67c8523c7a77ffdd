/** Interrupt commands of a local APIC: whom a message is for. Intel SDM vol. 3A §10.6. */
import * as R from './apic-registers.js';

/** A command, and the registers by which its sender knows whether it is meant. */
export interface ApicCommand {
  /** The halves of the ICR. */
  readonly low: number;
  readonly high: number;
  readonly id: number;
  /** LDR and DFR. */
  readonly logicalDestination: number;
  readonly destinationFormat: number;
}

/** The command is for the processor that sends it, among others perhaps. */
export function isForSender(command: ApicCommand): boolean {
  const shorthand = (command.low >>> 18) & 3;
  if (shorthand !== R.SHORTHAND_NONE) return shorthand !== R.SHORTHAND_OTHERS;
  const destination = command.high >>> 24;
  if (destination === 0xff) return true;
  if ((command.low & R.ICR_LOGICAL) === 0) return destination === command.id >>> 24;
  const own = command.logicalDestination >>> 24;
  if (command.destinationFormat >>> 28 === 0xf) return (destination & own) !== 0;
  // Clusters: four bits name one, four its members.
  return destination >>> 4 === own >>> 4 && (destination & own & 0xf) !== 0;
}

/** Low half of the ICR: what ends in an INIT. "Level de-assert" sets arbitration IDs alone. */
export function isInit(low: number): boolean {
  const isDeassert = (low & (R.ICR_LEVEL | R.ICR_ASSERT)) === R.ICR_LEVEL;
  return R.deliveryMode(low) === R.MODE_INIT && !isDeassert;
}
