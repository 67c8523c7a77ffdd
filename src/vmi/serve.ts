/** The calls that trap: what a HLT of the published region asks the hypervisor for. */
import { EFLAGS_IOPL, EFLAGS_IOPL_SHIFT } from '../cpu/eflags.js';
import { raise, VECTOR_GP } from '../cpu/fault.js';
import * as L from '../cpu/state-layout.js';
import { cpuid } from '../cpu/system/cpuid.js';
import { peekStack, setStackPointer } from '../cpu/system/stack.js';
import { CALL_BYTES } from './annotations.js';
import type { CallNoter } from './call-log.js';
import { CALL_SYSEXIT } from './calls.js';
import { type GuestCpu, leaveBySysexit, updateKernelStack } from './emulate.js';
import { finishIret } from './iret.js';
import type { IretStage, Request } from './region-code.js';

/**
 * Serves a request and moves EIP on.
 * @param stage of an IRET: where its stub is.
 * @throws fault as the call does.
 */
export function serve(
  cpu: GuestCpu,
  request: Request,
  stage: IretStage | undefined,
  note: CallNoter,
): void {
  const { core, guest, shared } = cpu;
  const { state } = core;
  const { kind, call } = request;
  if (kind === 'iret') {
    if (stage !== undefined) finishIret(cpu, stage);
    return;
  }
  // What brought a `deliver` here was noted when it set virtual IF.
  const site = kind === 'deliver' ? 0 : (peekStack(core, 0, 4) - CALL_BYTES) | 0;
  const eax = state.get(L.EAX);
  switch (kind) {
    case 'deliver':
      break;
    case 'halt':
      note(call, site, [], null);
      shared.interruptFlag = true;
      state.set(L.HALTED, 1);
      break;
    case 'cpuid':
      cpuid(core);
      note(call, site, [eax], state.get(L.EAX));
      break;
    case 'update-kernel-stack':
      atSite(cpu, () => updateKernelStack(cpu));
      note(call, site, [eax, state.get(L.EDX)], null);
      break;
    case 'set-iopl':
      note(call, site, [eax], null);
      guest.iopl = (eax & EFLAGS_IOPL) >>> EFLAGS_IOPL_SHIFT;
      break;
  }
  state.eip = (state.eip + 1) | 0;
}

/** Has a fault be one of the call at the site. @throws fault as `work` does. */
function atSite({ core }: GuestCpu, work: () => void): void {
  const { state } = core;
  const site = (peekStack(core, 0, 4) - CALL_BYTES) | 0;
  try {
    work();
  } catch (thrown) {
    setStackPointer(state, state.esp + 4);
    state.eip = site;
    throw thrown;
  }
}

/** Goes back to the site of a SYSEXIT, with virtual IF clear: the call was not made. */
export function returnToSysexitSite(cpu: GuestCpu): void {
  const { core, shared } = cpu;
  const { state } = core;
  const site = (peekStack(core, 0, 4) - CALL_BYTES) | 0;
  shared.interruptFlag = false;
  setStackPointer(state, state.esp + 4);
  state.eip = site;
}

/** The SYSEXIT of the region. @throws fault #GP at the site that called it. */
export function finishSysexit(cpu: GuestCpu, note: CallNoter): void {
  const { core, guest } = cpu;
  const { state } = core;
  if ((guest.sysenterCs & 0xfffc) === 0) {
    returnToSysexitSite(cpu);
    raise(VECTOR_GP);
  }
  const site = (peekStack(core, 0, 4) - CALL_BYTES) | 0;
  note(CALL_SYSEXIT, site, [state.get(L.EDX), state.get(L.ECX)], null);
  leaveBySysexit(cpu);
}
