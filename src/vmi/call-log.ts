/** Notes the calls of a guest's that never trap, by what they do to the shared words. */
import type { Core } from '../cpu/core.js';
import { fault } from '../cpu/fault.js';
import * as L from '../cpu/state-layout.js';
import { peekStack } from '../cpu/system/stack.js';
import { CALL_BYTES } from './annotations.js';
import { CALL_GET_CR0 } from './calls.js';
import { SHADOW_CR0 } from './layout.js';
import { isInRegion, type Region } from './stubs.js';

/** Receives a call, as `MachineObserver.shimCalled` does. */
export type CallNoter = (
  call: number,
  site: number,
  args: readonly number[],
  result: number | null,
) => void;

/**
 * Looks at one access of the guest's to the shared words. Changes nothing.
 * @param value what was read, or is to be written, signed.
 */
export function noteAccess(
  core: Core,
  region: Region,
  address: number,
  value: number,
  note: CallNoter,
): void {
  // A look by the hypervisor or by a debugger is no call.
  if (!core.isExecuting) return;
  const { state } = core;
  const at = (state.segmentBase(L.SEG_CS) + state.eip) >>> 0;
  if (address === SHADOW_CR0 && !isInRegion(region, at)) {
    note(CALL_GET_CR0, at | 0, [], value);
    return;
  }
  const mark = region.marks.get(at);
  if (mark === undefined) return;
  const back = mark.returnAt === 'value' ? value : topOfStack(core);
  const args = mark.takesEax ? [state.get(L.EAX)] : [];
  note(mark.call, (back - CALL_BYTES) | 0, args, mark.givesValue ? value : null);
}

/** The dword at ESP; 0 where it can't be read: who jumped to the stub has no site. */
function topOfStack(core: Core): number {
  try {
    return peekStack(core, 0, 4);
  } catch (thrown) {
    if (thrown !== fault) throw thrown;
    return 0;
  }
}
